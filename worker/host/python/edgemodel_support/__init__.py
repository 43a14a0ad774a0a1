"""What both model hosts do in Python: import the model, describe errors, log, and write values that are not plain.

Valid for Python 3.6. It imports everything that it uses before the model's folder is on the module path, so that a file
of the model named like a module of the standard library cannot get in its way. It never runs text from a configuration.
"""

from edgemodel_databases import database
from edgemodel_support.calls import awaited, batch_results
from edgemodel_support.context import Context, properties, received_at
from edgemodel_support.errors import describe, own_code
from edgemodel_support.formats import configure
from edgemodel_support.loading import load, python_version
from edgemodel_support.logs import configure_logging, logger
from edgemodel_support.nesting import MAX_DEPTH, depth
from edgemodel_support.reading import decode, not_json
from edgemodel_support.writing import TOO_DEEP, encode, key, simpler, text, unserializable

__all__ = [
    "MAX_DEPTH",
    "TOO_DEEP",
    "Context",
    "awaited",
    "batch_results",
    "configure",
    "configure_logging",
    "database",
    "decode",
    "depth",
    "describe",
    "encode",
    "key",
    "load",
    "logger",
    "not_json",
    "own_code",
    "properties",
    "python_version",
    "received_at",
    "simpler",
    "text",
    "unserializable",
]
