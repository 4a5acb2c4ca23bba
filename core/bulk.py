"""Many rows into a table at once: plain tuples, straight to the driver (COPY on PostgreSQL)."""

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

_Row = tuple[Any, ...]
_Change = Callable[[Any], Any]
_INSERT, _COPY = "INSERT INTO {} ({}) VALUES ({})", "COPY {} ({}) FROM STDIN"


class Bulk:
    """An insert of many rows of one table, with the types of its columns; no event and no session sees it.

    A tenth of the cost of the same through the session. Values repeat (times above all), so each is changed into
    the driver's form once a call.
    """

    def __init__(self, table: type[SQLModel], *columns: str) -> None:
        self._table = SQLModel.metadata.tables[str(table.__tablename__)]
        self._columns = [self._table.c[name] for name in columns]

    def on(self, connection: Connection, rows: Sequence[_Row]) -> None:
        """Insert the rows within the transaction of a connection; errors are SQLAlchemy's."""
        if not rows:
            return
        dialect = connection.dialect
        changed = self._changed(dialect, rows)
        try:
            if dialect.name == "postgresql":
                _copy(connection, self._text(_COPY, dialect), changed)
            else:
                with closing(connection.connection.cursor()) as cursor:
                    cursor.executemany(self._text(_INSERT, dialect), changed)
        except dialect.loaded_dbapi.Error as error:
            base = dialect.loaded_dbapi.Error
            raise DBAPIError.instance(self._table.name, (), error, base, dialect=dialect) from error

    def _text(self, pattern: str, dialect: Dialect) -> str:
        quote = dialect.identifier_preparer.quote
        names = ", ".join(quote(one.name) for one in self._columns)
        return pattern.format(quote(self._table.name), names, ", ".join("?" * len(self._columns)))

    def _changed(self, dialect: Dialect, rows: Sequence[_Row]) -> Sequence[_Row]:
        changes = [one.type.dialect_impl(dialect).bind_processor(dialect) for one in self._columns]
        wanted = [(at, change) for at, change in enumerate(changes) if change is not None]
        if not wanted:
            return rows
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for at, change in wanted:
            columns[at] = _each_once(change, columns[at])
        return list(zip(*columns, strict=True))


def _each_once(change: _Change, values: Sequence[Any]) -> list[Any]:
    known: dict[int, Any] = {}  # by identity: the hash of a time costs as much as the change
    changed = []
    for value in values:
        key = id(value)
        if key not in known:
            known[key] = change(value)
        changed.append(known[key])
    return changed


def _copy(connection: Connection, text: str, rows: Sequence[_Row]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(text) as copy:
        for row in rows:
            copy.write_row(row)
