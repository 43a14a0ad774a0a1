"""Writes results in binary formats. What the formats differ in is the head before each value."""

import struct

from edgemodel_codec.reader import MAX_DEPTH

DOUBLE = struct.Struct(">d")


def write(value, heads, simpler):
    """The bytes of a result; `simpler` makes a plain value of one that is not."""
    output = bytearray()
    write_value(value, heads, simpler, output, 0)
    return bytes(output)


def write_value(value, heads, simpler, output, depth):
    """Appends a value that is within so many lists and maps."""
    if value is None:
        output.append(heads.none)
    elif value is True or value is False:
        output.append(heads.true if value else heads.false)
    elif isinstance(value, int):
        heads.integer(int(value), output)
    elif isinstance(value, float):
        output.append(heads.double)
        output += DOUBLE.pack(value)
    elif isinstance(value, str):
        data = str.encode(value, "utf-8")
        heads.text(len(data), output)
        output += data
    elif isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        heads.binary(len(data), output)
        output += data
    elif isinstance(value, (list, tuple)):
        inner = deeper(depth)
        heads.array(len(value), output)
        for item in value:
            write_value(item, heads, simpler, output, inner)
    elif isinstance(value, dict):
        inner = deeper(depth)
        heads.mapping(len(value), output)
        for key, item in dict.items(value):
            write_value(plain_key(key), heads, simpler, output, inner)
            write_value(item, heads, simpler, output, inner)
    else:
        write_value(simpler(value), heads, simpler, output, depth)


def deeper(depth):
    if depth >= MAX_DEPTH:
        raise ValueError("the result is nested deeper than {}; does it contain itself?".format(MAX_DEPTH))
    return depth + 1


def plain_key(key):
    """Most readers take no list as a key, this one included."""
    if isinstance(key, (tuple, frozenset)):
        raise TypeError("a {} is a key of the result; use a text or number".format(type(key).__name__))
    return key
