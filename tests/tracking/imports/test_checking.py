"""The dry run: each rule names row and column, values are read as people write them, sums are kept by keys."""

import random
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from core.cells import to_csv, to_xlsx
from core.database import Database
from core.errors import Invalid
from institution.powers import WHOLE
from tests import factories
from tests.tracking.imports import cast
from tests.tracking.imports.cast import SCREENS, TODAY, csv
from tracking import dimensions
from tracking.imports import checking, mapping, sources, table
from tracking.imports.checking import Checked, parsed_day
from tracking.imports.fields import COUNT, KIND, RECEIPT
from tracking.imports.known import Known
from tracking.imports.lines import Keys, Line


@pytest.fixture
def session(database: Database) -> Any:
    with database.transaction() as session:
        cast.keys(session)
        yield session


def look(
    session: Session, data: bytes, source: str = "screens", place: str = WHOLE, **constants: str
) -> Checked:
    found = table.read(data)
    columns = mapping.guess(sources.get(source), found.headings)
    columns = replace(columns, constants={**columns.constants, **constants})
    assert list(columns.faults()) == []
    return checking.check(found, columns, Known.read(session, place), TODAY)


def faults(done: Checked) -> list[tuple[int, str, str]]:
    return [(one.row, one.column, one.sentence) for one in done.faults]


def test_good_rows_become_lines_by_kind(session: Session) -> None:
    done = look(session, csv(*SCREENS))
    assert done.faults == []
    a, b = factories.OUTLET_A, factories.OUTLET_B
    day, after = date(2026, 9, 15), date(2026, 9, 16)
    assert done.lines == [
        Line(Keys(day, "completed", a, "screen", "", "full-surrender"), 31),
        Line(Keys(day, "completed", b, "screen", "", "ai-voice"), 20),
        Line(Keys(day, "visited", a, "screen", "", "full-surrender"), 64),
        Line(Keys(day, "visited", b, "screen", "", "ai-voice"), 52),
        Line(Keys(after, "visited", a, "screen", "", "full-surrender"), 7),
    ]
    assert (done.rows, done.skipped, done.quantity) == (3, 0, 174)


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        ("2026-13-01,33010601,full-surrender,1,1", "日期", "不是日期"),
        ("2026-09-21,33010601,full-surrender,1,1", "日期", "还没有到"),
        ("1999-12-31,33010601,full-surrender,1,1", "日期", "太早"),
        (",33010601,full-surrender,1,1", "日期", "不是日期"),
        ("2026-09-15,99999999,full-surrender,1,1", "网点编号", "没有叫“99999999”的网点"),
        ("2026-09-15,33010601,no-such-piece,1,1", "内容", "没有叫“no-such-piece”的内容"),
        ("2026-09-15,33010601,ai-voice,-3,1", "点播次数", "不能是负数"),
        ("2026-09-15,33010601,ai-voice,3.5,1", "点播次数", "不是整数"),
        ("2026-09-15,33010601,ai-voice,三,1", "点播次数", "不是整数"),
        ("2026-09-15,33010601,ai-voice,99999999999,1", "点播次数", "太大"),
        ("2026-09-15,33010601,ai-voice,1,13812345678", "看完次数", "手机号"),
        ("2026-09-15,33010601,full-surrender,9,9", "", "与第 2 行重复"),
    ],
)
def test_each_rule_names_its_row_and_column(session: Session, row: str, column: str, rule: str) -> None:
    done = look(session, csv(*SCREENS, row))
    ((number, heading, sentence),) = faults(done)
    assert (number, heading) == (5, column)
    assert rule in sentence


def test_every_bad_row_is_reported_not_only_the_first(session: Session) -> None:
    done = look(session, csv(*SCREENS, "x,33010601,,1,", "2026-09-14,nowhere,,1,", "2026-13-14,no,no,-1,x"))
    assert [(row, column) for row, column, _rule in faults(done)] == [
        (5, "日期"), (6, "网点编号"), *((7, column) for column in ("日期", "网点编号", "内容", "点播次数", "看完次数")),
    ]  # fmt: skip


def test_a_branch_takes_only_its_own_outlets_and_names_one_for_each_row(session: Session) -> None:
    rows = (SCREENS[0], f"2026-09-15,{factories.OUTLET_A},,1,", f"2026-09-15,{factories.OUTSIDE_OUTLET},,1,", "2026-09-15,,,1,")  # fmt: skip
    done = look(session, csv(*rows), place=factories.PROVINCE)
    said = faults(done)
    assert [(row, column) for row, column, _rule in said] == [(3, "网点编号"), (4, "网点编号")]
    assert "不在这次导入所属的机构里" in said[0][2] and "总部线上" in said[1][2]
    assert look(session, csv(*rows)).faults == []


def test_constants_fill_what_the_file_lacks_and_are_checked_too(session: Session) -> None:
    data = csv("日期,阅读次数,分享次数", "2026-09-15,1520,86")
    done = look(session, data, "wechat", campaign="金融教育宣传月", piece="ai-voice", audience="老年人")
    assert {
        (one.keys.campaign, one.keys.piece, one.keys.channel, one.keys.audience) for one in done.lines
    } == {("month-2026", "ai-voice", "wechat", "elders")}
    ((row, column, rule),) = faults(look(session, data, "wechat", campaign="nope"))
    assert (row, column) == (2, "") and "没有叫“nope”的活动期" in rule


def test_one_receipt_a_row_counts_once_and_only_if_it_arrived(session: Session) -> None:
    rows = ["回执编号,接收时间,状态,网点"]
    rows += [f"r{n},2026-09-15 10:{n:02d}:00,DELIVRD,{factories.OUTLET_A}" for n in range(5)]
    rows += [f"f{n},2026-09-15 11:00:00,UNDELIV,{factories.OUTLET_A}" for n in range(2)]
    done = look(session, csv(*rows), "sms")
    assert done.faults == []
    assert [(one.keys.kind, one.quantity) for one in done.lines] == [("delivered", 5)]
    assert done.skipped == 2
    ((row, column, rule),) = faults(look(session, csv(*rows, rows[1]), "sms"))
    assert (row, column, rule) == (9, "回执编号", "与第 2 行重复。")


def test_rows_that_differ_in_a_column_nobody_imports_are_no_duplicates(session: Session) -> None:
    done = look(
        session, csv("直播日期,主题,观看人次", "2026-09-15,上午场,10", "2026-09-15,下午场,10"), "livestream"
    )
    assert (done.faults, done.quantity) == ([], 20)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-09-15", date(2026, 9, 15)), ("2026/9/5", date(2026, 9, 5)), ("20260915", date(2026, 9, 15)),
        ("2026年9月15日", date(2026, 9, 15)), ("2026.9.15", date(2026, 9, 15)), ("46280", date(2026, 9, 15)),
        ("2026-09-15 10:30:00", date(2026, 9, 15)), ("2026-09-15T10:30:00+08:00", date(2026, 9, 15)),
        ("2026-2-29", None), ("9/15/2026", None), ("2026115", None), ("", None), ("今天", None),
    ],
)  # fmt: skip
def test_days_are_read_as_people_and_spreadsheets_write_them(text: str, day: date | None) -> None:
    assert parsed_day(text) == day


def test_numbers_with_commas_and_dashes_for_nothing(session: Session) -> None:
    data = to_xlsx(("日期", "阅读次数", "分享次数"), [("2026-09-15", "12,345", "—"), ("2026-09-16", 7, "")])
    done = look(session, data, "wechat")
    assert [one.quantity for one in done.lines] == [12345, 7]


def test_the_same_cells_are_the_same_table_in_any_format() -> None:
    rows = [row.split(",") for row in SCREENS]
    comma, book = csv(*SCREENS), to_xlsx(rows[0], rows[1:])
    chinese = "\r\n".join(SCREENS).encode("gb18030")
    assert len({table.read(data).hash for data in (comma, book, chinese)}) == 1
    assert table.read(csv(*SCREENS[:-1])).hash != table.read(comma).hash


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", "日期,数量\n".encode(), b"PK\x03\x04broken", b"\xff\xfea\x00"]
)
def test_a_file_without_rows_or_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        table.read(data)


@pytest.mark.parametrize("source", sources.SOURCES)
def test_the_sample_of_each_source_is_understood_without_a_click(session: Session, source: str) -> None:
    head, *rows = sources.get(source).sample
    session_keys = {"human-help": "服务指南"}
    for key, name in session_keys.items():
        dimensions.describe(session, "piece", key, name)
    done = look(session, csv(",".join(head), *(",".join(row) for row in rows)), source)
    assert done.faults == []
    assert done.rows == len(rows) and done.quantity > 0 and done.skipped == 0


def test_english_headings_are_understood() -> None:
    found = mapping.guess(sources.WECHAT, ["ref_date", "title", "int_page_read_count", "int_page_read_user", "share_count"])  # fmt: skip
    assert found.fields == ("day", "piece", COUNT + "visited", "", COUNT + "shared")
    sms = mapping.guess(sources.SMS, ["BizId", "Send_Date", "Status", "Template"])
    assert sms.fields == (RECEIPT, "day", "status", "")


def test_a_mapping_says_what_it_lacks() -> None:
    headings = ("日期", "数")
    assert list(mapping.typed(headings, ("day", "quantity"), {KIND: "visited"}).faults()) == []
    assert len(list(mapping.typed(headings, ("day", "quantity"), {}).faults())) == 1
    assert len(list(mapping.typed(headings, ("", ""), {}).faults())) == 3
    assert len(list(mapping.typed(headings, ("day", "day"), {KIND: "visited"}).faults())) == 2
    with pytest.raises(Invalid):
        mapping.typed(headings, ("day", "nonsense"), {})
    with pytest.raises(Invalid):
        mapping.typed(headings, ("day",), {})


def test_a_hundred_thousand_rows_are_checked_in_seconds(session: Session) -> None:
    chance = random.Random(1)
    outlets = (factories.OUTLET_A, factories.OUTLET_B, factories.OUTSIDE_OUTLET)
    rows = ["日期,网点编号,内容,点播次数,看完次数"]
    for number in range(100_000):
        day = date.fromordinal(date(2026, 1, 1).toordinal() + number % 250)
        rows.append(f"{day},{chance.choice(outlets)},,{number % 90},{number % 7}")
    data = ("\n".join(f"{row},{number}" for number, row in enumerate(rows))).encode()
    started = time.process_time()
    done = look(session, data)
    assert done.faults == [] and done.rows == 100_000
    assert time.process_time() - started < 8


def test_the_starter_files_are_the_templates() -> None:
    folder = Path(__file__).resolve().parents[3] / "webapp" / "starter" / "imports"
    for key, source in sources.SOURCES.items():
        head, *rows = source.sample
        assert (folder / f"{key}.csv").read_bytes() == to_csv(head, rows)
