"""Occurrences from a file: every fault names row, column and rule; whole or not at all; twice the same."""

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from campaign.events import event_file
from campaign.events.event_file import FilePlan, Ground
from campaign.events.models import OptionSeats
from core.cells import to_csv, to_xlsx
from core.errors import DomainError, Invalid
from institution.powers import Scope
from tests import factories
from tests.campaign.events import making
from tests.campaign.events.making import ZONE, all_of

HEADS = ["系列代号", "网点编号", "日期", "开始时间", "时长", "主题", "名额", "地点"]
GOOD = ["tuesday", factories.OUTLET_A, "2026-11-05", "14:00", "45", "加场", "8", "二楼"]


@pytest.fixture
def ground(session: Session, now: datetime) -> Ground:
    factories.tree(session, now)
    one = making.tuesdays(session, now, questions="组别\n- 早 = 1")
    hers = making.tuesdays(session, now, "class", **making.ONLINE)
    return Ground({one.code: one, hers.code: hers}, Scope(frozenset({factories.PROVINCE})), ZONE, now)


def read(session: Session, ground: Ground, *rows: list[str]) -> FilePlan:
    return event_file.read(session, to_csv(HEADS, rows), ground)


@pytest.mark.parametrize("write", [to_csv, to_xlsx])
def test_a_good_file_is_applied_once(session: Session, ground: Ground, write: object) -> None:
    data = write(HEADS, [GOOD, ["class", "", "2026-11-06", "", "", "", "", ""]])  # type: ignore[operator]
    plan = event_file.read(session, data, ground)
    assert (plan.rows, len(plan.ready), plan.there, list(plan.faults)) == (2, 2, 0, [])
    assert event_file.apply(session, plan) == 2
    (made,) = all_of(session, ground.series["tuesday"])
    assert made.starts_at.astimezone(ZONE).strftime("%m-%d %H:%M") == "11-05 14:00"
    assert (made.topic, made.capacity, made.place, made.outlet_code) == (
        "加场",
        8,
        "二楼",
        factories.OUTLET_A,
    )
    again = event_file.read(session, data, ground)
    assert (len(again.ready), again.there, event_file.apply(session, again)) == (0, 2, 0)


@pytest.mark.parametrize(
    ("place", "value", "column"),
    [
        (0, "nothing", "系列代号"), (1, factories.OUTSIDE_OUTLET, "网点编号"), (1, "", "网点编号"), (1, factories.COUNTY, "网点编号"),
        (2, "5.11.26", "日期"), (2, "2026-01-01", "日期"), (3, "2 pm", "开始时间"), (4, "9999", "时长"), (6, "viele", "名额"),
        (5, "长" * 121, "主题"), (7, "长" * 121, "地点"),
    ],
)  # fmt: skip
def test_a_fault_names_row_and_column_and_nothing_is_applied(
    session: Session, ground: Ground, place: int, value: str, column: str
) -> None:
    bad = [*GOOD[:place], value, *GOOD[place + 1 :]]
    plan = read(session, ground, GOOD, bad)
    assert [(one.row, one.column) for one in plan.faults] == [(3, column)]
    assert plan.faults[0].rule
    with pytest.raises(Invalid):
        event_file.apply(session, plan)
    assert all_of(session, ground.series["tuesday"]) == []


def test_the_same_row_twice_is_a_fault(session: Session, ground: Ground) -> None:
    plan = read(session, ground, GOOD, GOOD)
    assert [(one.row, "2" in one.rule) for one in plan.faults] == [(3, True)]


def test_a_file_without_its_columns_says_which(session: Session, ground: Ground) -> None:
    with pytest.raises(Invalid) as refused:
        event_file.read(session, to_csv(["网点编号"], [["1"]]), ground)
    assert "系列代号" in str(refused.value) and "日期" in str(refused.value)


def test_the_example_of_the_template_is_read(session: Session, ground: Ground) -> None:
    heads, rows = event_file.template()
    plan = event_file.read(session, to_csv(heads, rows), ground)
    assert list(plan.faults) == [] and len(plan.ready) == 1


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(st.text(max_size=12), min_size=8, max_size=8), max_size=4))
def test_no_file_breaks_it(session: Session, ground: Ground, rows: list[list[str]]) -> None:
    try:
        plan = read(session, ground, *rows)
    except DomainError:
        return
    assert len(plan.faults) + len(plan.ready) + plan.there == plan.rows


def test_options_have_seats_in_what_was_imported(session: Session, ground: Ground) -> None:
    event_file.apply(session, read(session, ground, GOOD))
    (made,) = all_of(session, ground.series["tuesday"])
    (seats,) = session.exec(select(OptionSeats)).all()
    assert (seats.occurrence_id, seats.question, seats.option, seats.capacity) == (made.id, "q1", "o1", 1)
