"""Tables of the desk: columns, sorting by the address (`?sort=key`, `?sort=-key`), pages, export as a file.

A desk module declares its columns once; the page, its sorting and its CSV/XLSX follow from them:

    COLUMNS = (Column("name", mark("姓名"), lambda one: one.name, sort=Staff.name), …)
    view = desk_table.view(COLUMNS, request.args, first="name")
    if form := asked_export():
        return attachment(desk_table.export(view, desk_table.everything(session, query, view), form), f"staff.{form}")
    page.listing = desk_table.listing(session, query, view, page_number())
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.cells import to_csv, to_xlsx
from core.i18n import gettext

T = TypeVar("T")
PER_PAGE = 50


@dataclass(frozen=True)  # a generic class that is frozen cannot have slots on Python 3.11
class Column(Generic[T]):
    """One column: its word (a msgid), what an export writes of a row, and how rows are sorted by it.

    `sort` is a column of a database query, or a function of a row for lists that are sorted in Python; None:
    nobody can sort by it. `shown` is False for a column that only the export holds.
    """

    key: str
    label: str
    value: Callable[[T], Any]
    sort: Any = None
    numeric: bool = False
    shown: bool = True

    @property
    def word(self) -> str:
        """The heading in the language in force."""
        return gettext(self.label)


@dataclass(frozen=True)  # a generic class that is frozen cannot have slots on Python 3.11
class View(Generic[T]):
    """The columns as one person looks at them: sorted by `key`, downwards or not."""

    columns: tuple[Column[T], ...]
    key: str = ""
    down: bool = False

    @property
    def heads(self) -> list[Column[T]]:
        """The columns that the page shows."""
        return [one for one in self.columns if one.shown]

    def direction(self, column: Column[T]) -> str:
        """`ascending`, `descending` or `none`, as `aria-sort` says it; empty where nobody can sort."""
        if column.sort is None:
            return ""
        if column.key != self.key:
            return "none"
        return "descending" if self.down else "ascending"

    def asks(self, column: Column[T]) -> str:
        """The value of `?sort=` behind a heading: by this column, the other way round on a second click."""
        return f"-{column.key}" if column.key == self.key and not self.down else column.key

    def order(self, *ties: Any) -> list[Any]:
        """How a query is ordered; `ties` keep pages apart where rows are equal. Nothing comes last."""
        chosen = self._chosen()
        by = [] if chosen is None else [self._turned(chosen.sort)]
        return by + [col(tie) for tie in ties]

    def arranged(self, rows: Iterable[T]) -> list[T]:
        """Rows sorted in Python, by the column's `sort` function; nothing comes last either way."""
        chosen, found = self._chosen(), list(rows)
        if chosen is None:
            return found
        by: Callable[[T], Any] = chosen.sort
        some = sorted((one for one in found if by(one) is not None), key=by, reverse=self.down)
        return [*some, *(one for one in found if by(one) is None)]

    def _chosen(self) -> Column[T] | None:
        return next((one for one in self.columns if one.key == self.key and one.sort is not None), None)

    def _turned(self, column: Any) -> ColumnElement[Any]:
        # an expression (case …) is an element already, and `col` refuses it
        column = column if isinstance(column, ColumnElement) else col(column)
        turned: ColumnElement[Any] = (column.desc() if self.down else column.asc()).nulls_last()
        return turned


@dataclass(frozen=True)  # a generic class that is frozen cannot have slots on Python 3.11
class Listing(Generic[T]):
    """One page of a table: `total` rows on `pages` pages (at least 1), `page` from 1."""

    rows: Sequence[T]
    total: int
    page: int = 1
    pages: int = 1


def view(columns: Iterable[Column[T]], asked: Mapping[str, str], *, first: str = "") -> View[T]:
    """The table as the address asks for it; `first` (`key` or `-key`) where it asks for nothing it can have."""
    known = tuple(columns)
    for wanted in (asked.get("sort", ""), first):
        key = wanted.removeprefix("-")
        if any(one.key == key and one.sort is not None for one in known):
            return View(known, key, wanted.startswith("-"))
    return View(known)


def listing(
    session: Session,
    query: SelectOfScalar[T],
    seen: View[T],
    page: int,
    *,
    ties: Sequence[Any] = (),
    size: int = PER_PAGE,
) -> Listing[T]:
    """One page of a query; a page beyond the last gives the last."""
    total = session.exec(select(func.count()).select_from(query.order_by(None).subquery())).one()
    pages = max(1, math.ceil(total / size))
    page = min(max(1, page), pages)
    rows = session.exec(query.order_by(*seen.order(*ties)).offset((page - 1) * size).limit(size))
    return Listing(list(rows), total, page, pages)


def cut(rows: Sequence[T], page: int, *, size: int = PER_PAGE) -> Listing[T]:
    """One page of rows that are in memory already."""
    pages = max(1, math.ceil(len(rows) / size))
    page = min(max(1, page), pages)
    return Listing(rows[(page - 1) * size : page * size], len(rows), page, pages)


def everything(
    session: Session, query: SelectOfScalar[T], seen: View[T], *, ties: Sequence[Any] = ()
) -> list[T]:
    """All rows of a query in the order of the view: what an export writes."""
    return list(session.exec(query.order_by(*seen.order(*ties))))


def export(seen: View[T], rows: Iterable[T], form: str, zone: ZoneInfo | None = None) -> bytes:
    """The rows as a CSV or XLSX file, every column with its word; times are those of `zone`."""
    heads = [one.word for one in seen.columns]
    cells = [[_cell(one.value(row), zone) for one in seen.columns] for row in rows]
    return to_xlsx(heads, cells) if form == "xlsx" else to_csv(heads, cells)


def _cell(value: Any, zone: ZoneInfo | None) -> Any:
    if isinstance(value, datetime):
        local = value.astimezone(zone) if zone else value
        return local.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    return "" if value is None else value
