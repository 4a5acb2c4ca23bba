"""A closed day is integers, an open one is raw; either way the answer is the same."""

from datetime import date

import pytest

from tests.tracking.rows import event, heads, ship
from tracking import measure, rollups, sketches, snapshot
from tracking.definition import FIRST, Definition
from tracking.dimensions import Tree
from tracking.measure import Figures
from tracking.periods import Period, named
from tracking.question import Question
from tracking.store import ReachStore

YEAR = named("2023")
NOBODY = Tree({})
LATER = date(2024, 2, 1)


def total(store: ReachStore, period: Period = YEAR, definition: Definition = FIRST) -> Figures:
    return measure.measure(
        store, NOBODY, Question(("outlet",)), period, definition, snapshot=snapshot.take(store, definition)
    ).total


def open_days(store: ReachStore, definition: Definition = FIRST) -> list[date]:
    return rollups.open_days(store, YEAR.first, YEAR.last, definition)


@pytest.fixture
def shipped(store: ReachStore) -> ReachStore:
    """Three visitors on two days, one of them twice; an activity with a correction; one without an id."""
    ship(
        store,
        "seg-1",
        [
            event("2023-03-15", "delivered", visitor=1, piece="p", campaign="315"),
            event("2023-03-15", "visited", visitor=1, piece="p", hour=5),
            event("2023-03-15", visitor=2, piece="p"),
            event("2023-03-16", visitor=3, piece="p"),
            event("2023-03-16", visitor=0, piece="p"),
            event("2023-03-16", "engaged", visitor=3, piece="p"),
            heads("2023-03-16", 40, outlet="11010501", channel="outlet"),
            heads("2023-03-16", -5, outlet="11010501", channel="outlet"),
        ],
    )
    return store


EXPECTED = Figures(gross=5 + 35, deduplicated=3 + 35, people=3)


def test_an_open_day_is_answered_from_raw(shipped: ReachStore) -> None:
    assert open_days(shipped) == [date(2023, 3, 15), date(2023, 3, 16)]
    assert total(shipped) == EXPECTED


def test_a_closed_day_gives_the_same_from_its_roll_up(shipped: ReachStore) -> None:
    assert rollups.close_days(shipped, LATER) == 2
    assert open_days(shipped) == []
    assert sketches.close(shipped, LATER) == 2, "March, and the year"
    assert total(shipped) == EXPECTED
    # The proof that it is read from there: without the raw rows it is still known.
    shipped.command("TRUNCATE TABLE reach_event")
    assert total(shipped) == EXPECTED


def test_today_stays_open(shipped: ReachStore) -> None:
    assert rollups.close_days(shipped, date(2023, 3, 16)) == 1
    assert open_days(shipped) == [date(2023, 3, 16)]
    assert sketches.close(shipped, date(2023, 3, 31)) == 0
    assert total(shipped) == EXPECTED


def test_a_late_event_opens_its_day_again_and_closing_counts_it(shipped: ReachStore) -> None:
    rollups.close_days(shipped, LATER)
    sketches.close(shipped, LATER)
    ship(shipped, "seg-2", [event("2023-03-15", visitor=9, piece="p")])
    late = Figures(EXPECTED.gross + 1, 3 + 35 + 1, 3 + 1)
    assert open_days(shipped) == [date(2023, 3, 15)]
    assert total(shipped) == late
    assert rollups.close_days(shipped, LATER) == 1
    assert sketches.close(shipped, LATER) == 2
    assert open_days(shipped) == []
    assert total(shipped) == late


def test_closing_twice_does_nothing(shipped: ReachStore) -> None:
    rollups.close_days(shipped, LATER)
    sketches.close(shipped, LATER)
    assert rollups.close_days(shipped, LATER) == 0
    assert sketches.close(shipped, LATER) == 0


def test_a_crash_between_roll_up_and_entry_leaves_the_day_open(shipped: ReachStore) -> None:
    rollups.close_days(shipped, LATER)
    # What a kill leaves behind: the day marked open, its roll-up half there.
    shipped.insert(
        "reach_closed", ("day", "version", "rows", "definition"), [(date(2023, 3, 15), 2**63, -1, FIRST.id)]
    )
    assert open_days(shipped) == [date(2023, 3, 15)]
    assert total(shipped) == EXPECTED


def test_a_rebuild_gives_the_same(shipped: ReachStore) -> None:
    rollups.close_days(shipped, LATER)
    shipped.empty("reach_daily")
    assert total(shipped).gross == 0, "the control: the roll-up is what is read"
    assert rollups.rebuild(shipped, LATER) == 2
    assert total(shipped) == EXPECTED


def test_another_definition_is_not_answered_from_this_ones_roll_ups(shipped: ReachStore) -> None:
    rollups.close_days(shipped, LATER)
    sketches.close(shipped, LATER)
    attended = Definition("2030-1", date(2030, 1, 1), ("attended",), ("offline",))
    assert total(shipped, definition=attended) == Figures(35, 35, 0)


def test_a_visit_that_was_taken_back_counts_no_more(store: ReachStore) -> None:
    ship(
        store, "seg-1", [event("2023-03-15", visitor=1), event("2023-03-15", visitor=1, quantity=-1, hour=5)]
    )
    assert total(store) == Figures(0, 0, 1)
    rollups.close_days(store, LATER)
    assert total(store) == Figures(0, 0, 1)


def test_periods_that_cut_months_take_the_rest_from_raw(shipped: ReachStore) -> None:
    ship(shipped, "seg-2", [event("2023-04-01", visitor=8), event("2023-02-28", visitor=7)])
    rollups.close_days(shipped, LATER)
    sketches.close(shipped, LATER)
    assert total(shipped, Period(date(2023, 2, 28), date(2023, 3, 31))).people == 4
    assert total(shipped, Period(date(2023, 3, 16), date(2023, 4, 30))).people == 2
    assert total(shipped, Period(date(2023, 3, 1), date(2023, 4, 1))).people == 4
