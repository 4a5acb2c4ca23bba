"""Reports: the shape, the base, the names of then, what was left out; and the files they become."""

import csv
import io
import json
from datetime import date, datetime

import pytest
from openpyxl import load_workbook

from core.database import Database
from core.errors import Invalid, NotFound
from tests import factories
from tests.tracking.rows import event, heads, ship
from tests.tracking.test_dimensions import move
from tracking import definition, dimensions, export, reports
from tracking.reports import Report, as_json
from tracking.store import ReachStore


def ask(
    store: ReachStore, database: Database, by: str = "outlet", compare: str = "year", **more: str
) -> Report:
    given = {"first": "2023-01-01", "last": "2023-12-31", **more}
    with database.reading() as session:
        return reports.report(store, session, reports.ask(by=by, compare=compare, **given))


@pytest.fixture
def told(store: ReachStore, database: Database, now: datetime) -> ReachStore:
    """The named tree; outlet A grows from 2 to 3, B from nothing to 1, the outsider shrinks from 4 to 0."""
    with database.transaction() as session:
        factories.tree(session, now)
    a, b, outsider = factories.OUTLET_A, factories.OUTLET_B, factories.OUTSIDE_OUTLET
    ship(
        store,
        "seg-1",
        [
            *(event("2022-03-15", outlet=a, visitor=v) for v in (1, 2)),
            *(event("2023-03-15", outlet=a, visitor=v) for v in (1, 2, 3)),
            event("2023-07-08", outlet=b, visitor=3, channel="wechat"),
            heads("2022-03-15", 4, outlet=outsider, channel="outlet"),
        ],
    )
    store.ship("drops-1", b"2023-03-15\tbot\t412\tr\n2023-04-01\tprefetch\t7\tr\n2022-01-01\tbot\t9\tr\n")
    return store


def test_the_json_has_exactly_the_agreed_shape(told: ReachStore, database: Database) -> None:
    found = as_json(ask(told, database))
    assert list(found) == ["definition", "period", "compared", "total", "rows"]
    assert found["total"] == {
        "gross": 4, "deduplicated": 4, "people": 3, "gross_before": 6, "growth": -0.333333,
    }  # fmt: skip
    assert found["rows"] == [
        {"key": factories.OUTLET_A, "name": "西湖文三路柜面", "gross": 3, "deduplicated": 3, "people": 3,
         "gross_before": 2, "growth": 0.5},
        {"key": factories.OUTLET_B, "name": "西湖古荡柜面", "gross": 1, "deduplicated": 1, "people": 1,
         "gross_before": 0, "growth": None},
        {"key": factories.OUTSIDE_OUTLET, "name": "锦江春熙路柜面", "gross": 0, "deduplicated": 0, "people": 0,
         "gross_before": 4, "growth": -1.0},
    ]  # fmt: skip
    assert found["definition"]["id"] == "2023-1"
    assert found["definition"]["gross"] == ["delivered", "visited", "attended"]
    assert found["period"]["from"] == "2023-01-01"
    assert found["period"]["dropped"] == {"bot": 412, "prefetch": 7}
    assert found["compared"]["from"] == "2022-01-01"
    json.dumps(found, allow_nan=False)


def test_without_a_comparison_there_is_no_base_and_no_growth(told: ReachStore, database: Database) -> None:
    found = as_json(ask(told, database, compare="none"))
    assert found["total"]["gross_before"] is None
    assert found["total"]["growth"] is None
    assert found["compared"] == {"mode": "none", "from": None, "to": None}
    assert [row["key"] for row in found["rows"]] == [factories.OUTLET_A, factories.OUTLET_B]


def test_branches_are_the_children_with_all_below(told: ReachStore, database: Database) -> None:
    top = ask(told, database, "branch")
    assert {line.key: (line.gross, line.gross_before) for line in top.rows} == {
        factories.PROVINCE: (4, 2),
        factories.OUTSIDE_PROVINCE: (0, 4),
    }
    assert top.rows[0].name == "浙江省分公司"
    below = ask(told, database, "branch", within=factories.PROVINCE)
    assert [(line.key, line.gross) for line in below.rows] == [(factories.CITY, 4)]
    assert below.within_name == "浙江省分公司"
    assert below.total == ask(told, database, "outlet", within=factories.PROVINCE).total
    with pytest.raises(NotFound):
        ask(told, database, within="999999")


def test_last_years_report_names_what_stood_then(told: ReachStore, database: Database) -> None:
    with database.transaction() as session:
        move(session, factories.OUTLET_A, date(2024, 5, 1), "改名后的柜面", factories.OUTSIDE_PROVINCE)
    of_2023 = ask(told, database)
    assert of_2023.rows[0].name == "西湖文三路柜面"
    assert ask(told, database, "branch").rows[0].gross == 4, "in 2023 it still belonged to Zhejiang"
    of_2024 = ask(told, database, first="2024-01-01", last="2024-12-31")
    assert of_2024.rows[0].name == "改名后的柜面"


def test_unknown_keys_and_the_head_office_have_rows(told: ReachStore, database: Database) -> None:
    ship(
        told,
        "seg-2",
        [event("2023-03-15", outlet="", visitor=5), event("2023-03-15", outlet="77", visitor=6)],
    )
    names = {line.key: line.name for line in ask(told, database).rows}
    assert names[""] == "总部线上"
    assert names["77"] == "77"
    assert {line.key for line in ask(told, database, "branch").rows} >= {"", "77"}


def test_months_stand_beside_last_years_months(told: ReachStore, database: Database) -> None:
    rows = ask(told, database, "month").rows
    assert [line.key for line in rows] == [f"2023-{month:02d}" for month in range(1, 13)]
    assert [(line.gross, line.gross_before) for line in rows if line.gross or line.gross_before] == [
        (3, 6),
        (1, 0),
    ]


def test_days_of_the_same_weekdays_stand_beside_each_other(told: ReachStore, database: Database) -> None:
    ship(told, "seg-2", [event("2022-03-16", visitor=9)])
    rows = ask(told, database, "day", "weekdays", first="2023-03-13", last="2023-03-19").rows
    found = {line.key: (line.gross, line.gross_before) for line in rows}
    assert len(found) == 7
    assert found["2023-03-15"] == (3, 1), "Wednesday with Wednesday: 16 March 2022"
    assert found["2023-03-14"] == (0, 6), "Tuesday with Tuesday: 15 March 2022"


def test_campaigns_of_different_length_show_averages_per_day(told: ReachStore, database: Database) -> None:
    found = ask(told, database, first="2023-03-15", last="2023-03-16", base="2022-03-14/2022-03-17")
    assert found.per_day == (1.5, 1.5)
    assert as_json(found)["compared"]["per_day"] == {"gross": 1.5, "gross_before": 1.5, "growth": 0.0}


def test_names_of_pieces_and_channels(told: ReachStore, database: Database) -> None:
    with database.transaction() as session:
        dimensions.describe(session, "piece", "p", "一篇内容")
    ship(told, "seg-2", [event("2023-03-15", piece="p", visitor=5)])
    assert {line.key: line.name for line in ask(told, database, "piece").rows}["p"] == "一篇内容"
    assert {line.name for line in ask(told, database, "channel").rows} == {"网站", "微信公众号", "柜面"}


def test_a_report_prints_the_definition_in_force_then(
    told: ReachStore, database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        definition.adopt(
            session,
            id="2026-1",
            valid_from=date(2026, 1, 1),
            kinds=["attended"],
            head_counts=["offline"],
            now=now,
        )
        with pytest.raises(Invalid):
            definition.adopt(
                session, id="x", valid_from=date(2027, 1, 1), kinds=["seen"], head_counts=[], now=now
            )
    assert ask(told, database).definition.id == "2023-1"
    later = ask(told, database, first="2026-01-01", last="2026-12-31")
    assert later.definition.id == "2026-1"
    assert "到场" in dict(export.facts(later))["触达定义"]


def test_questions_that_make_no_sense_are_refused() -> None:
    for wrong in (
        {"by": "colour"},
        {"by": "outlet,branch"},
        {"by": "month,month"},
        {"by": ""},
        {"where": "colour=red"},
        {"compare": "month"},
        {"first": "yesterday"},
        {"last": "2022-12-31"},
    ):
        given = {"first": "2023-01-01", "last": "2023-12-31", "by": "outlet", "compare": "year", **wrong}
        with pytest.raises(Invalid):
            reports.ask(**given)


def test_csv_is_for_spreadsheets_and_holds_no_formula(told: ReachStore, database: Database) -> None:
    ship(told, "seg-2", [event("2023-03-15", outlet='=HYPERLINK("http://x")', visitor=5)])
    written = export.as_csv(ask(told, database))
    assert written.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(written.decode("utf-8-sig"))))
    assert lines[0][:3] == ["编号", "名称", "触达人次"]
    assert lines[1] == [factories.OUTLET_A, "西湖文三路柜面", "3", "3", "3", "2", "0.5"]
    assert ['\'=HYPERLINK("http://x")'] * 2 in [line[:2] for line in lines]
    assert lines[-1][1:4] == ["合计", "5", "5"]


def test_xlsx_has_numbers_and_says_how_it_was_counted(told: ReachStore, database: Database) -> None:
    ship(told, "seg-2", [event("2023-03-15", outlet="=1+1", visitor=5)])
    book = load_workbook(io.BytesIO(export.as_xlsx(ask(told, database))))
    rows, about = book.worksheets
    first = next(rows.iter_rows(min_row=2, max_row=2))
    assert [cell.value for cell in first] == [factories.OUTLET_A, "西湖文三路柜面", 3, 3, 3, 2, 0.5]
    assert first[6].number_format == "0.0%"
    assert all(cell.data_type != "f" for row in rows.iter_rows() for cell in row)
    facts = {row[0]: row[1] for row in about.iter_rows(values_only=True)}
    assert facts["触达定义"] == "2023-1（送达＋访问＋到场）"
    assert facts["剔除"] == "机器访问 412，预先加载 7"


def test_the_table_shows_a_dash_where_there_is_no_base(told: ReachStore, database: Database) -> None:
    lines = export.as_table(ask(told, database)).decode().splitlines()
    of_b = next(line for line in lines if factories.OUTLET_B in line)
    assert of_b.split()[-2:] == ["0", "—"]
    assert "inf" not in "".join(lines)
