"""Tables of the desk: sorting by the address, pages, export; and bulk actions as the macros show them."""

import csv
import io
from datetime import UTC, datetime
from operator import itemgetter
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from sqlmodel import select

from core.database import Database
from core.errors import Invalid
from institution import bulk, desk_table
from institution.desk_table import Column
from institution.models import Outlet
from tests import factories

COLUMNS = (
    Column[Outlet]("name", "名称", lambda one: one.name, sort=Outlet.name),
    Column[Outlet]("city", "城市", lambda one: one.city or None, sort=Outlet.closed_on),
    Column[Outlet]("kind", "级别", lambda one: one.kind),
)


@pytest.fixture
def filled(database: Database, now: datetime) -> Database:
    with database.transaction() as session:
        factories.tree(session, now)
    return database


def names(database: Database, asked: dict[str, str], page: int = 1, size: int = 3) -> tuple[list[str], int]:
    seen = desk_table.view(COLUMNS, asked, first="name")
    with database.reading() as session:
        found = desk_table.listing(session, select(Outlet), seen, page, ties=(Outlet.code,), size=size)
    return [one.name for one in found.rows], found.page


def test_the_address_says_how_a_table_is_sorted_and_nonsense_is_left_aside(filled: Database) -> None:
    everything = names(filled, {}, size=99)[0]
    assert everything == sorted(everything)
    assert names(filled, {"sort": "-name"}, size=99)[0] == everything[::-1]
    for nonsense in ("kind", "password_hash", "-", "name; DROP TABLE outlet"):
        assert names(filled, {"sort": nonsense}, size=99)[0] == everything


def test_pages_hold_every_row_once_and_the_last_stands_for_those_beyond(filled: Database) -> None:
    pages = [names(filled, {"sort": "city"}, page) for page in (1, 2, 3)]
    assert sorted(name for rows, _ in pages for name in rows) == sorted(names(filled, {}, size=99)[0])
    assert names(filled, {"sort": "city"}, 99) == pages[-1]


def test_a_heading_turns_its_sorting_round() -> None:
    seen = desk_table.view(COLUMNS, {"sort": "name"})
    name, city, kind = seen.heads
    assert (seen.direction(name), seen.direction(city), seen.direction(kind)) == ("ascending", "none", "")
    assert (seen.asks(name), seen.asks(city)) == ("-name", "city")
    assert desk_table.view(COLUMNS, {"sort": "-name"}).direction(name) == "descending"


def test_rows_in_memory_are_sorted_and_cut_too() -> None:
    columns = (Column[dict[str, int | None]]("n", "数", lambda one: one["n"], sort=lambda one: one["n"]),)
    rows: list[dict[str, int | None]] = [{"n": 2}, {"n": None}, {"n": 1}]
    up, down = (desk_table.view(columns, {"sort": key}).arranged(rows) for key in ("n", "-n"))
    assert [one["n"] for one in up] == [1, 2, None] and [one["n"] for one in down] == [2, 1, None]
    assert desk_table.view(columns, {}).arranged(rows) == rows
    cut = desk_table.cut(up, 2, size=2)
    assert (list(cut.rows), cut.total, cut.page, cut.pages) == ([{"n": None}], 3, 2, 2)


def test_an_export_holds_the_columns_and_never_a_formula() -> None:
    at = datetime(2026, 9, 15, 16, 30, tzinfo=UTC)
    rows: list[tuple[object, ...]] = [("=1+1", at, True, 7), ("林", None, False, -1)]
    columns = tuple(Column[tuple[object, ...]](f"c{n}", f"列{n}", itemgetter(n)) for n in range(4))
    seen, zone = desk_table.view(columns, {}), ZoneInfo("Asia/Shanghai")
    text = desk_table.export(seen, rows, "csv", zone).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["列0", "列1", "列2", "列3"], ["'=1+1", "2026-09-16 00:30", "是", "7"], ["林", "", "否", "-1"],
    ]  # fmt: skip
    sheet = load_workbook(io.BytesIO(desk_table.export(seen, rows, "xlsx", zone))).active
    assert sheet is not None
    assert sheet["A2"].value == "'=1+1" and sheet["A2"].data_type == "s"


def test_a_bulk_action_needs_something_ticked_and_not_too_much() -> None:
    assert bulk.picked(["b", "a", "b", ""]) == ["b", "a"]
    for wrong in ([], [""], [str(n) for n in range(bulk.MOST + 1)]):
        with pytest.raises(Invalid):
            bulk.picked(wrong)
