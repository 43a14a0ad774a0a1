"""The part of pyboot that models use: pyboot.conf, pyboot.logger, pyboot.utils.db.dbpool and the package
of the model itself.

Importing anything else fails with a sentence that says what there is instead.
"""

import sys

from pyboot import absent

sys.meta_path.append(absent.Finder())
absent.watch(__name__)
