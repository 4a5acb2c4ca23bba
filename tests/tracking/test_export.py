"""Files of reports: one and two groupings, typed cells, what was asked beside them, no formulas, bounded."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import load_workbook

from core.database import Database
from core.errors import Invalid
from core.i18n import set_locale
from tests import factories
from tests.tracking.rows import event, ship
from tracking import export, reports
from tracking.measure import MOST_ROWS
from tracking.report_json import as_json
from tracking.reports import Line, Report
from tracking.store import ReachStore


@pytest.fixture
def told(store: ReachStore, database: Database, now: datetime) -> Iterator[ReachStore]:
    """Two outlets, two channels, two years."""
    with database.transaction() as session:
        factories.tree(session, now)
    a, b = factories.OUTLET_A, factories.OUTLET_B
    told = [("2022-03-15", a, "web", 1), ("2023-03-15", a, "web", 2), ("2023-03-16", b, "=1+1", 3)]
    ship(
        store,
        "s",
        [event(day, outlet=at, channel=by, visitor=v) for day, at, by, n in told for v in range(n)],
    )
    yield store


def ask(store: ReachStore, database: Database, by: str, **more: str) -> Report:
    given = {"first": "2023-03-01", "last": "2023-03-31", "compare": "year", **more}
    with database.reading() as session:
        return reports.report(store, session, reports.ask(by=by, **given))


def rows_of(written: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written.decode("utf-8-sig"))))


def test_columns_keep_their_places_and_new_ones_stand_to_the_right(
    told: ReachStore, database: Database
) -> None:
    one, two = (rows_of(export.as_csv(ask(told, database, by))) for by in ("outlet", "outlet,channel"))
    assert one[0][:7] == two[0][:7]
    assert one[0][7:] == ["上年同期去重人次", "去重增幅", "上年同期触达人数（估）", "人数增幅"]
    assert two[0][11:] == ["编号二", "名称二"]
    found = {(row[0], row[11]): row[2:7] for row in two[1:-1]}
    assert found[factories.OUTLET_A, "web"][:1] + found[factories.OUTLET_A, "web"][3:] == ["2", "1", "1.0"]
    assert (factories.OUTLET_B, "'=1+1") in found, "a key that is a formula is neutral"
    assert two[-1][1:3] == ["合计", "5"] and two[-1][11:] == ["", ""]


def test_against_the_period_before_the_base_is_called_so(told: ReachStore, database: Database) -> None:
    head = rows_of(export.as_csv(ask(told, database, "outlet", compare="previous")))[0]
    assert head[5] == "上期触达人次" and head[7] == "上期去重人次"


def sheets(report: Report) -> tuple[Any, dict[str, Any]]:
    rows, about = load_workbook(io.BytesIO(export.as_xlsx(report))).worksheets
    return rows, {str(row[0].value): row[1].value for row in about.iter_rows()}


def test_a_sheet_has_typed_cells_a_frozen_heading_and_a_total_without_formula(
    told: ReachStore, database: Database
) -> None:
    rows, about = sheets(ask(told, database, "day,channel", where="channel=web,=1+1"))
    assert rows.freeze_panes == "C2"
    body = [row for row in rows.iter_rows(min_row=2, max_row=rows.max_row - 1) if row[2].value]
    assert [row[0].value.date() for row in body] == [date(2023, 3, 15), date(2023, 3, 16)]
    assert {row[0].number_format for row in body} == {"yyyy-mm-dd"}
    assert {(row[2].data_type, row[2].number_format) for row in body} == {("n", "#,##0")}
    growth = body[0][6]
    assert (growth.value, growth.number_format) == (1.0, "0.0%")
    total = next(iter(rows.iter_rows(min_row=rows.max_row)))
    assert total[2].value == 5 == sum(row[2].value for row in body) and total[2].font.bold
    assert all(cell.data_type != "f" for row in rows.iter_rows() for cell in row)
    assert rows.column_dimensions["B"].width == 36
    assert about["开始日期"].date() == date(2023, 3, 1)
    assert about["比较结束日期"].date() == date(2022, 3, 31)
    assert about["分组"] == "日期 × 渠道" and about["只看渠道"] == "web，=1+1"
    assert about["触达定义"].startswith("2023-1") and about["剔除"] == "无"


def test_a_single_cell_of_filters_is_no_formula(told: ReachStore, database: Database) -> None:
    _rows, about = sheets(ask(told, database, "outlet", where="channel==1+1"))
    assert about["只看渠道"] == "'=1+1"


def test_all_forms_are_in_english_too(told: ReachStore, database: Database) -> None:
    report = ask(told, database, "outlet,channel")
    chinese = {label for label, _value in export.facts(report)} | {
        one.heading(report) for one in export.columns(report)
    }
    set_locale("en")
    english = {label for label, _value in export.facts(report)} | {
        one.heading(report) for one in export.columns(report)
    }
    assert not {text for text in english for letter in text if "\u4e00" <= letter <= "\u9fff"}, english
    assert len(english) == len(chinese)


def test_json_and_the_terminal_hold_both_groupings(told: ReachStore, database: Database) -> None:
    report = ask(told, database, "outlet,channel", where="campaign=a,b")
    assert as_json(report)["period"]["where"] == {"campaign": ["a", "b"]}
    report = ask(told, database, "outlet,channel")
    row = as_json(report)["rows"][0]
    assert {"key", "name", "key2", "name2"} <= row.keys()
    assert row["deduplicated_growth"] is None or isinstance(row["deduplicated_growth"], float)
    table = export.as_table(report).decode()
    assert "编号二" in table and "网站" in table


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_more_rows_than_anybody_reads_are_refused_and_not_cut(
    told: ReachStore, database: Database, form: str
) -> None:
    report = ask(told, database, "outlet")
    line = Line("k", "n", 1, 1, 1)
    with pytest.raises(Invalid, match="200,000"):
        export.FORMATS[form][0](replace(report, rows=(line,) * (MOST_ROWS + 1)))
