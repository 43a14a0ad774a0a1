"""Payloads that are not JSON: what a model gets of them, and results in the same formats.

Both model hosts use this file. It never trusts a length that a message claims, and runs from Python 3.6 on.
"""

import csv
import io
import struct

MAX_DEPTH = 200

# The default is 128 KiB for a field; the payload itself is bounded.
csv.field_size_limit(1 << 30)


class Undecodable(ValueError):
    """The text says what is wrong with the payload."""


def text(payload):
    try:
        return str(payload, "utf-8-sig")
    except UnicodeDecodeError:
        raise Undecodable("it is not UTF-8") from None


def rows(payload):
    """One line is a list of its fields, several lines a list of such lists."""
    decoded = text(payload)
    if "\0" in decoded:
        raise Undecodable("it has a NUL, which CSV has not")
    lines = [line for line in csv.reader(io.StringIO(decoded, newline="")) if line]
    if not lines:
        raise Undecodable("it is empty")
    return lines[0] if len(lines) == 1 else lines


class Reader:
    """Bytes that are taken from the front."""

    __slots__ = ("payload", "at")

    def __init__(self, payload):
        self.payload = memoryview(payload)
        self.at = 0

    def take(self, count):
        end = self.at + count
        if end > len(self.payload):
            raise Undecodable("it ends within a value")
        taken = self.payload[self.at : end]
        self.at = end
        return taken

    def byte(self):
        return self.take(1)[0]

    def number(self, layout):
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def string(self, length):
        try:
            return str(self.take(length), "utf-8")
        except UnicodeDecodeError:
            raise Undecodable("a text in it is not UTF-8") from None

    def count(self, count, size):
        """A number of elements, each of which takes at least `size` bytes."""
        if count * size > len(self.payload) - self.at:
            raise Undecodable("it ends within a value")
        return count


def whole(payload, value):
    reader = Reader(payload)
    decoded = value(reader, 0)
    if reader.at != len(reader.payload):
        raise Undecodable("bytes follow its value")
    return decoded


def hashable(key):
    if isinstance(key, (list, dict)):
        raise Undecodable("a list or map is a key in it")
    return key


def deeper(depth):
    if depth >= MAX_DEPTH:
        raise Undecodable("it has more than {} levels of lists and maps".format(MAX_DEPTH))
    return depth + 1


def cbor(payload):
    return whole(payload, cbor_value)


# Ends a value of indefinite length.
BREAK = object()


def cbor_value(reader, depth, in_indefinite=False):
    first = reader.byte()
    major, minor = first >> 5, first & 31
    if major == 7:
        return cbor_simple(reader, minor, in_indefinite)
    if minor == 31 and major in (2, 3, 4, 5):
        return cbor_indefinite(reader, major, deeper(depth))
    argument = cbor_argument(reader, minor)
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
        return [cbor_value(reader, inner) for _ in range(reader.count(argument, 1))]
    if major == 5:
        inner = deeper(depth)
        mapping = {}
        for _ in range(reader.count(argument, 2)):
            key = hashable(cbor_value(reader, inner))
            mapping[key] = cbor_value(reader, inner)
        return mapping
    tagged = cbor_value(reader, deeper(depth))
    if argument in (2, 3) and isinstance(tagged, bytes):
        number = int.from_bytes(tagged, "big")
        return number if argument == 2 else -1 - number
    return tagged


def cbor_argument(reader, minor):
    if minor < 24:
        return minor
    layouts = {24: ">B", 25: ">H", 26: ">I", 27: ">Q"}
    if minor not in layouts:
        raise Undecodable("it has a byte that CBOR reserves")
    return reader.number(layouts[minor])


def cbor_simple(reader, minor, in_indefinite):
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


def cbor_indefinite(reader, major, depth):
    if major in (2, 3):
        chunks = []
        while True:
            first = reader.byte()
            if first == 0xFF:
                break
            if first >> 5 != major or first & 31 == 31:
                raise Undecodable("a chunk in it is of another type")
            length = cbor_argument(reader, first & 31)
            chunks.append(bytes(reader.take(length)) if major == 2 else reader.string(length))
        return (b"" if major == 2 else "").join(chunks)
    if major == 4:
        items = []
        while True:
            item = cbor_value(reader, depth, True)
            if item is BREAK:
                return items
            items.append(item)
    mapping = {}
    while True:
        key = cbor_value(reader, depth, True)
        if key is BREAK:
            return mapping
        hashable(key)
        mapping[key] = cbor_value(reader, depth)


def msgpack(payload):
    return whole(payload, msgpack_value)


MSGPACK_NUMBERS = {
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
MSGPACK_LENGTHS = {
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


def msgpack_value(reader, depth):
    first = reader.byte()
    if first < 0x80:
        return first
    if first >= 0xE0:
        return first - 0x100
    if first in MSGPACK_NUMBERS:
        return reader.number(MSGPACK_NUMBERS[first])
    if first in MSGPACK_LENGTHS:
        kind, layout = MSGPACK_LENGTHS[first]
        return msgpack_sized(reader, depth, kind, reader.number(layout))
    if first < 0x90:
        return msgpack_sized(reader, depth, "map", first & 15)
    if first < 0xA0:
        return msgpack_sized(reader, depth, "array", first & 15)
    if first < 0xC0:
        return reader.string(first & 31)
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first]
    if first in (0xD4, 0xD5, 0xD6, 0xD7, 0xD8):
        return msgpack_sized(reader, depth, "ext", 1 << (first - 0xD4))
    raise Undecodable("it has a byte that MessagePack does not use")


def msgpack_sized(reader, depth, kind, length):
    if kind == "bin":
        return bytes(reader.take(length))
    if kind == "str":
        return reader.string(length)
    if kind == "array":
        inner = deeper(depth)
        return [msgpack_value(reader, inner) for _ in range(reader.count(length, 1))]
    if kind == "map":
        inner = deeper(depth)
        mapping = {}
        for _ in range(reader.count(length, 2)):
            key = hashable(msgpack_value(reader, inner))
            mapping[key] = msgpack_value(reader, inner)
        return mapping
    code = reader.number(">b")
    data = bytes(reader.take(length))
    if code != -1:
        raise Undecodable("it has an extension of type {}, which is not known".format(code))
    return msgpack_timestamp(data)


def msgpack_timestamp(data):
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


DECODERS = {"text": text, "bytes": bytes, "csv": rows, "cbor": cbor, "msgpack": msgpack}


def scalar_text(value):
    """A text or number as it stands in text and CSV; `None` for other values."""
    if isinstance(value, str):
        return str.__str__(value)
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)
    return None


def plain_text(value, simpler):
    """The same for what the table of results makes a text or number of, such as a date."""
    if isinstance(value, (dict, list, tuple, bytes, bytearray, memoryview, type(None))):
        return None
    written = scalar_text(value)
    return scalar_text(simpler(value)) if written is None else written


def encode_text(value, simpler):
    written = plain_text(value, simpler)
    if written is None:
        raise TypeError("a {} is not a text; return str, int, float or bytes".format(type(value).__name__))
    return written.encode("utf-8")


def encode_bytes(value, simpler):
    raise TypeError("encode is bytes, and a {} is not; return bytes".format(type(value).__name__))


def encode_rows(value, simpler):
    """A list is a line, a list of lists several; a dict is the line of its values."""
    if scalar_text(value) is None and not isinstance(value, (list, tuple, dict)):
        value = simpler(value)
    if scalar_text(value) is not None:
        value = [value]
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, (list, tuple)):
        raise TypeError("a {} is not CSV; return a list, or a list of lists".format(type(value).__name__))
    nested = [isinstance(line, (list, tuple)) for line in value]
    if any(nested) and not all(nested):
        raise TypeError("lists and single values are mixed; return a list, or a list of lists")
    lines = list(value) if value and nested[0] else [value]
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    for line in lines:
        writer.writerow([field(one, simpler) for one in line])
    written = output.getvalue()
    return (written[:-1] if written.endswith("\n") else written).encode("utf-8")


def field(value, simpler):
    if value is None:
        return ""
    written = plain_text(value, simpler)
    if written is None:
        raise TypeError("a {} is not a field of CSV; return texts and numbers".format(type(value).__name__))
    return written


def encode_cbor(value, simpler):
    output = bytearray()
    write_cbor(value, simpler, output, 0)
    return bytes(output)


def too_deep(depth):
    if depth > MAX_DEPTH:
        raise ValueError("the result is nested deeper than {}; does it contain itself?".format(MAX_DEPTH))


def plain_key(key):
    """Most readers take no list as a key, this one included."""
    if isinstance(key, (tuple, frozenset)):
        raise TypeError("a {} is a key of the result; use a text or number".format(type(key).__name__))
    return key


def cbor_head(output, major, argument):
    if argument < 24:
        output.append(major << 5 | argument)
        return
    for minor, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * size):
            output.append(major << 5 | minor)
            output += argument.to_bytes(size, "big")
            return


def write_cbor(value, simpler, output, depth):
    too_deep(depth)
    if value is None:
        output.append(0xF6)
    elif value is True or value is False:
        output.append(0xF5 if value else 0xF4)
    elif isinstance(value, int):
        magnitude, major = (int(value), 0) if value >= 0 else (-1 - int(value), 1)
        if magnitude < 1 << 64:
            cbor_head(output, major, magnitude)
        else:
            output.append(0xC2 + major)
            data = magnitude.to_bytes((magnitude.bit_length() + 7) // 8, "big")
            cbor_head(output, 2, len(data))
            output += data
    elif isinstance(value, float):
        output.append(0xFB)
        output += struct.pack(">d", value)
    elif isinstance(value, str):
        data = str.encode(value, "utf-8")
        cbor_head(output, 3, len(data))
        output += data
    elif isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        cbor_head(output, 2, len(data))
        output += data
    elif isinstance(value, (list, tuple)):
        cbor_head(output, 4, len(value))
        for item in value:
            write_cbor(item, simpler, output, depth + 1)
    elif isinstance(value, dict):
        cbor_head(output, 5, len(value))
        for key, item in dict.items(value):
            write_cbor(plain_key(key), simpler, output, depth + 1)
            write_cbor(item, simpler, output, depth + 1)
    else:
        write_cbor(simpler(value), simpler, output, depth + 1)


def encode_msgpack(value, simpler):
    output = bytearray()
    write_msgpack(value, simpler, output, 0)
    return bytes(output)


def msgpack_head(output, length, short, sizes):
    """`short`: first byte and bound of the short form; `sizes`: first byte and bytes of the length of the others."""
    first, bound = short
    if length < bound:
        output.append(first | length)
        return
    for first, size in sizes:
        if length < 1 << (8 * size):
            output.append(first)
            output += length.to_bytes(size, "big")
            return
    raise ValueError("the result is too large for MessagePack")


def write_msgpack(value, simpler, output, depth):
    too_deep(depth)
    if value is None:
        output.append(0xC0)
    elif value is True or value is False:
        output.append(0xC3 if value else 0xC2)
    elif isinstance(value, int):
        write_msgpack_int(int(value), output)
    elif isinstance(value, float):
        output.append(0xCB)
        output += struct.pack(">d", value)
    elif isinstance(value, str):
        data = str.encode(value, "utf-8")
        msgpack_head(output, len(data), (0xA0, 32), ((0xD9, 1), (0xDA, 2), (0xDB, 4)))
        output += data
    elif isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        msgpack_head(output, len(data), (0, 0), ((0xC4, 1), (0xC5, 2), (0xC6, 4)))
        output += data
    elif isinstance(value, (list, tuple)):
        msgpack_head(output, len(value), (0x90, 16), ((0xDC, 2), (0xDD, 4)))
        for item in value:
            write_msgpack(item, simpler, output, depth + 1)
    elif isinstance(value, dict):
        msgpack_head(output, len(value), (0x80, 16), ((0xDE, 2), (0xDF, 4)))
        for key, item in dict.items(value):
            write_msgpack(plain_key(key), simpler, output, depth + 1)
            write_msgpack(item, simpler, output, depth + 1)
    else:
        write_msgpack(simpler(value), simpler, output, depth + 1)


def write_msgpack_int(value, output):
    if -32 <= value < 128:
        output.append(value & 0xFF)
        return
    kinds = ((0xCC, ">B"), (0xCD, ">H"), (0xCE, ">I"), (0xCF, ">Q"))
    if value < 0:
        kinds = ((0xD0, ">b"), (0xD1, ">h"), (0xD2, ">i"), (0xD3, ">q"))
    for first, layout in kinds:
        try:
            packed = struct.pack(layout, value)
        except struct.error:
            continue
        output.append(first)
        output += packed
        return
    raise ValueError("{} is too large for MessagePack".format(value))


ENCODERS = {
    "text": encode_text,
    "bytes": encode_bytes,
    "csv": encode_rows,
    "cbor": encode_cbor,
    "msgpack": encode_msgpack,
}
