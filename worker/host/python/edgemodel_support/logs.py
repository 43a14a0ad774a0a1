"""What a model logs: one record for the worker each."""

import json
import logging
import os
import sys
import traceback

from edgemodel_support import running
from edgemodel_support.errors import MAX_TRACEBACK, clean, mark_places
from edgemodel_support.writing import encode

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
        if context is None and record.thread == running.main_thread:
            context = running.current
        if context is not None:
            fields["device"] = context.device
            fields["topic"] = context.topic
        trace = []
        if record.exc_info:
            mark_places()
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
