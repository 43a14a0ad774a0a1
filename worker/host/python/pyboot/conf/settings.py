"""pyboot.conf.settings: its paths and constants. Those that only steered pyboot itself have pyboot's values and no effect."""

import os

from pyboot import absent

# The folder of the package pyboot, unless the environment names another, as in pyboot.
PYBOOT_HOME = os.environ.get("PYBOOT_HOME") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

MODEL_PATH = os.path.join(PYBOOT_HOME, "modules/gridsum/science")
MODEL_REF_PREFIX = "pyboot/modules/gridsum/science"
MODEL_RECORD = os.path.join(PYBOOT_HOME, "conf/model_record.txt")
CHECK_SIZE = 2048
DOWNLOAD_MODEL = bool(os.environ.get("DOWNLOAD_MODEL"))

DEBUG = False
PROFILE = os.environ.get("PYBOOT_PROFILE", "dev")
SERV_PORT = 5888

MAX_QUEUE = 1000
TIME_OUT = 120
MAX_EDGE_NUM = 10
MAX_PUBLISH_RETRY = 3
SUB_PROCESS_BLOCK = True
SUB_PROCESS_TIMEOUT = 120
SUB_THREAD_BLOCK = True
SUB_THREAD_TIMEOUT = 120

REHEARSAL_START_STATUS = 6
REHEARSAL_SUCCESS_STATUS = 7
REHEARSAL_ERROR_STATUS = 13

absent.watch(__name__)
