"""Many rows into a table at once, as columns or tuples, straight to the driver (COPY on PostgreSQL)."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

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

    def rows(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert the rows within the transaction of a connection; errors are SQLAlchemy's."""
        if rows:
            self.on(connection, *zip(*rows, strict=True))

    def on(self, connection: Connection, *columns: Sequence[Any]) -> None:
        """The same of rows that stand in columns of one length."""
        if not columns[0]:
            return
        dialect = connection.dialect
        rows = zip(*self._changed(dialect, columns), strict=True)
        try:
            if dialect.name == "postgresql":
                _copy(connection, self._text(_COPY, dialect), rows)
            else:
                driver: Any = connection.connection
                with closing(driver.cursor()) as cursor:
                    cursor.executemany(self._text(_INSERT, dialect), rows)
        except dialect.loaded_dbapi.Error as error:
            base = dialect.loaded_dbapi.Error
            raise DBAPIError.instance(self._table.name, (), error, base, dialect=dialect) from error

    def _text(self, pattern: str, dialect: Dialect) -> str:
        quote = dialect.identifier_preparer.quote
        names = ", ".join(quote(one.name) for one in self._columns)
        return pattern.format(quote(self._table.name), names, ", ".join("?" * len(self._columns)))

    def _changed(self, dialect: Dialect, columns: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        changes = [one.type.dialect_impl(dialect).bind_processor(dialect) for one in self._columns]
        return [
            values if change is None else _each_once(change, values)
            for change, values in zip(changes, columns, strict=True)
        ]


def _each_once(change: _Change, values: Sequence[Any]) -> list[Any]:
    known: dict[int, Any] = {}  # by identity: the hash of a time costs as much as the change
    changed = []
    for value in values:
        key = id(value)
        if key not in known:
            known[key] = change(value)
        changed.append(known[key])
    return changed


def _copy(connection: Connection, text: str, rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(text) as copy:
        for row in rows:
            copy.write_row(row)
