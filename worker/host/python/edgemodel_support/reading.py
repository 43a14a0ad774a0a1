"""Messages from JSON, or from the format that is configured."""

import json

from edgemodel_support import formats
from edgemodel_support.errors import clean, describe
from edgemodel_support.nesting import MAX_DEPTH, depth


class Nested(ValueError):
    """A message is nested too deep."""

    def __init__(self):
        super().__init__("it has more than 200 levels of lists and objects")


def decode(payload):
    """A message as `funcs[].decode` says, by default as json.loads gives it; raises what not_json puts into words."""
    if formats.decode_other is not None:
        return formats.decode_other(payload)
    try:
        event = json.loads(payload)
    except RecursionError:
        raise Nested() from None
    if payload.count(b"[") + payload.count(b"{") > MAX_DEPTH:
        if depth(payload.decode(json.detect_encoding(payload), "surrogatepass")) > MAX_DEPTH:
            raise Nested()
    return event


def not_json(error):
    """Why a message is not JSON, or not what `funcs[].decode` says."""
    if formats.decode_other is not None:
        return clean(str(error))
    if isinstance(error, (json.JSONDecodeError, Nested)):
        return clean(str(error))
    return describe(error)[0]
