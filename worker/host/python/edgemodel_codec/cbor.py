"""CBOR (RFC 8949)."""

from edgemodel_codec.reader import Undecodable, deeper, hashable, whole
from edgemodel_codec.writer import write


def decode_cbor(payload):
    return whole(payload, read_value)


# Ends a value of indefinite length.
BREAK = object()


def read_value(reader, depth, in_indefinite=False):
    first = reader.byte()
    major, minor = first >> 5, first & 31
    if major == 7:
        return read_simple(reader, minor, in_indefinite)
    if minor == 31 and major in (2, 3, 4, 5):
        return read_indefinite(reader, major, deeper(depth))
    argument = read_argument(reader, minor)
    if major == 0:
        return argument
    if major == 1:
        return -1 - argument
    if major == 2:
        return bytes(reader.take(argument))
    if major == 3:
        return reader.string(argument)
    if major == 4:
        inner = deeper(depth)
        return [read_value(reader, inner) for _ in range(reader.count(argument, 1))]
    if major == 5:
        inner = deeper(depth)
        mapping = {}
        for _ in range(reader.count(argument, 2)):
            key = hashable(read_value(reader, inner))
            mapping[key] = read_value(reader, inner)
        return mapping
    tagged = read_value(reader, deeper(depth))
    if argument in (2, 3) and isinstance(tagged, bytes):
        number = int.from_bytes(tagged, "big")
        return number if argument == 2 else -1 - number
    return tagged


def read_argument(reader, minor):
    if minor < 24:
        return minor
    layouts = {24: ">B", 25: ">H", 26: ">I", 27: ">Q"}
    if minor not in layouts:
        raise Undecodable("it has a byte that CBOR reserves")
    return reader.number(layouts[minor])


def read_simple(reader, minor, in_indefinite):
    if minor == 20:
        return False
    if minor == 21:
        return True
    if minor in (22, 23):
        return None
    if minor == 25:
        return reader.number(">e")
    if minor == 26:
        return reader.number(">f")
    if minor == 27:
        return reader.number(">d")
    if minor == 31 and in_indefinite:
        return BREAK
    raise Undecodable("it has a simple value that means nothing")


def read_indefinite(reader, major, depth):
    if major in (2, 3):
        chunks = []
        while True:
            first = reader.byte()
            if first == 0xFF:
                break
            if first >> 5 != major or first & 31 == 31:
                raise Undecodable("a chunk in it is of another type")
            length = read_argument(reader, first & 31)
            chunks.append(bytes(reader.take(length)) if major == 2 else reader.string(length))
        return (b"" if major == 2 else "").join(chunks)
    if major == 4:
        items = []
        while True:
            item = read_value(reader, depth, True)
            if item is BREAK:
                return items
            items.append(item)
    mapping = {}
    while True:
        key = read_value(reader, depth, True)
        if key is BREAK:
            return mapping
        hashable(key)
        mapping[key] = read_value(reader, depth)


class Heads:
    """What stands before each value."""

    none, true, false, double = 0xF6, 0xF5, 0xF4, 0xFB

    @staticmethod
    def integer(value, output):
        magnitude, major = (value, 0) if value >= 0 else (-1 - value, 1)
        if magnitude < 1 << 64:
            head(output, major, magnitude)
            return
        output.append(0xC2 + major)
        data = magnitude.to_bytes((magnitude.bit_length() + 7) // 8, "big")
        head(output, 2, len(data))
        output += data

    @staticmethod
    def binary(length, output):
        head(output, 2, length)

    @staticmethod
    def text(length, output):
        if length < 24:
            output.append(0x60 | length)
        else:
            head(output, 3, length)

    @staticmethod
    def array(length, output):
        head(output, 4, length)

    @staticmethod
    def mapping(length, output):
        head(output, 5, length)


def head(output, major, argument):
    if argument < 24:
        output.append(major << 5 | argument)
        return
    for minor, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * size):
            output.append(major << 5 | minor)
            output += argument.to_bytes(size, "big")
            return


def encode_cbor(value, simpler):
    return write(value, Heads, simpler)
