"""Payloads of text: as it is, or as the fields of CSV."""

import csv
import io

from edgemodel_codec.reader import Undecodable

# The default is 128 KiB for a field; the payload itself is bounded.
csv.field_size_limit(1 << 30)


def decode_text(payload):
    try:
        return str(payload, "utf-8-sig")
    except UnicodeDecodeError:
        raise Undecodable("it is not UTF-8") from None


def decode_rows(payload):
    """One line is a list of its fields, several lines a list of such lists."""
    decoded = decode_text(payload)
    if "\0" in decoded:
        raise Undecodable("it has a NUL, which CSV has not")
    lines = [line for line in csv.reader(io.StringIO(decoded, newline="")) if line]
    if not lines:
        raise Undecodable("it is empty")
    return lines[0] if len(lines) == 1 else lines


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
