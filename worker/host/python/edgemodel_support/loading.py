"""Imports a model."""

import os
import sys

from edgemodel_support.calls import event_loop, is_asynchronous, is_generator, takes_two
from edgemodel_support.standard import after, protect, records, standard

# The model's package is below this one, as in pyboot.
SCIENCE = "pyboot.modules.gridsum.science"


class LoadError(Exception):
    """The model cannot be used; the text says what to change."""


def load(model, directory, wheels, databases="", batches=False):
    """Imports index.py and returns its handler and, if there is one, its handler_batch, which `batches` asks for."""
    os.environ.pop("PYBOOT_MODEL", None)
    science = standard(SCIENCE)
    # Processes that the model starts find its package by this.
    os.environ["PYBOOT_MODEL"] = model + "\n" + directory
    if databases not in ("", "[]"):
        standard("edgemodel_databases").define(databases)
    if wheels:
        sys.path.insert(0, wheels)
    sys.path.insert(0, directory)
    if not os.path.isfile(os.path.join(directory, "index.py")):
        raise LoadError("index.py is missing; add one that defines handler(event, context)")
    name = science.install(model, directory) + ".index"
    protect()
    after("logging", configure_logging)
    __import__(name)
    module = sys.modules[name]
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
    elif batches:
        raise LoadError(
            "funcs[].batch is set, and index.py defines no handler_batch; "
            "add handler_batch(events, contexts), or leave batch out"
        )
    if is_asynchronous(handler) or is_asynchronous(batch_handler):
        event_loop()
    return handler, batch_handler


def configure_logging():
    records().configure_logging()


def check_arguments(name, wanted, handler):
    if not callable(handler):
        raise LoadError("{} is a {}, not a function".format(name, type(handler).__name__))
    if takes_two(handler):
        return
    try:
        signature = standard("inspect").signature(handler)
    except (TypeError, ValueError):
        return  # Built in C; calling it will tell.
    try:
        signature.bind(None, None)
    except TypeError as error:
        raise LoadError(
            "{}{} does not take ({}): {}".format(name, signature, wanted, error)
        ) from None


def python_version():
    return "{}.{}.{}".format(*sys.version_info)
