"""Reads binary payloads, whose values carry their lengths."""

import struct

MAX_DEPTH = 200


class Undecodable(ValueError):
    """The text says what is wrong with the payload."""


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
