"""The funnel: counts per step as somebody counts them one by one, rates over the steps that a channel has."""

from collections import Counter
from collections.abc import Callable
from datetime import date

import pytest

from core.database import Database
from core.errors import Invalid
from tests import factories
from tests.tracking.rows import event, heads, ship
from tracking import funnel, insight, sheets
from tracking.funnel import STEPS, Count
from tracking.insight_sheets import funnel_sheet
from tracking.periods import Period, compare
from tracking.reports import Ask, Line
from tracking.store import ReachStore

YEAR = compare(Period(date(2023, 1, 1), date(2023, 12, 31)), "year")


def steps(*counts: tuple[str, int, int], lacking: frozenset[str] = frozenset()) -> dict[str, Count]:
    lines = {kind: Line("", "", now, None, None, before) for kind, now, before in counts}
    return {one.kind: one for one in funnel.steps(lines, lacking)}


def test_rates_go_to_the_step_before_and_to_the_first() -> None:
    found = steps(("delivered", 200, 100), ("visited", 50, 20), ("engaged", 10, 10))
    assert (found["visited"].rate, found["visited"].rate_before, found["visited"].change) == (0.25, 0.2, 0.05)
    assert (found["engaged"].rate, found["engaged"].of_first) == (0.2, 0.05)
    assert found["delivered"].rate is None
    assert (found["completed"].now, found["completed"].rate, found["registered"].rate) == (0, 0.0, None)


def test_what_a_channel_cannot_do_has_no_number_and_is_passed_over() -> None:
    found = steps(("visited", 50, 20), ("engaged", 10, 10), lacking=funnel.LACKING["screen"])
    assert (found["delivered"].now, found["delivered"].rate) == (None, None)
    assert found["visited"].rate is None, "the first step that a screen has"
    assert found["engaged"].of_first == 0.2
    assert found["attended"].now is None
    odd = steps(("delivered", 3, 0), lacking=funnel.LACKING["screen"])
    assert odd["delivered"].now == 3, "what was counted is shown even if nobody expected it"


def test_one_person_may_come_more_than_once() -> None:
    assert steps(("delivered", 10, 0), ("visited", 30, 0))["visited"].rate == 3.0


@pytest.fixture
def told(store: ReachStore, database: Database, now: object) -> ReachStore:
    with database.transaction() as session:
        factories.tree(session, now)  # type: ignore[arg-type]
    ship(store, "seg-1", STREAM)
    return store


STREAM = [
    *(event("2023-03-01", "delivered", channel="sms", visitor=v, campaign="c", outlet="33010601") for v in range(1, 9)),
    *(event("2023-03-01", kind, channel="sms", visitor=v, campaign="c", outlet="33010601") for v in (1, 2, 3) for kind in ("visited", "engaged")),
    event("2023-03-02", "completed", channel="sms", visitor=1, campaign="c", outlet="33010601"),
    event("2023-03-02", "visited", channel="screen", visitor=9),
    event("2023-03-02", "shared", channel="screen", visitor=9),
    event("2023-03-04", "registered", channel="web", visitor=4, campaign="d", outlet="51010401"),
    heads("2023-03-05", 12, channel="outlet", outlet="33010601"),
    heads("2023-03-05", -2, channel="outlet", outlet="33010601"),
    event("2022-03-01", "delivered", channel="sms", visitor=1, campaign="c", outlet="33010601"),
]  # fmt: skip


@pytest.mark.parametrize("by", ["channel", "campaign"])
def test_counts_are_those_of_the_rows(told: ReachStore, database: Database, by: str) -> None:
    with database.reading() as session:
        found = insight.funnelled(told, session, Ask(YEAR, (by,)))
    picks: dict[int, Callable[[Count], int | None]] = {
        2023: lambda one: one.now,
        2022: lambda one: one.before,
    }
    for year, pick in picks.items():
        wanted: Counter[tuple[str, str]] = Counter()
        for one in STREAM:
            if one.day.year == year and one.kind in STEPS:
                wanted[getattr(one, by), one.kind] += one.quantity
        counted = {(row.key, one.kind): pick(one) for row in found.rows for one in row.steps if pick(one)}
        assert counted == dict(wanted)
        total: Counter[str] = Counter()
        for (_key, kind), number in wanted.items():
            total[kind] += number
        assert {one.kind: pick(one) for one in found.total.steps if pick(one)} == dict(total)


def test_a_part_of_the_tree_and_a_campaign(told: ReachStore, database: Database) -> None:
    with database.reading() as session:
        ask = Ask(YEAR, ("channel",), factories.PROVINCE, (("campaign", ("c",)),))
        found = insight.funnelled(told, session, ask)
        with pytest.raises(Invalid):
            insight.funnelled(told, session, Ask(YEAR, ("month",)))
    assert [(row.key, row.steps[0].now, row.steps[1].rate) for row in found.rows] == [("sms", 8, 0.375)]
    text = sheets.as_table(funnel_sheet(found)).decode()
    assert "不是同一批人" in text and "送达" in text
