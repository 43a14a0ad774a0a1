"""Imports that the model's files do not affect.

A start imports only what a model's first call takes, since importing is most of the time of a start. The rest is imported when
it is needed, or by `settle` after the first results. A model's file that is named like what edgemodel imports matters as little
as if all of it were imported first.
"""

import sys
from _thread import get_ident
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder

# The module path without the model's folder.
PATH = list(sys.path)

# What edgemodel's own modules import, without the underscore of their parts in C.
NAMES = frozenset(
    "array ast atexit bisect codeop collections colorize contextlib copyreg datetime edgemodel_codec edgemodel_databases enum "
    "errno functools heapq importlib itertools json keyword linecache logging math mmap operator re reprlib select selectors "
    "socket sre sre_compile sre_constants sre_parse string struct textwrap threading token tokenize traceback types unicodedata "
    "warnings weakref weakrefset".split()
)

# What is used sooner or later, in the order in which it is imported.
LATER = (
    "traceback",
    "tokenize",
    "datetime",
    "threading",
    "logging",
    "edgemodel_support.logs",
    "edgemodel_support.writing",
    "edgemodel_support.reading",
    "edgemodel_support.context",
    "edgemodel_databases",
)


class Finder:
    """Finds what edgemodel imports, before anything of the model is found."""

    def __init__(self):
        # Threads that import for edgemodel.
        self.threads = set()
        self.names = ()
        # What is done when a module has been imported, by its name.
        self.then = {}

    def find_spec(self, name, path=None, target=None):
        if path is not None:
            return None
        own = get_ident() in self.threads
        if not own and name.lstrip("_") not in self.names:
            return None
        spec = BuiltinImporter.find_spec(name) or FrozenImporter.find_spec(name)
        if spec is not None:
            return spec
        spec = PathFinder.find_spec(name, PATH)
        if spec is None and own:
            # What this version of Python doesn't have, the model may.
            raise ModuleNotFoundError("No module named {!r}".format(name), name=name)
        if spec is not None and spec.loader is not None:
            spec.loader = Loader(spec.loader, self, self.then.get(name))
        return spec


class Loader:
    """Loads a module, and what that imports, from the module path without the model's folder."""

    def __init__(self, loader, finder, then):
        self.loader = loader
        self.finder = finder
        self.then = then

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self.loader
        with Importing(self.finder):
            self.loader.exec_module(module)
        if self.then is not None:
            self.then()


class Importing:
    """While this thread imports for edgemodel."""

    def __init__(self, finder):
        self.threads = finder.threads
        self.thread = get_ident()
        self.outermost = self.thread not in self.threads

    def __enter__(self):
        self.threads.add(self.thread)

    def __exit__(self, *error):
        if self.outermost:
            self.threads.discard(self.thread)


_finder = Finder()


def protect():
    """Before the model is imported: from now on, no file of it is taken for what edgemodel imports."""
    _finder.names = NAMES
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    sys.meta_path.insert(0, _finder)


def after(name, then):
    """Does something when a module is imported, or now if it is."""
    if name in sys.modules:
        then()
    else:
        _finder.then[name] = then


def standard(name):
    """Imports a module that not every model needs."""
    if name not in sys.modules:
        if _finder not in sys.meta_path:
            sys.meta_path.insert(0, _finder)
        with Importing(_finder):
            __import__(name)
    return sys.modules[name]


def records():
    """The module that logs. Its configuration runs within the import of `logging`, which two threads must begin in one order."""
    standard("logging")
    return standard("edgemodel_support.logs")


def settle():
    """After the first results: imports the rest, so that a model that runs out of files or memory is still described."""
    for name in LATER:
        try:
            standard(name)
        except Exception:
            pass  # What needs it will say why.
