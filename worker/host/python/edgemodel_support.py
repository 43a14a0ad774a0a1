"""What both model hosts do in Python: import the model, describe errors, log, and write values that are not plain.

Valid for Python 3.6. It imports everything that it uses before the model's folder is on the module path, so that a file
of the model named like a module of the standard library cannot get in its way. It never runs text from a configuration.
"""

import datetime
import enum
import importlib
import inspect
import json
import json.encoder
import linecache
import logging
import os
import re
import sys
import threading
import traceback

import edgemodel_databases
from edgemodel_databases import database

# What other modules import only when they are needed, such as traceback when it marks the place of an error.
for _name in ("ast", "textwrap", "tokenize", "unicodedata", "_colorize"):
    try:
        importlib.import_module(_name)
    except ImportError:
        pass

# The module path without the model's folder.
STANDARD_PATH = list(sys.path)

# The model's package is below this one, as in pyboot.
SCIENCE = "pyboot.modules.gridsum.science"

# Deeper results are refused: they may contain themselves, and no reader would take them.
MAX_DEPTH = 200
TOO_DEEP = "the result is nested deeper than 200; does it contain itself?"

MAX_MESSAGE = 1024
MAX_TRACEBACK = 16 * 1024

PLAIN = (str, int, float, dict, list, tuple, type(None))


class LoadError(Exception):
    """The model cannot be used; the text says what to change."""


class TooDeep(ValueError):
    """A result is nested too deep."""

    def __init__(self):
        super().__init__(TOO_DEEP)


# Loading.


def load(model, directory, wheels, databases=""):
    """Imports index.py and returns its handler and, if there is one, its handler_batch."""
    # Processes that the model starts find its package by this.
    os.environ["PYBOOT_MODEL"] = json.dumps({"name": model, "directory": directory})
    science = importlib.import_module(SCIENCE)
    configure_logging()
    edgemodel_databases.define(databases)
    if wheels:
        sys.path.insert(0, wheels)
    sys.path.insert(0, directory)
    if not os.path.isfile(os.path.join(directory, "index.py")):
        raise LoadError("index.py is missing; add one that defines handler(event, context)")
    module = importlib.import_module(science.install(model, directory) + ".index")
    handler = getattr(module, "handler", None)
    if handler is None:
        raise LoadError("index.py defines no handler; add handler(event, context)")
    check_arguments("handler", "event, context", handler)
    if is_generator(handler):
        raise LoadError(
            "handler is a generator: it contains yield, so calling it gives no result; "
            "collect the values in a list and return that"
        )
    batch_handler = getattr(module, "handler_batch", None)
    if batch_handler is not None:
        check_arguments("handler_batch", "events, contexts", batch_handler)
        if is_asynchronous(batch_handler) and is_generator(batch_handler):
            raise LoadError(
                "handler_batch is an asynchronous generator; return a list with one result for each event"
            )
    if is_asynchronous(handler) or is_asynchronous(batch_handler):
        event_loop()
    return handler, batch_handler


def check_arguments(name, wanted, handler):
    if not callable(handler):
        raise LoadError("{} is a {}, not a function".format(name, type(handler).__name__))
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        return  # Built in C; calling it will tell.
    try:
        signature.bind(None, None)
    except TypeError as error:
        raise LoadError(
            "{}{} does not take ({}): {}".format(name, signature, wanted, error)
        ) from None


def functions(handler):
    """The functions that a call of a handler may run: itself, what it wraps, its __call__."""
    while hasattr(handler, "func") and hasattr(handler, "keywords"):
        handler = handler.func  # functools.partial
    yield handler
    if not inspect.isroutine(handler) and not isinstance(handler, type):
        yield getattr(type(handler), "__call__", None)


def is_generator(handler):
    return any(
        inspect.isgeneratorfunction(one) or inspect.isasyncgenfunction(one)
        for one in functions(handler)
    )


def is_asynchronous(handler):
    return any(
        inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one)
        for one in functions(handler)
    )


def python_version():
    return "{}.{}.{}".format(*sys.version_info)


# Calling.

_loop = None


def event_loop():
    """The loop that asynchronous handlers run in, one for the life of the process: connections belong to a loop."""
    global _loop
    if _loop is None:
        asyncio = standard("asyncio")
        _loop = asyncio.new_event_loop()
        asyncio.set_event_loop(_loop)
    return _loop


def awaited(result):
    """The result of an asynchronous handler, or of one that returns what another one returned."""
    if hasattr(type(result), "__await__"):
        return event_loop().run_until_complete(result)
    return result


def standard(name):
    """Imports a module that few models need, without the model's folder on the module path."""
    if name in sys.modules:
        return sys.modules[name]
    path = sys.path[:]
    sys.path[:] = STANDARD_PATH
    try:
        return importlib.import_module(name)
    finally:
        sys.path[:] = path


def batch_results(results, count):
    """The results of handler_batch as a list, one for each event."""
    results = awaited(results)
    kind = type(results)
    unordered = isinstance(results, (str, bytes, bytearray, memoryview, dict, set, frozenset))
    if unordered or kind.__name__ == "DataFrame" or not hasattr(kind, "__iter__"):
        raise TypeError(
            "handler_batch returned a {}, not a list with one result for each event".format(kind.__name__)
        )
    results = list(results)
    if len(results) != count:
        raise ValueError("handler_batch returned {} results for {} events".format(len(results), count))
    return results


class Context:
    """The second argument of handler: where a message came from."""

    __slots__ = ("_topic", "_device", "_model", "_seconds", "_payload", "_extra", "_version")

    def __init__(self, topic, device, model, seconds, payload=b"", extra=(), digest=None):
        self._topic = topic
        self._device = device
        self._model = model
        self._seconds = seconds
        self._payload = payload
        # Further fields of a Call: see worker/frame/src/extra.rs.
        self._extra = extra
        # A process that the model starts was told no version.
        self._version = version if digest is None else digest

    @property
    def topic(self):
        return self._topic

    @property
    def device(self):
        return self._device

    @property
    def model(self):
        return self._model

    @property
    def received_at(self):
        return received_at(self._seconds)

    @property
    def payload(self):
        return self._payload

    @property
    def version(self):
        return self._version

    @property
    def qos(self):
        return delivery(self._extra) & 3

    @property
    def retained(self):
        return bool(delivery(self._extra) & 4)

    @property
    def duplicate(self):
        return bool(delivery(self._extra) & 8)

    @property
    def sample(self):
        return bool(delivery(self._extra) & 16)

    @property
    def properties(self):
        return properties(self._extra)

    @property
    def logger(self):
        return logger(self)

    def database(self, name):
        return database(name)

    def __repr__(self):
        return "Context(topic={}, device={}, model={})".format(self._topic, self._device, self._model)


def delivery(extra):
    """Quality of service and flags, as they are in a Call."""
    for kind, field in extra:
        if kind == 1:
            return field[0]
    return 0


def properties(extra):
    """What MQTT 5 says of a message; empty for other messages."""
    user, name = [], ""
    found = {}
    for kind, field in extra:
        if kind == 2:
            name = field.decode()
        elif kind == 3:
            user.append((name, field.decode()))
        elif kind in (4, 5):
            found["content_type" if kind == 4 else "response_topic"] = field.decode()
        elif kind == 6:
            found["correlation_data"] = field
    return Properties(user, **found)


class Properties:
    """User properties, content type, response topic and correlation data."""

    __slots__ = ("user", "content_type", "response_topic", "correlation_data")

    def __init__(self, user=(), content_type=None, response_topic=None, correlation_data=None):
        self.user = list(user)
        self.content_type = content_type
        self.response_topic = response_topic
        self.correlation_data = correlation_data

    def get(self, name, default=None):
        """The value of the first user property of that name."""
        for key, value in self.user:
            if key == name:
                return value
        return default

    def __repr__(self):
        return "Properties(user={!r}, content_type={!r}, response_topic={!r}, correlation_data={!r})".format(
            self.user, self.content_type, self.response_topic, self.correlation_data
        )


def received_at(seconds):
    return datetime.datetime.fromtimestamp(seconds, tz=datetime.timezone.utc)


# Errors.

_OWN_CODE = {load.__code__.co_filename, importlib.import_module.__code__.co_filename}


def own_code(filename):
    """Leaves the frames of a file out of tracebacks."""
    _OWN_CODE.add(filename)


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
        text = "".join(traceback.format_exception(type(error), error, frames))
    except Exception:
        text = ""
    return clean(last[:MAX_MESSAGE]), clean(text[-MAX_TRACEBACK:])


def is_own(filename):
    return filename in _OWN_CODE or filename.startswith("<frozen importlib")


def unserializable(error):
    """Why a result cannot be written as JSON."""
    return TOO_DEEP if isinstance(error, TooDeep) else describe(error)[0]


def clean(text):
    """Lone surrogates cannot be written as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


# Messages of any format.

# The model's digest, and what `decode` and `encode` ask for if that is not JSON.
version = ""
decode_other = None
encode_other = None


def configure(digest, decode, encode):
    """What the worker says before the model is imported."""
    global version, decode_other, encode_other
    version = digest
    if decode or encode:
        codec = importlib.import_module("edgemodel_codec")
        own_code(codec.__file__)
        decode_other = codec.DECODERS[decode] if decode else None
        encode_other = codec.ENCODERS[encode] if encode else None


class Nested(ValueError):
    """A message is nested too deep."""

    def __init__(self):
        super().__init__("it has more than 200 levels of lists and objects")


def decode(payload):
    """A message as `funcs[].decode` says, by default as json.loads gives it; raises what not_json puts into words."""
    if decode_other is not None:
        return decode_other(payload)
    try:
        event = json.loads(payload)
    except RecursionError:
        raise Nested() from None
    if payload.count(b"[") + payload.count(b"{") > MAX_DEPTH:
        if depth(payload.decode(json.detect_encoding(payload), "surrogatepass")) > MAX_DEPTH:
            raise Nested()
    return event


def not_json(error):
    """Why a message is not JSON, or not what `funcs[].decode` says."""
    if decode_other is not None:
        return clean(str(error))
    if isinstance(error, (json.JSONDecodeError, Nested)):
        return clean(str(error))
    return describe(error)[0]


_NO_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[^][{}"]+', re.DOTALL)


def depth(text):
    """How deep a JSON text is nested, as far as the limit."""
    brackets = _NO_BRACKETS.sub("", text).replace("{", "[").replace("}", "]")
    levels = 0
    while brackets and levels <= MAX_DEPTH:
        brackets = brackets.replace("[]", "")
        levels += 1
    return levels


# Results to JSON.


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
    """A set as a list, always in the same order: texts and numbers by value, others by their JSON."""
    for kinds in (str, (int, float)):
        if all(isinstance(item, kinds) for item in items):
            return sorted(items)
    return sorted(items, key=encode)


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


# Logging.

# The context of the call that runs; None while several run together.
current = None

_main_thread = threading.get_ident()

# A line of standard error that begins so is a record in JSON.
RECORD = b"\x1e"

# Longest parts of a record, in characters of up to six bytes each: the worker takes records of 256 KiB.
MAX_LOG_MESSAGE = 8 * 1024
MAX_EXTRA = 256
MAX_EXTRAS = 32

# What every record has; the rest is what the model gave as `extra`.
_USUAL = set(logging.LogRecord("", 0, "", 0, "", (), None).__dict__)
_USUAL.update(("message", "asctime", "taskName", "edgemodel_context"))


class Handler(logging.Handler):
    """Writes records to standard error, each as one line, for the worker to log with their levels."""

    def emit(self, record):
        try:
            line = RECORD + json.dumps(self.fields(record), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
            sys.stderr.flush()
            while line:
                line = line[os.write(2, line) :]
        except Exception:
            self.handleError(record)

    def fields(self, record):
        fields = {
            "level": record.levelno,
            "logger": clean(record.name[:MAX_EXTRA]),
            "message": clean(record.getMessage()[:MAX_LOG_MESSAGE]),
        }
        context = getattr(record, "edgemodel_context", None)
        if context is None and record.thread == _main_thread:
            context = current
        if context is not None:
            fields["device"] = context.device
            fields["topic"] = context.topic
        trace = []
        if record.exc_info:
            trace.append("".join(traceback.format_exception(*record.exc_info)))
        elif record.exc_text:
            trace.append(record.exc_text)
        if record.stack_info:
            trace.append(record.stack_info)
        if trace:
            fields["traceback"] = clean("\n".join(trace)[-MAX_TRACEBACK:])
        extras = {name: value for name, value in record.__dict__.items() if name not in _USUAL}
        if extras:
            names = list(extras)[:MAX_EXTRAS]
            fields["extra"] = {clean(name[:MAX_EXTRA]): extra(extras[name]) for name in names}
        return fields


def extra(value):
    """A value of `extra` in a record: as JSON if it is short, else as a text."""
    try:
        if isinstance(value, str):
            return clean(value[:MAX_EXTRA])
        written = encode(value)
        if len(written) <= MAX_EXTRA:
            return json.loads(written)
    except Exception:
        pass
    try:
        return clean(repr(value)[:MAX_EXTRA])
    except Exception:
        return type(value).__name__


class ContextLogger(logging.Logger):
    """The model's logger, whose records say which message they are about. Made for one message, it leaves what lasts to the
    logger of the model's name."""

    def __init__(self, name, context):
        super().__init__(name)
        self.parent = logging.getLogger(name)
        self.edgemodel_context = context

    def makeRecord(self, *args, **kwargs):
        record = super().makeRecord(*args, **kwargs)
        record.edgemodel_context = self.edgemodel_context
        return record

    def handle(self, record):
        self.parent.handle(record)

    def isEnabledFor(self, level):
        return self.parent.isEnabledFor(level)

    def getEffectiveLevel(self):
        return self.parent.getEffectiveLevel()

    def setLevel(self, level):
        self.parent.setLevel(level)

    def addHandler(self, hdlr):
        self.parent.addHandler(hdlr)

    def removeHandler(self, hdlr):
        self.parent.removeHandler(hdlr)

    def addFilter(self, filter):
        self.parent.addFilter(filter)

    def removeFilter(self, filter):
        self.parent.removeFilter(filter)


_handler = Handler()
_basic_config = logging.basicConfig


def configure_logging():
    """Sends what a process logs to the worker, from INFO on."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(_handler)
        root.setLevel(logging.INFO)
        logging.basicConfig = basic_config


def basic_config(**settings):
    """logging.basicConfig, which does nothing where there is a handler: a model's level and its own handlers count all the
    same."""
    root = logging.getLogger()
    if settings.get("force") or root.handlers != [_handler]:
        _basic_config(**settings)
        return
    own = settings.get("filename") or settings.get("handlers")
    if own:
        root.removeHandler(_handler)
        _basic_config(**settings)
        root.addHandler(_handler)
    elif settings.get("level") is not None:
        root.setLevel(settings["level"])


def logger(context):
    """The logger of a message's context."""
    return ContextLogger(context.model, context)
