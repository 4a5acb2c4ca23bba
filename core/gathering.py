"""Many rows of numbers and texts at once, where other threads are at work.

The driver of SQLite gives the interpreter up for every single row, and then waits for it: all rows come as one, each
column as a list (in JSON) that is read in one go.
"""

import json
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.engine import Connection, Row
from sqlmodel import Session

from core.database import Prepared

Rows = list[tuple[Any, ...]]


class Gathered:
    """A question put together once (`Prepared`), for its rows in any order; true and false come as 1 and 0."""

    def __init__(self, query: Select[Any]) -> None:
        self._rows, self._columns = Prepared(query), Prepared(_by_column(query))

    def on(self, connection: Connection, **values: Any) -> Rows:
        """The rows, within the transaction of a connection."""
        if connection.dialect.name != "sqlite":
            return self._rows.on(connection, values)
        return _rows(self._columns.on(connection, values)[0])


def gathered(session: Session, query: Select[Any]) -> Rows:
    """The rows, in any order, of a question that is asked once."""
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        return [tuple(row) for row in connection.execute(query)]
    return _rows(connection.execute(_by_column(query)).one())


def _by_column(query: Select[Any]) -> Select[Any]:
    return select(*(func.json_group_array(one) for one in query.subquery("rows").c))


def _rows(columns: "tuple[Any, ...] | Row[Any]") -> Rows:
    return list(zip(*map(json.loads, columns), strict=True))
