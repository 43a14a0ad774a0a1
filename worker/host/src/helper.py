"""What a model host does in Python. Never runs text from a configuration.

Modules that most models never need are imported where they are used: a host should start fast and be
small.
"""

import importlib.machinery
import importlib.util
import os
import sys

# pyboot imported models under this name, and models import their own modules by it.
PYBOOT = ("pyboot", "modules", "gridsum", "science")

MAX_MESSAGE = 1024
MAX_TRACEBACK = 16 * 1024


class LoadError(Exception):
    """The model cannot be used; the text says what to change."""


def load(model, directory, wheels):
    """Imports index.py and returns its handler and, if there is one, its handler_batch."""
    if wheels:
        sys.path.insert(0, wheels)
    sys.path.insert(0, directory)
    path = os.path.join(directory, "index.py")
    if not os.path.isfile(path):
        raise LoadError("index.py is missing; add one that defines handler(event, context)")
    package = pyboot_package(model, directory)
    name = package + ".index"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    # Known under all its names before it runs: a module of the model may import it back.
    sys.modules[name] = module
    sys.modules.setdefault("index", module)
    sys.modules[package].index = module
    spec.loader.exec_module(module)
    handler = getattr(module, "handler", None)
    if handler is None:
        raise LoadError("index.py defines no handler; add handler(event, context)")
    check_arguments("handler", "event, context", handler)
    batch_handler = getattr(module, "handler_batch", None)
    if batch_handler is not None:
        check_arguments("handler_batch", "events, contexts", batch_handler)
    return handler, batch_handler


def pyboot_package(model, directory):
    """Packages along pyboot's path; the last is the model's own folder."""
    names = [*PYBOOT, model]
    parent = None
    for depth in range(1, len(names) + 1):
        name = ".".join(names[:depth])
        package = sys.modules.get(name)
        if package is None:
            package = type(sys)(name)
            package.__path__ = [directory] if depth == len(names) else []
            package.__package__ = name
            package.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
            package.__spec__.submodule_search_locations = package.__path__
            sys.modules[name] = package
        if parent is not None:
            setattr(parent, names[depth - 1], package)
        parent = package
    return ".".join(names)


def check_arguments(name, wanted, handler):
    if not callable(handler):
        raise LoadError(f"{name} is a {type(handler).__name__}, not a function")
    code = getattr(handler, "__code__", None)
    if code is not None and code.co_argcount == 2 and code.co_kwonlyargcount == 0:
        return  # The usual case, for which inspect need not be loaded.
    import inspect

    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        return  # Built in C; calling it will tell.
    try:
        signature.bind(None, None)
    except TypeError as error:
        raise LoadError(
            f"{name}{signature} does not take ({wanted}): {error}"
        ) from None


def describe(error):
    """One line and the traceback of an exception."""
    import traceback

    try:
        last = traceback.format_exception_only(type(error), error)[-1].strip()
    except Exception:  # An exception's own __str__ may raise.
        last = type(error).__name__
    try:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:
        text = ""
    return clean(last[:MAX_MESSAGE]), clean(text[-MAX_TRACEBACK:])


def clean(text):
    """Lone surrogates cannot be written as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def logger(model):
    import logging

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s"
    )
    return logging.getLogger(model)


def received_at(seconds):
    import datetime

    return datetime.datetime.fromtimestamp(seconds, tz=datetime.timezone.utc)


def text(value):
    """A JSON string in ASCII, for text that has no UTF-8."""
    import json

    return json.dumps(str.__str__(value))


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
    import datetime

    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    raise TypeError(
        f"keys of an object must be str, int, float, bool or None, not {type(value).__name__}"
    )


def simpler(value):
    """A value of JSON's types for one that is not; its parts may need this again."""
    import datetime
    import enum

    kind = type(value)
    module = (kind.__module__ or "").partition(".")[0]
    if module == "pandas":
        return from_pandas(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(
            f"{kind.__name__} within a result is not JSON; decode it, or return it alone to publish it as it is"
        )
    if module == "numpy" and hasattr(value, "dtype"):
        return from_numpy(value)
    if module == "decimal":
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
    raise TypeError(f"a {kind.__name__} is not JSON; convert it to dict, list, str or a number")


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
    raise TypeError(f"a pandas {kind} is not JSON; convert it to dict, list, str or a number")
