"""The databases of a model: what context.database(name) gives, and what pyboot.utils.db.dbpool works on.

Valid for Python 3.6. What a host knows of databases comes in the worker's first frame; no variable of the environment, file
or argument holds it. SQLAlchemy and drivers come from the model's interpreter or its wheels.
"""

import atexit
import importlib
import json
import os
import threading

# For an error's remedy: a driver that works without a compiler.
DRIVERS = {
    "mssql": "mssql+pymssql",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "oracle": "oracle+oracledb",
    "postgresql": "postgresql+pg8000",
}

INSTALL = "add its wheel to the model's folder wheels/, or install it for the interpreter that funcs[].python names"


class State:
    """What a process has: the definitions by their names, and what is open."""

    def __init__(self, definitions):
        self.definitions = definitions
        self.process = os.getpid()
        self.lock = threading.RLock()
        self.engines = {}
        # SQLite's connections, which belong to their threads and end with them.
        self.local = threading.local()

    def connections(self):
        if not hasattr(self.local, "connections"):
            self.local.connections = {}
        return self.local.connections


_state = State({})


def define(databases):
    """Takes the databases that the worker sends: a list in JSON."""
    global _state
    _state = State({one["name"]: one for one in json.loads(databases or "[]")})
    if _state.definitions:
        atexit.register(close)


def state():
    """The state of this process. A forked one has the definitions of its parent, and connections of its own."""
    global _state
    if _state.process != os.getpid():
        _state = State(_state.definitions)
    return _state


def database(name):
    """A database that the configuration gives to the model: an engine of SQLAlchemy with a pool of connections, or for
    SQLite without SQLAlchemy this thread's connection."""
    current = state()
    connections = current.connections()
    if name in current.engines:
        return current.engines[name]
    if name in connections:
        return connections[name]
    definition = current.definitions.get(name)
    if definition is None:
        raise LookupError(unknown(name, current.definitions))
    sqlalchemy = find_sqlalchemy()
    if sqlalchemy is None:
        connections[name] = open_sqlite(definition)
        return connections[name]
    with current.lock:
        if name not in current.engines:
            current.engines[name] = open_engine(sqlalchemy, definition)
        return current.engines[name]


def unknown(name, known):
    if known:
        return "the model has no database {!r}, it has {}; name it in funcs[].databases".format(
            name, ", ".join(sorted(map(repr, known)))
        )
    return (
        "the model has no databases; define {!r} in databases and name it in funcs[].databases. Samples and processes that "
        "the model spawns have none either".format(name)
    )


def find_sqlalchemy():
    """SQLAlchemy, if the model's environment has it."""
    try:
        sqlalchemy = importlib.import_module("sqlalchemy")
    except ImportError as error:
        if getattr(error, "name", None) != "sqlalchemy":
            raise
        return None
    return sqlalchemy


def dialect(definition):
    return definition["url"].partition(":")[0].partition("+")[0]


def open_engine(sqlalchemy, definition):
    """An engine; it connects when it is used."""
    url = importlib.import_module("sqlalchemy.engine.url").make_url(definition["url"])
    credentials = {
        name: definition[name] for name in ("username", "password") if definition[name] is not None
    }
    if hasattr(url, "set"):
        url = url.set(**credentials)
    else:  # Before SQLAlchemy 1.4.
        for name, value in credentials.items():
            setattr(url, name, value)
    try:
        return sqlalchemy.create_engine(url, pool_pre_ping=True)
    except ImportError as error:
        raise ImportError(
            "database {!r}: its driver {!r} is not there; {}{}".format(
                definition["name"], getattr(error, "name", None) or str(error), INSTALL, other_driver(definition)
            )
        ) from None
    except sqlalchemy.exc.NoSuchModuleError as error:
        raise ImportError(
            "database {!r}: {}; {}, or write another dialect and driver in databases[].url".format(
                definition["name"], error.args[0], INSTALL
            )
        ) from None


def other_driver(definition):
    driver = DRIVERS.get(dialect(definition))
    if driver is None or definition["url"].startswith(driver + ":"):
        return ""
    return ", or write {}:// in databases[].url for another driver".format(driver)


def open_sqlite(definition):
    """A connection of the standard library, for which the URL means what it means to SQLAlchemy."""
    if dialect(definition) != "sqlite":
        raise ImportError(
            "database {!r}: SQLAlchemy is not there, which only sqlite: does without; {}".format(
                definition["name"], INSTALL
            )
        )
    try:
        sqlite3 = importlib.import_module("sqlite3")
    except ImportError:
        raise ImportError(
            "database {!r}: this interpreter was built without sqlite3; name another one with funcs[].python".format(
                definition["name"]
            )
        ) from None
    path = definition["url"].partition("://")[2].partition("?")[0]
    return sqlite3.connect(path[1:] or ":memory:")


def transaction(name):
    """Yields a cursor of the driver in a transaction of its own, which an exception rolls back: for contextlib, which is
    imported only by models that use it."""
    opened = database(name)
    pooled = hasattr(opened, "raw_connection")
    connection = opened.raw_connection() if pooled else opened
    try:
        handle = connection.cursor()
        yield handle
        handle.close()
        connection.commit()
    except BaseException:
        try:
            connection.rollback()
        except Exception:
            # The connection is broken; the error that is on its way says why.
            if pooled:
                connection.invalidate()
        raise
    finally:
        if pooled:
            # Back to the pool.
            connection.close()


def of_type(dialects):
    """The names of the model's databases of these dialects."""
    return sorted(name for name, one in state().definitions.items() if dialect(one) in dialects)


def close():
    """Closes what this process has opened."""
    current = _state
    if current.process != os.getpid():
        return  # A forked process: its parent's connections are its parent's.
    for engine in current.engines.values():
        engine.dispose()
    for connection in current.connections().values():
        connection.close()
