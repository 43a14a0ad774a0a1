"""Results to JSON, as both hosts write it, and values that are not plain."""

import datetime
import enum
import json
import json.encoder
import os

from edgemodel_support.errors import clean, describe
from edgemodel_support.nesting import MAX_DEPTH

TOO_DEEP = "the result is nested deeper than 200; does it contain itself?"

PLAIN = (str, int, float, dict, list, tuple, type(None))


class TooDeep(ValueError):
    """A result is nested too deep."""

    def __init__(self):
        super().__init__(TOO_DEEP)


def unserializable(error):
    """Why a result cannot be written as JSON."""
    return TOO_DEEP if isinstance(error, TooDeep) else describe(error)[0]


def encode(value):
    """A result as JSON, as both hosts write it."""
    parts = []
    write(value, parts.append, 0)
    return "".join(parts)


def write(value, put, depth):
    """Writes a value that is within so many lists and objects."""
    if isinstance(value, str):
        put(text(value))
    elif value is None:
        put("null")
    elif value is True:
        put("true")
    elif value is False:
        put("false")
    elif isinstance(value, int):
        put(int.__repr__(value))
    elif isinstance(value, float):
        put(float.__repr__(value) if value - value == 0 else "null")
    elif isinstance(value, dict):
        if depth == MAX_DEPTH:
            raise TooDeep()
        put("{")
        comma = False
        for name, item in dict.items(value):
            if comma:
                put(",")
            comma = True
            put(text(name if type(name) is str else key(name)))
            put(":")
            write(item, put, depth + 1)
        put("}")
    elif isinstance(value, (list, tuple)):
        if depth == MAX_DEPTH:
            raise TooDeep()
        put("[")
        comma = False
        for item in value:
            if comma:
                put(",")
            comma = True
            write(item, put, depth + 1)
        put("]")
    else:
        write(simpler(value), put, depth)


def text(value):
    """A JSON string: in ASCII if it has no UTF-8."""
    value = str.__str__(value)
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value)
    return json.encoder.encode_basestring(value)


def key(value):
    """A key of a JSON object, as json.dumps writes it."""
    if isinstance(value, str):
        return clean(str.__str__(value))
    if value is True:
        return "true"
    if value is False:
        return "false"
    if value is None:
        return "null"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)
    item = getattr(value, "item", None)
    if callable(item) and type(value).__module__ == "numpy":
        return key(item())
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    raise TypeError(
        "keys of an object must be str, int, float, bool or None, not {}".format(type(value).__name__)
    )


def simpler(value):
    """A value of JSON's types for one that is not; its parts may need this, too."""
    for _ in range(MAX_DEPTH):
        value = converted(value)
        if isinstance(value, PLAIN):
            return value
    raise TooDeep()


def converted(value):
    kind = type(value)
    module = (kind.__module__ or "").partition(".")[0]
    if module == "pandas":
        return from_pandas(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, (set, frozenset)):
        return in_order(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(
            "{} within a result is not JSON; decode it, or return it alone to publish it as it is".format(
                kind.__name__
            )
        )
    if module == "numpy" and hasattr(value, "dtype"):
        return from_numpy(value)
    if module == "decimal" or module == "_decimal":
        if not value.is_finite():
            return None
        return int(value) if value == value.to_integral_value() else float(value)
    if module == "uuid" or isinstance(value, os.PathLike):
        return str(value)
    if hasattr(kind, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in kind.__dataclass_fields__}
    if isinstance(value, enum.Enum):
        return value.value
    tolist = getattr(value, "tolist", None)
    if callable(tolist):
        return tolist()
    raise TypeError("a {} is not JSON; convert it to dict, list, str or a number".format(kind.__name__))


def in_order(items):
    """A set as a list, always in the same order: texts, bytes and numbers by value, others by their JSON."""
    for kinds in (str, bytes):
        if all(isinstance(item, kinds) for item in items):
            return sorted(items)
    if all(isinstance(item, (int, float)) for item in items):
        return sorted(items, key=by_value)
    return sorted(items, key=encode)


def by_value(number):
    """NaN comes last: it is neither less nor greater than any number, so its place would depend on that of the others."""
    return number != number, number


def from_numpy(value):
    """Scalars and arrays; times as ISO 8601, spans of time as seconds."""
    kind = value.dtype.kind
    if kind == "c":
        raise TypeError("complex numbers are not JSON; return their real and imaginary parts")
    if kind == "S":
        raise TypeError("numpy bytes are not JSON; decode them")
    if kind in "mM":
        # Python's own types have microseconds; finer units would become bare numbers.
        value = value.astype("datetime64[us]" if kind == "M" else "timedelta64[us]").astype("O")
    return value.tolist() if hasattr(value, "tolist") else value


def from_pandas(value):
    """Tables as a list of their rows, columns as a list, what is missing as null."""
    kind = type(value).__name__
    if kind == "DataFrame":
        return value.to_dict("records")
    if kind in ("NAType", "NaTType"):
        return None
    if kind == "Timestamp":
        return value.isoformat()
    if kind == "Timedelta":
        return value.total_seconds()
    tolist = getattr(value, "tolist", None)
    if callable(tolist):
        return tolist()
    raise TypeError(
        "a pandas {} is not JSON; convert it to dict, list, str or a number".format(kind)
    )
