"""pyboot.utils.db.dbpool: statements on the databases of the configuration, through the driver and its placeholders.

What pyboot's class printed and left out is raised here: an exception fails the message, and a message without its row must
not be acknowledged.
"""

import contextlib

import edgemodel_databases as databases

# pyboot's types, and the dialects of SQLAlchemy that are meant.
TYPES = {
    "mysql": ("mysql", "mariadb"),
    "oracle": ("oracle",),
    "postgresql": ("postgresql",),
    "sqlite": ("sqlite",),
    "sqlserver": ("mssql",),
}

# Rows that a driver gets at once.
CHUNK = 5000


cursor_of = contextlib.contextmanager(databases.transaction)


class DbPoolUtil(object):
    """The model's database of a type; `name` says which if it has several. It is looked up when it is used, so that an
    instance can be made when index.py is imported. `config_file` is ignored: the configuration says where databases are."""

    def __init__(self, config_file=None, db_type="mysql", name=None):
        if db_type not in TYPES:
            raise ValueError(
                "db_type {!r} is not supported; use one of {}, or context.database(name) with the driver's own "
                "interface".format(db_type, ", ".join(sorted(TYPES)))
            )
        self._type = db_type
        self._name = name

    def _database(self):
        if self._name is not None:
            return self._name
        names = databases.of_type(TYPES[self._type])
        if not names:
            raise LookupError(
                "the model has no database of type {!r}; define it in databases and name it in funcs[].databases. Samples "
                "and processes that the model spawns have none either".format(self._type)
            )
        if len(names) > 1:
            raise LookupError(
                "the model has several databases of type {!r}, {}; write DbPoolUtil(db_type={!r}, name={!r})".format(
                    self._type, ", ".join(names), self._type, names[0]
                )
            )
        return names[0]

    def _cursor(self):
        return cursor_of(self._database())

    def execute_query(self, sql, dict_mark=False, args=()):
        """All rows, as the driver gives them or, with `dict_mark`, as dictionaries."""
        with self._cursor() as cursor:
            cursor.execute(sql, args)
            rows = cursor.fetchall()
            return [as_dict(cursor, row) for row in rows] if dict_mark else rows

    def execute_query_single(self, sql, dict_mark=False, args=()):
        """The first row. Without one, None or, with `dict_mark`, an empty list, as in pyboot."""
        with self._cursor() as cursor:
            cursor.execute(sql, args)
            row = cursor.fetchone()
            if not dict_mark:
                return row
            return [] if row is None else as_dict(cursor, row)

    def execute_iud(self, sql, args=()):
        """Inserts, updates or deletes; returns the number of rows."""
        with self._cursor() as cursor:
            cursor.execute(sql, args)
            return cursor.rowcount

    def execute_many_iud(self, sql, args):
        """The same for several rows, all or none of them."""
        args = list(args)
        count = 0
        with self._cursor() as cursor:
            for start in range(0, len(args), CHUNK):
                cursor.executemany(sql, args[start : start + CHUNK])
                count += cursor.rowcount
        return count

    def execute_proc(self, proc_name, args=()):
        """Calls a procedure; returns its rows, and its arguments after the call."""
        with self._cursor() as cursor:
            after = cursor.callproc(proc_name, args)
            rows = cursor.fetchall() if cursor.description else ()
            if self._type == "mysql" and args:
                # Its drivers leave them in variables of the session.
                names = ("@_{}_{}".format(proc_name, index) for index in range(len(args)))
                cursor.execute("SELECT " + ", ".join(names))
                after = cursor.fetchone()
            return rows, after or ()

    def loop_row(self, obj, fun_name, sql, args=()):
        """Calls a function of `obj` for each row."""
        function = getattr(obj, fun_name)
        with self._cursor() as cursor:
            cursor.execute(sql, args)
            for row in iter(cursor.fetchone, None):
                function(row)

    def loop_row_custom(self, sql, args=()):
        """Prints each row."""
        self.loop_row(_Printer, "show", sql, args)


class _Printer:
    show = staticmethod(print)


def as_dict(cursor, row):
    return dict(zip((column[0] for column in cursor.description), row))
