"""Targets: set, imported, split so that they add up, and their pace by last year's curve; annotations."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from core.cells import to_csv, to_xlsx
from core.database import Database
from core.errors import DomainError, Invalid, NotFound
from institution.audit_models import AuditRecord
from tests import factories
from tests.tracking.rows import event, heads, ship
from tracking import annotations, attainment, definition, target_files, targets
from tracking.attainment import so_far
from tracking.periods import Period, named
from tracking.store import ReachStore
from tracking.targets import Aim, divided

TREE: Mapping[str, Sequence[str]] = {"H": ("P", "Q"), "P": ("a", "b"), "Q": ("c",), "c": ()}


@given(
    st.integers(1, 10**9),
    st.dictionaries(st.sampled_from(["H", "P", "Q", "a", "b", "c"]), st.integers(-5, 10**6)),
)
def test_splitting_adds_up_at_every_level(value: int, weights: dict[str, int]) -> None:
    found = {
        code: (weight, part) for code, weight, part, _depth in divided(value, "H", TREE, weights, deep=True)
    }
    assert found["P"][1] + found["Q"][1] == value
    assert found["a"][1] + found["b"][1] == found["P"][1]
    assert found["c"][1] == found["Q"][1]
    assert found["P"][0] == sum(max(0, weights.get(code, 0)) for code in ("P", "a", "b"))
    assert [code for code, *_rest in divided(value, "H", TREE, weights, deep=False)] == ["P", "Q"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("120000", 120_000),
        ("120,000", 120_000),
        ("12万", 120_000),
        ("1.2亿", 120_000_000),
        (" 3.5 万 ", 35_000),
    ],
)
def test_numbers_as_people_write_them(text: str, value: int) -> None:
    assert targets.number(text) == value


@pytest.mark.parametrize("text", ["", "-3", "zwölf", "1.5", "1.23456万", "1e9", "٣", "1.2.3万", "."])
def test_what_is_no_number_is_said(text: str) -> None:
    with pytest.raises(Invalid):
        targets.number(text)


@given(st.sampled_from(["2024", "2024-Q1", "2024-Q4", "2024-02", "2024-02-10/2024-03-01"]))
def test_periods_come_back_as_they_were_written(text: str) -> None:
    assert targets.period_text(targets.period_of(text)) == text


def test_the_pace_goes_by_the_same_dates_or_the_same_share_of_days() -> None:
    year = named("2024")
    assert so_far(year, named("2023"), date(2024, 2, 29)) == Period(date(2023, 1, 1), date(2023, 2, 28))
    assert so_far(named("2025"), named("2024"), date(2025, 2, 28)) == Period(
        date(2024, 1, 1), date(2024, 2, 29)
    )
    week, month = Period(date(2023, 9, 1), date(2023, 9, 7)), Period(date(2022, 9, 1), date(2022, 9, 30))
    assert so_far(week, month, date(2023, 9, 1)).days == 5, "one day of seven is 30/7, rounded up"
    assert so_far(week, month, date(2023, 9, 30)) == month


@pytest.fixture
def told(store: ReachStore, database: Database, now: datetime) -> ReachStore:
    """Last year 100 in Zhejiang (a quarter of it by March) and 300 in Sichuan; this year 40 so far."""
    with database.transaction() as session:
        factories.tree(session, now)
    ship(
        store,
        "seg-1",
        [
            heads("2022-03-01", 25, outlet=factories.OUTLET_A),
            heads("2022-09-01", 55, outlet=factories.OUTLET_A),
            heads("2022-09-02", 20, outlet=factories.OUTLET_B),
            heads("2022-09-02", 300, outlet=factories.OUTSIDE_OUTLET),
            heads("2023-03-01", 40, outlet=factories.OUTLET_A, campaign="c"),
        ],
    )
    return store


def put(session: Session, code: str, value: int, now: datetime, period: str = "2023", **more: str) -> int:
    aim = Aim(code, named(period), more.get("measure", "gross"), value, more.get("campaign", ""))
    return targets.put(session, aim, by=None, now=now).id or 0


def test_attainment_and_pace(told: ReachStore, database: Database, now: datetime) -> None:
    with database.transaction() as session:
        row = targets.get(session, put(session, factories.PROVINCE, 200, now))
        found = attainment.standing(told, session, row, factories.PROVINCE, date(2023, 4, 1))
        own = found.own
        assert (own.actual, own.value, own.attained, own.last_year) == (40, 200, 0.2, 100)
        assert (own.expected, own.due, own.ahead) == (0.25, 50, -0.2), (
            "a quarter had come by March, not a linear one"
        )
        assert found.until == date(2023, 3, 31)
        whole = attainment.standing(told, session, row, factories.HEAD_OFFICE, date(2023, 4, 1))
        by_code = {one.code: one for one in whole.children}
        assert (
            by_code[factories.PROVINCE].target is row and by_code[factories.OUTSIDE_PROVINCE].target is None
        )
        assert (whole.own.last_year, whole.set_below) == (400, 200)
        early = attainment.standing(told, session, row, factories.PROVINCE, date(2022, 12, 1))
        assert (early.until, early.own.actual, early.own.expected) == (None, 0, 0.0)


def test_without_last_year_there_is_no_pace(told: ReachStore, database: Database, now: datetime) -> None:
    with database.transaction() as session:
        row = targets.get(session, put(session, factories.PROVINCE, 10, now, campaign="c"))
        own = attainment.standing(told, session, row, factories.PROVINCE, date(2023, 4, 1)).own
    assert (own.actual, own.attained, own.expected, own.due, own.ahead) == (40, 4.0, None, None, None)


def test_a_target_is_split_by_last_year(told: ReachStore, database: Database, now: datetime) -> None:
    with database.transaction() as session:
        number = put(session, factories.HEAD_OFFICE, 1_001, now)
        row = targets.get(session, number)
        parts = attainment.parts(told, session, row, deep=True)
        assert targets.split(session, row, parts, by=None, now=now) == len(
            [one for one in parts if one.value]
        )
        again = targets.same_aim(session, row, [one.code for one in parts])
        assert again[factories.PROVINCE].value == 250 and again[factories.OUTSIDE_PROVINCE].value == 751
        assert again[factories.OUTLET_A].value + again[factories.OUTLET_B].value == 250
        assert again[factories.OUTLET_A].origin == "split"
    with database.reading() as session:
        records = session.exec(select(AuditRecord).where(AuditRecord.action == "target.split")).all()
        assert [one.after[factories.PROVINCE] for one in records if one.after] == [250]


def test_people_are_not_split_and_leaves_have_nothing_below(
    told: ReachStore, database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        for number in (
            put(session, factories.PROVINCE, 9, now, measure="people"),
            put(session, factories.OUTLET_A, 9, now),
        ):
            with pytest.raises(Invalid):
                attainment.parts(told, session, targets.get(session, number), deep=False)


def test_one_target_for_one_aim(told: ReachStore, database: Database, now: datetime) -> None:
    with database.transaction() as session:
        first, second = put(session, factories.CITY, 5, now), put(session, factories.CITY, 7, now)
        assert first == second and targets.get(session, first).value == 7
        targets.remove(session, first)
        with pytest.raises(NotFound):
            targets.get(session, first)


HEAD = ["机构编号", "时间", "指标", "目标", "备注"]


@pytest.mark.parametrize("write", [to_csv, to_xlsx])
def test_files_are_read_whole(told: ReachStore, database: Database, now: datetime, write: object) -> None:
    rows = [[factories.CITY, "2023", "", "1万", "x"], [factories.COUNTY, "2023-Q1", "去重人次", 300, ""]]
    data = write(HEAD, rows)  # type: ignore[operator]
    with database.transaction() as session:
        planned = target_files.plan(session, data, lambda _above: True)
        assert not planned.faults
        targets.put_all(session, [aim for aim, _old in planned.changes], by=None, now=now)
        again = target_files.plan(session, data, lambda _above: True)
        assert (len(again.changes), again.same) == (0, 2)
        assert {(one.outlet_code, one.value, one.origin) for one in targets.kept(session)} == {
            (factories.CITY, 10_000, "import"),
            (factories.COUNTY, 300, "import"),
        }


def test_faults_name_row_column_and_rule(told: ReachStore, database: Database) -> None:
    rows = [
        ["nowhere", "2023", "", 5, ""],
        [factories.CITY, "23", "", 5, ""],
        [factories.CITY, "2023", "热度", 0, ""],
        [factories.CITY, "2023", "", 0, ""],
        [factories.CITY, "2023", "", 5, ""],
        [factories.CITY, "2023", "gross", 6, ""],
        [factories.OUTSIDE_PROVINCE, "2023", "", 6, ""],
    ]
    with database.reading() as session:
        inside = {factories.PROVINCE, factories.CITY, factories.COUNTY}
        planned = target_files.plan(session, to_csv(HEAD, rows), lambda above: above in inside)
    lines = [fault.line() for fault in planned.faults]
    assert [line.split("：")[0] for line in lines] == [
        "第 2 行“机构编号”", "第 3 行“时间”", "第 4 行“指标”", "第 5 行“目标”", "第 7 行“机构编号”", "第 8 行“机构编号”",
    ]  # fmt: skip
    assert lines[0].replace("nowhere", "?") == lines[-1].replace(factories.OUTSIDE_PROVINCE, "?").replace(
        "8", "2", 1
    )
    with database.reading() as session, pytest.raises(DomainError, match="缺少"):
        target_files.plan(session, to_csv(["机构编号"], [["1"]]), lambda _above: True)


def test_notes_of_a_node_and_all_above_it(told: ReachStore, database: Database, now: datetime) -> None:
    with database.transaction() as session:
        for code, text in (("", "全部"), (factories.PROVINCE, "浙江"), (factories.OUTSIDE_PROVINCE, "四川")):
            annotations.add(
                session, outlet_code=code, kind="outage", first=date(2023, 3, 1), last=None, text=text, by=None, now=now
            )  # fmt: skip
        definition.adopt(
            session, id="2023-2", valid_from=date(2023, 7, 1), kinds=["visited"], head_counts=[], now=now
        )
        found = annotations.over(session, told, named("2023"), factories.OUTLET_A)
        assert [(one.kind, one.text) for one in found if one.kind != "campaign"] == [
            ("outage", "全部"), ("outage", "浙江"), ("definition", "触达定义改为 2023-2（访问）"),
        ]  # fmt: skip
        assert [(one.text, one.id) for one in found if one.kind == "campaign"] == [("c", None)]
        outside = annotations.over(session, told, named("2023"), factories.OUTSIDE_PROVINCE)
        assert "c" not in {one.text for one in outside}, "another part's campaign is nobody else's"
        assert annotations.over(session, told, named("2022")) == []
        with pytest.raises(Invalid):
            annotations.add(
                session,
                outlet_code="",
                kind="x",
                first=date(2023, 1, 1),
                last=None,
                text="t",
                by=None,
                now=now,
            )


def test_a_visit_counts_toward_deduplicated_targets(
    told: ReachStore, database: Database, now: datetime
) -> None:
    ship(told, "seg-2", [event("2023-03-02", outlet=factories.OUTLET_A, visitor=7, hour=h) for h in (1, 2)])
    with database.transaction() as session:
        rows = [
            targets.get(session, put(session, factories.CITY, 50, now, measure=one))
            for one in targets.MEASURES
        ]
        found = [
            attainment.standing(told, session, row, factories.CITY, date(2024, 1, 1)).own for row in rows
        ]
    assert [one.actual for one in found] == [42, 41, 1]
