"""What is said of an exception."""

import os
import sys

from edgemodel_support.standard import standard

MAX_MESSAGE = 1024
MAX_TRACEBACK = 16 * 1024

_places_are_marked = False
_OWN_CODE = {sys.modules["importlib"].__file__}
_OWN_FOLDERS = [os.path.dirname(os.path.abspath(__file__)) + os.sep, "<frozen importlib"]


def own_code(filename):
    """Leaves the frames of a file out of tracebacks."""
    _OWN_CODE.add(filename)


def own_package(package):
    """Leaves the frames of a package out of tracebacks."""
    _OWN_FOLDERS.append(os.path.dirname(package.__file__) + os.sep)


def describe(error):
    """One line and the traceback of an exception."""
    try:
        traceback = standard("traceback")
        summary = traceback.TracebackException(type(error), error, None)
        summary.__notes__ = None  # They would come after the line that names the exception.
        last = list(summary.format_exception_only())[-1].strip()
    except Exception:  # An exception's own __str__ may raise, or no file can be opened.
        last = plain(error)
    frames = error.__traceback__
    while frames is not None and is_own(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    try:
        mark_places()
        text = "".join(standard("traceback").format_exception(type(error), error, frames))
    except Exception:
        text = ""
    return clean(last[:MAX_MESSAGE]), clean(text[-MAX_TRACEBACK:])


def plain(error):
    """One line of an exception, without the module that writes it as Python does."""
    try:
        return "{}: {}".format(type(error).__name__, error)
    except Exception:
        return type(error).__name__


def mark_places():
    """Imports what traceback imports when it marks the place of an error, before it finds files of the model instead."""
    global _places_are_marked
    if _places_are_marked:
        return
    _places_are_marked = True
    for name in ("ast", "textwrap", "tokenize", "unicodedata", "_colorize"):
        try:
            standard(name)
        except Exception:
            pass  # It is not there in this version, or no file can be opened.


def is_own(filename):
    return filename in _OWN_CODE or filename.startswith(tuple(_OWN_FOLDERS))


def clean(text):
    """Lone surrogates cannot be written as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
