"""How deep messages and results may be nested."""

import re

# Deeper results may contain themselves, and other readers of JSON refuse deeper messages.
MAX_DEPTH = 200

_NO_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[^][{}"]+', re.DOTALL)


def depth(text):
    """How deep a JSON text is nested, as far as the limit."""
    brackets = _NO_BRACKETS.sub("", text).replace("{", "[").replace("}", "]")
    levels = 0
    while brackets and levels <= MAX_DEPTH:
        brackets = brackets.replace("[]", "")
        levels += 1
    return levels
