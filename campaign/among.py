"""Whether a column's value is one of very many: one value to the database instead of a thousand placeholders.

A statement that is prepared once takes them as a `bindparam` of text, and at each call what `listed` makes of them.
"""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Text,
    bindparam,
    cast,
    column,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

Given = BindParameter[str]


class _Each(FunctionElement[Any]):
    """The values of a list in JSON, as rows with the column `value`."""

    inherit_cache = True
    name = "each"


@compiles(_Each)
def _of_array(element: _Each, compiler: Any, **more: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **more)} AS JSON))"


@compiles(_Each, "sqlite")
def _of_json(element: _Each, compiler: Any, **more: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **more)})"


def listed(values: Iterable[str] | Iterable[int]) -> str:
    """Values as a prepared statement takes them."""
    return json.dumps(list(values))


def among(searched: Any, values: Iterable[str] | Given) -> ColumnElement[bool]:
    """`searched IN values`, for values that are text: written once, read by the index of the column."""
    each = values_of(values)
    return col(searched).in_(select(each.c.value))


def among_numbers(searched: Any, values: Iterable[int] | Given) -> ColumnElement[bool]:
    """The same for numbers."""
    each = values_of(values)
    return col(searched).in_(select(cast(each.c.value, BigInteger)))


def values_of(values: Iterable[str] | Iterable[int] | Given) -> FromClause:
    """The values themselves as rows, in the column `value`: for a question that is asked of each."""
    given = values if isinstance(values, BindParameter) else bindparam(None, listed(values), type_=Text)
    return _Each(given).table_valued(column("value"))
