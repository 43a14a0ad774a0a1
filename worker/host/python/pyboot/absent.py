"""What pyboot had and edgemodel has not: importing it says what there is instead."""

import sys
import types

SCIENCE = "pyboot.modules.gridsum.science"

DATABASES = (
    "define the database in databases, name it in funcs[].databases and use context.database(name) or "
    "pyboot.utils.db.dbpool.DbPoolUtil"
)
PROGRAM = (
    "edgemodel receives, matches and publishes messages itself; a model needs only handler(event, context), "
    "pyboot.conf and pyboot.logger"
)
UTILITIES = "copy the functions that the model needs into its own folder; of pyboot.utils there is db.dbpool"
CONFIGURATION = (
    "a model doesn't see the configuration; handler's second argument has topic, device and model, and "
    "pyboot.conf has PYBOOT_HOME"
)
LOGGING = "use `from pyboot.logger import log`, or the logger of handler's second argument"

# By the longest name that a module's name begins with.
INSTEAD = {
    "pyboot": PROGRAM,
    "pyboot.conf": CONFIGURATION,
    "pyboot.logger": LOGGING,
    "pyboot.modules": "the model's own files are in the package {}.<modelName>".format(SCIENCE),
    SCIENCE: "each model runs in a process of its own and sees only its own files",
    "pyboot.utils": UTILITIES,
    "pyboot.utils.db": DATABASES,
}

# Names that pyboot's own modules had; others are an ordinary AttributeError, which tools rely on.
NAMES = {
    "pyboot": {
        PROGRAM: "boot brun core hook processors starter starter_context web",
    },
    "pyboot.conf": {
        CONFIGURATION: "BaseConfig EdgeFuncConfig EdgeModelConfig FuncSchema MqttSchema RuleSchema config conf "
        "get_base_conf get_mqtt_conf getBaseConf global_funcs global_mqtt_dict global_rules load_from_config "
        "parse_host",
        UTILITIES: "id_worker",
    },
    "pyboot.conf.settings": {
        DATABASES: "DB_CHARSET DB_NAME JDBC_MYSQL_DRIVER MYSQL_DRIVER MYSQL_PASSWORD MYSQL_SERVER MYSQL_USERNAME "
        "SQLALCHEMY_DATABASE_URI SQLALCHEMY_ECHO SQLALCHEMY_ENGINE_OPTIONS SQLALCHEMY_TRACK_MODIFICATIONS",
        CONFIGURATION: "SECRET_KEY",
    },
    "pyboot.logger": {LOGGING: "Plog plog plogging logger_starter"},
}


def sentence(name):
    """Why a module or a name of pyboot isn't there, and what is."""
    known = name
    while known not in INSTEAD:
        known = known.rpartition(".")[0]
    return "{} isn't part of edgemodel: {}".format(name, INSTEAD[known])


class Finder:
    """Asked last, for modules that nothing else has found."""

    def find_spec(self, name, path=None, target=None):
        if not name.startswith("pyboot."):
            return None
        science = sys.modules.get(SCIENCE)
        if science is not None and science.is_of_model(name):
            return None  # The model's own mistake: Python's own words are best.
        raise ModuleNotFoundError(sentence(name), name=name)


class Watched(types.ModuleType):
    """A module whose former names say what became of them."""

    def __getattr__(self, name):
        for instead, names in NAMES[self.__name__].items():
            if name in names.split():
                raise ImportError("{}.{} isn't part of edgemodel: {}".format(self.__name__, name, instead))
        raise AttributeError("module {!r} has no attribute {!r}".format(self.__name__, name))


def watch(name):
    """Makes a module one whose former names say what became of them."""
    sys.modules[name].__class__ = Watched
