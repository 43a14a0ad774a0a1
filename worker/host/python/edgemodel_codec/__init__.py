"""Payloads that are not JSON: what a model gets of them, and results in the same formats.

Both model hosts use this package. It never trusts a length that a message claims, and runs from Python 3.6 on.
"""

from edgemodel_codec.cbor import decode_cbor, encode_cbor
from edgemodel_codec.msgpack import decode_msgpack, encode_msgpack
from edgemodel_codec.reader import Undecodable
from edgemodel_codec.text import decode_rows, decode_text, encode_bytes, encode_rows, encode_text

__all__ = ["DECODERS", "ENCODERS", "Undecodable"]

DECODERS = {
    "text": decode_text,
    "bytes": bytes,
    "csv": decode_rows,
    "cbor": decode_cbor,
    "msgpack": decode_msgpack,
}

ENCODERS = {
    "text": encode_text,
    "bytes": encode_bytes,
    "csv": encode_rows,
    "cbor": encode_cbor,
    "msgpack": encode_msgpack,
}
