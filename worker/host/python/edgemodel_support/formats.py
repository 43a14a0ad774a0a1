"""What the worker says of a model before it is imported: its version, and formats other than JSON."""

from edgemodel_support.errors import own_package
from edgemodel_support.standard import standard

# The model's digest, and what `decode` and `encode` ask for if that is not JSON.
version = ""
decode_other = None
encode_other = None


def configure(digest, decode, encode):
    """What the worker says before the model is imported."""
    global version, decode_other, encode_other
    version = digest
    if decode or encode:
        codec = standard("edgemodel_codec")
        own_package(codec)
        decode_other = codec.DECODERS[decode] if decode else None
        encode_other = codec.ENCODERS[encode] if encode else None
