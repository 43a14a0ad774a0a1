"""Calls of handlers: asynchronous ones are awaited, and a batch has one result for each event."""

import sys
from types import FunctionType, MethodType

from edgemodel_support.standard import standard

# Flags of a function's code, as in `inspect`, which takes as long to import as all the rest.
VARIABLE_ARGUMENTS, GENERATOR, COROUTINE, ASYNC_GENERATOR = 0x04, 0x20, 0x80, 0x200

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
    # A model that has a partial has imported its module.
    partial = getattr(sys.modules.get("functools"), "partial", ())
    while isinstance(handler, partial):
        handler = handler.func
    yield handler
    if not isinstance(handler, (FunctionType, MethodType, type)):
        yield getattr(type(handler), "__call__", None)


def has_flag(handler, flags):
    plain = (one.__func__ if isinstance(one, MethodType) else one for one in functions(handler))
    return any(isinstance(one, FunctionType) and one.__code__.co_flags & flags for one in plain)


def is_generator(handler):
    return has_flag(handler, GENERATOR | ASYNC_GENERATOR)


def is_asynchronous(handler):
    return has_flag(handler, COROUTINE | ASYNC_GENERATOR)


def takes_two(handler):
    """Whether a plain function can be called with two arguments; None if it takes more than a glance to tell."""
    if type(handler) is not FunctionType or hasattr(handler, "__wrapped__") or hasattr(handler, "__signature__"):
        return None
    code = handler.__code__
    most = code.co_argcount
    least = most - len(handler.__defaults__ or ())
    keywords = code.co_kwonlyargcount - len(handler.__kwdefaults__ or ())
    return least <= 2 and (most >= 2 or bool(code.co_flags & VARIABLE_ARGUMENTS)) and keywords == 0
