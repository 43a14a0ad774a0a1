"""pyboot.logger: what a model logs is in the worker's log."""

import logging

import edgemodel_support
from pyboot import absent

# A process that the model started has no handler of edgemodel's yet.
edgemodel_support.configure_logging()

log = logging.getLogger("pyboot")

__all__ = ["log"]

absent.watch(__name__)
