"""What both model hosts do in Python: import the model, describe errors, log, and write values that are not plain.

Valid for Python 3.6. No file of the model that is named like a module of the standard library gets in its way; see `standard`.
It never runs text from a configuration.
"""

import sys

from edgemodel_support import formats, running
from edgemodel_support.calls import awaited, batch_results
from edgemodel_support.errors import describe, own_code
from edgemodel_support.formats import configure
from edgemodel_support.loading import load, python_version
from edgemodel_support.standard import records, settle, standard

__all__ = [
    "awaited",
    "batch_results",
    "configure",
    "describe",
    "formats",
    "load",
    "own_code",
    "python_version",
    "running",
    "settle",
]

# Names whose modules are imported when they are used.
LATER = {
    "Context": "edgemodel_support.context",
    "MAX_DEPTH": "edgemodel_support.nesting",
    "TOO_DEEP": "edgemodel_support.writing",
    "configure_logging": "edgemodel_support.logs",
    "database": "edgemodel_databases",
    "decode": "edgemodel_support.reading",
    "depth": "edgemodel_support.nesting",
    "encode": "edgemodel_support.writing",
    "key": "edgemodel_support.writing",
    "logger": "edgemodel_support.logs",
    "not_json": "edgemodel_support.reading",
    "properties": "edgemodel_support.context",
    "received_at": "edgemodel_support.context",
    "simpler": "edgemodel_support.writing",
    "text": "edgemodel_support.writing",
    "unserializable": "edgemodel_support.writing",
}


class Support(type(sys)):
    """This module, with the names of LATER. Python 3.6 has no __getattr__ for modules."""

    def __getattr__(self, name):
        if name not in LATER:
            raise AttributeError("module {!r} has no attribute {!r}".format(self.__name__, name))
        module = LATER[name]
        value = getattr(records() if module.endswith(".logs") else standard(module), name)
        setattr(self, name, value)
        return value


sys.modules[__name__].__class__ = Support
