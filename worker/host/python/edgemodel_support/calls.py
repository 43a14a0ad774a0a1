"""Calls of handlers: asynchronous ones are awaited, and a batch has one result for each event."""

import importlib
import inspect
import sys

# The module path without the model's folder.
STANDARD_PATH = list(sys.path)

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
