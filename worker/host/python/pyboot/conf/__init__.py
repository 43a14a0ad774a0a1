"""pyboot.conf, as models use it."""

from pyboot import absent
from pyboot.conf.settings import PYBOOT_HOME

__all__ = ["PYBOOT_HOME"]

absent.watch(__name__)
