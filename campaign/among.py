"""Whether a column's value is one of very many: one value to the database instead of a thousand placeholders."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, cast, func, select
from sqlmodel import Session, col


def among(session: Session, column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """`column IN values`, for values that are text: written once, read by the index of the column."""
    given = list(values)
    if session.get_bind().dialect.name == "sqlite":
        each = func.json_each(json.dumps(given)).table_valued("value")
        return col(column).in_(select(each.c.value))
    return col(column).in_(select(func.json_array_elements_text(cast(given, JSON))))


def among_numbers(session: Session, column: Any, values: Iterable[int]) -> ColumnElement[bool]:
    """The same for numbers."""
    given = list(values)
    if session.get_bind().dialect.name == "sqlite":
        each = func.json_each(json.dumps(given)).table_valued("value")
        return col(column).in_(select(each.c.value))
    return col(column).in_(select(cast(func.json_array_elements_text(cast(given, JSON)), BigInteger)))
