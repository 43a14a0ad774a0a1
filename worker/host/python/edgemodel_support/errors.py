"""What is said of an exception."""

import importlib
import os
import traceback

from edgemodel_support.calls import standard

MAX_MESSAGE = 1024
MAX_TRACEBACK = 16 * 1024

_places_are_marked = False
_OWN_CODE = {importlib.import_module.__code__.co_filename}
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
        summary = traceback.TracebackException(type(error), error, None)
        summary.__notes__ = None  # They would come after the line that names the exception.
        last = list(summary.format_exception_only())[-1].strip()
    except Exception:  # An exception's own __str__ may raise.
        last = type(error).__name__
    frames = error.__traceback__
    while frames is not None and is_own(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    try:
        mark_places()
        text = "".join(traceback.format_exception(type(error), error, frames))
    except Exception:
        text = ""
    return clean(last[:MAX_MESSAGE]), clean(text[-MAX_TRACEBACK:])


def mark_places():
    """Imports what traceback imports when it marks the place of an error, before it finds files of the model instead."""
    global _places_are_marked
    if _places_are_marked:
        return
    _places_are_marked = True
    for name in ("ast", "textwrap", "tokenize", "unicodedata", "_colorize"):
        try:
            standard(name)
        except ImportError:
            pass


def is_own(filename):
    return filename in _OWN_CODE or filename.startswith(tuple(_OWN_FOLDERS))


def clean(text):
    """Lone surrogates cannot be written as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
