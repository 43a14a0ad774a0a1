"""MessagePack."""

import struct

from edgemodel_codec.reader import Undecodable, deeper, hashable, whole
from edgemodel_codec.writer import write


def decode_msgpack(payload):
    return whole(payload, read_value)


NUMBERS = {
    0xCA: ">f",
    0xCB: ">d",
    0xCC: ">B",
    0xCD: ">H",
    0xCE: ">I",
    0xCF: ">Q",
    0xD0: ">b",
    0xD1: ">h",
    0xD2: ">i",
    0xD3: ">q",
}
# First byte: kind, layout of the length.
LENGTHS = {
    0xC4: ("bin", ">B"),
    0xC5: ("bin", ">H"),
    0xC6: ("bin", ">I"),
    0xC7: ("ext", ">B"),
    0xC8: ("ext", ">H"),
    0xC9: ("ext", ">I"),
    0xD9: ("str", ">B"),
    0xDA: ("str", ">H"),
    0xDB: ("str", ">I"),
    0xDC: ("array", ">H"),
    0xDD: ("array", ">I"),
    0xDE: ("map", ">H"),
    0xDF: ("map", ">I"),
}


def read_value(reader, depth):
    first = reader.byte()
    if first < 0x80:
        return first
    if first >= 0xE0:
        return first - 0x100
    if first in NUMBERS:
        return reader.number(NUMBERS[first])
    if first in LENGTHS:
        kind, layout = LENGTHS[first]
        return read_sized(reader, depth, kind, reader.number(layout))
    if first < 0x90:
        return read_sized(reader, depth, "map", first & 15)
    if first < 0xA0:
        return read_sized(reader, depth, "array", first & 15)
    if first < 0xC0:
        return reader.string(first & 31)
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first]
    if first in (0xD4, 0xD5, 0xD6, 0xD7, 0xD8):
        return read_sized(reader, depth, "ext", 1 << (first - 0xD4))
    raise Undecodable("it has a byte that MessagePack does not use")


def read_sized(reader, depth, kind, length):
    if kind == "bin":
        return bytes(reader.take(length))
    if kind == "str":
        return reader.string(length)
    if kind == "array":
        inner = deeper(depth)
        return [read_value(reader, inner) for _ in range(reader.count(length, 1))]
    if kind == "map":
        inner = deeper(depth)
        mapping = {}
        for _ in range(reader.count(length, 2)):
            key = hashable(read_value(reader, inner))
            mapping[key] = read_value(reader, inner)
        return mapping
    code = reader.number(">b")
    data = bytes(reader.take(length))
    if code != -1:
        raise Undecodable("it has an extension of type {}, which is not known".format(code))
    return read_timestamp(data)


def read_timestamp(data):
    """Seconds since 1970."""
    if len(data) == 4:
        return struct.unpack(">I", data)[0]
    if len(data) == 8:
        number = struct.unpack(">Q", data)[0]
        nanoseconds, seconds = number >> 34, number & ((1 << 34) - 1)
    elif len(data) == 12:
        nanoseconds, seconds = struct.unpack(">Iq", data)
    else:
        raise Undecodable("it has a timestamp of another length")
    return seconds + nanoseconds / 1e9 if nanoseconds else seconds


class Heads:
    """What stands before each value."""

    none, true, false, double = 0xC0, 0xC3, 0xC2, 0xCB

    @staticmethod
    def integer(value, output):
        if -32 <= value < 128:
            output.append(value & 0xFF)
            return
        for first, layout in NEGATIVE if value < 0 else POSITIVE:
            try:
                packed = struct.pack(layout, value)
            except struct.error:
                continue
            output.append(first)
            output += packed
            return
        raise ValueError("{} is too large for MessagePack".format(value))

    @staticmethod
    def binary(length, output):
        head(output, length, ((0xC4, 1), (0xC5, 2), (0xC6, 4)))

    @staticmethod
    def text(length, output):
        if length < 32:
            output.append(0xA0 | length)
        else:
            head(output, length, ((0xD9, 1), (0xDA, 2), (0xDB, 4)))

    @staticmethod
    def array(length, output):
        if length < 16:
            output.append(0x90 | length)
        else:
            head(output, length, ((0xDC, 2), (0xDD, 4)))

    @staticmethod
    def mapping(length, output):
        if length < 16:
            output.append(0x80 | length)
        else:
            head(output, length, ((0xDE, 2), (0xDF, 4)))


# First byte and layout of integers that take more than it.
POSITIVE = ((0xCC, ">B"), (0xCD, ">H"), (0xCE, ">I"), (0xCF, ">Q"))
NEGATIVE = ((0xD0, ">b"), (0xD1, ">h"), (0xD2, ">i"), (0xD3, ">q"))


def head(output, length, sizes):
    """Appends the first byte and the length; `sizes` are first bytes with the bytes that the length takes then."""
    for first, size in sizes:
        if length < 1 << (8 * size):
            output.append(first)
            output += length.to_bytes(size, "big")
            return
    raise ValueError("the result is too large for MessagePack")


def encode_msgpack(value, simpler):
    return write(value, Heads, simpler)
