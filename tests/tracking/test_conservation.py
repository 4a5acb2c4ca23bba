"""Whatever arrives, in whatever order: every grouping adds up to the raw rows, and replaying changes nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tracking import rows
from tests.tracking.rows import event
from tracking import measure, rollups, sketches, snapshot
from tracking.definition import FIRST
from tracking.dimensions import Span, Tree
from tracking.events import KINDS, ReachEvent, to_line
from tracking.measure import Figures, Measured
from tracking.periods import Period
from tracking.question import Question
from tracking.schema import ROLLUPS
from tracking.store import ReachStore

FIRST_DAY = date(2023, 2, 20)
DAYS = 45
PERIOD = Period(FIRST_DAY, FIRST_DAY + timedelta(DAYS - 1))
MOVE = date(2023, 3, 10)


def span(first: date, name: str, kind: str, parent: str | None) -> Span:
    return Span(first, name, kind, parent)


OLD = date(1900, 1, 1)
TREE = Tree(
    {
        "H": (span(OLD, "总公司", "head_office", None),),
        "P": (span(OLD, "甲省", "province", "H"),),
        "Q": (span(OLD, "乙省", "province", "H"),),
        "a": (span(OLD, "甲一", "outlet", "P"),),
        "b": (span(OLD, "会搬的", "outlet", "P"), span(MOVE, "搬了的", "outlet", "Q")),
        "it's": (span(OLD, "带引号", "outlet", "Q"),),
    }
)
ZONE = timedelta(hours=8)
KEYS: dict[str, Callable[[ReachEvent], str]] = {
    "outlet": lambda one: one.outlet,
    "channel": lambda one: one.channel,
    "piece": lambda one: one.piece,
    "campaign": lambda one: one.campaign,
    "month": lambda one: one.day.isoformat()[:7],
    "day": lambda one: one.day.isoformat(),
    "branch": lambda one: TREE.branches("H", one.day).get(one.outlet, one.outlet),
    "county": lambda one: TREE.branches("H", one.day, "county").get(one.outlet, one.outlet),
    "audience": lambda one: one.audience,
    "place": lambda one: one.place,
    "year": lambda one: f"{one.day.year}",
    "quarter": lambda one: f"{one.day.year}-Q{(one.day.month + 2) // 3}",
    "week": lambda one: "{}-W{:02d}".format(*one.day.isocalendar()),
    "hour": lambda one: f"{(one.at + ZONE):%H}",
}
PAIRS = (
    ("outlet", "channel"), ("branch", "month"), ("channel", "day"), ("campaign", "piece"), ("month", "outlet"),
    ("place", "audience"), ("county", "week"), ("day", "hour"),
)  # fmt: skip


@st.composite
def events(draw: st.DrawFn) -> ReachEvent:
    day = FIRST_DAY + timedelta(draw(st.integers(0, DAYS - 1)))
    more: dict[str, Any] = {
        "hour": draw(st.integers(0, 15)),
        "outlet": draw(st.sampled_from(["a", "b", "it's", "H", "", "unknown"])),
        "channel": draw(st.sampled_from(["web", "wechat", ""])),
        "piece": draw(st.sampled_from(["p", "q", ""])),
        "campaign": draw(st.sampled_from(["315", ""])),
        "audience": draw(st.sampled_from(["elders", "", ""])),
        "place": draw(st.sampled_from(["village", "", ""])),
    }
    if draw(st.booleans()):
        quantity = draw(st.integers(-30, 200))
        return rows.heads(str(day), quantity, **more)
    visitor = draw(st.integers(0, 4))
    kind = draw(st.sampled_from(KINDS))
    return event(str(day), kind, visitor=visitor, quantity=draw(st.sampled_from([1, 1, 1, -1])), **more)


STREAMS = st.lists(st.lists(events(), max_size=12), min_size=1, max_size=4)


@pytest.fixture
def emptied(store: ReachStore) -> Callable[[], ReachStore]:
    """The store made empty again: one engine serves all examples."""

    def empty() -> ReachStore:
        for table in ("reach_event", "reach_counted", *ROLLUPS):
            store.empty(table)
        return store

    return empty


def check(store: ReachStore, stream: list[ReachEvent]) -> None:
    """Every grouping, and every pair, is what counting one by one gives, and adds up to the same."""
    raw = sum(one.quantity for one in stream if one.kind in FIRST.kinds)
    everybody = rows.unique(stream, lambda _one: ("all",)).get(("all",), 0)
    people = rows.people(stream, lambda _one: ("all",)).get(("all",), 0)
    for by in (*((one,) for one in KEYS), *PAIRS):
        key = partial(keyed, by)
        found = ask(store, Question(by))
        of = found.rows
        assert {name: f.gross for name, f in of.items() if f.gross} == rows.gross(stream, key), by
        assert {name: f.deduplicated for name, f in of.items() if f.deduplicated} == rows.unique(
            stream, key
        ), by
        assert {name: f.people for name, f in of.items() if f.people} == rows.people(stream, key), by
        assert found.total == Figures(raw, everybody, people), by
    kinds = ask(store, Question(("kind",)))
    assert {name: f.gross for name, f in kinds.rows.items() if f.gross} == rows.gross(
        stream, lambda one: (one.kind,)
    )
    assert kinds.total.gross == raw
    assert kinds.total.deduplicated is None


def keyed(by: tuple[str, ...], one: ReachEvent) -> tuple[str, ...]:
    return tuple(KEYS[name](one) for name in by)


def ask(store: ReachStore, question: Question) -> Measured:
    return measure.measure(store, TREE, question, PERIOD, FIRST, snapshot=snapshot.take(store, FIRST))


number = 0


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(segments=STREAMS, close_after=st.integers(0, 3), today=st.integers(0, DAYS + 40))
def test_every_grouping_adds_up_to_the_raw_rows(
    emptied: Callable[[], ReachStore], segments: list[list[ReachEvent]], close_after: int, today: int
) -> None:
    global number  # noqa: PLW0603  (segment names must differ between examples)
    store = emptied()
    seen: list[ReachEvent] = []
    names = []
    for place, drawn in enumerate(segments):
        number += 1
        # The visitor's first event decides the campaign, so no two may be at the same instant.
        segment = [
            replace(one, at=one.at + timedelta(milliseconds=len(seen) + n)) for n, one in enumerate(drawn)
        ]
        names.append((f"seg-{number}", b"".join(to_line(one) for one in segment)))
        store.ship(*names[-1])
        seen += segment
        if place == close_after:  # what comes after this is late
            rollups.close_days(store, FIRST_DAY + timedelta(today))
            sketches.close(store, FIRST_DAY + timedelta(today))
    check(store, seen)
    for name, lines in names:
        store.ship(name, lines)
    check(store, seen)
    rollups.close_days(store, FIRST_DAY + timedelta(DAYS))
    sketches.close(store, date(2024, 1, 1))
    check(store, seen)


def test_within_a_branch_the_children_add_up_to_it(store: ReachStore) -> None:
    stream = [
        event("2023-03-09", outlet="b", visitor=1),
        event("2023-03-10", outlet="b", visitor=1),
        event("2023-03-10", outlet="a", visitor=2),
        event("2023-03-10", outlet="", visitor=3),
        event("2023-03-10", outlet="unknown", visitor=4),
    ]
    rows.ship(store, "seg-1", stream)
    whole = ask(store, Question(("branch",)))
    for province in ("P", "Q"):
        part = ask(store, Question(("outlet",), province))
        assert part.total == whole.rows[province,]
        assert ask(store, Question(("channel",), province)).total == part.total
        assert ask(store, Question(("channel",), province, (("channel", ("web",)),))).total == part.total
    assert whole.rows["P",].gross == 2, "the day before the move still belongs to the old province"
    assert set(whole.rows) == {("P",), ("Q",), ("",), ("unknown",)}


def test_filters_keep_what_they_name_and_add_up_to_the_whole(store: ReachStore) -> None:
    stream = [
        event("2023-03-09", "delivered", outlet="a", visitor=1, channel="sms", campaign="315"),
        event("2023-03-09", outlet="a", visitor=1, channel="web", campaign="315", hour=5),
        event("2023-03-10", outlet="b", visitor=2, channel="web", audience="elders"),
        rows.heads("2023-03-10", 7, outlet="b", channel="outlet", place="village"),
    ]
    rows.ship(store, "seg-1", stream)
    for closed in (False, True):
        for dimension in ("channel", "campaign", "audience", "place"):
            every = ask(store, Question((dimension,)))
            for (key,), figures in every.rows.items():
                narrowed = ask(store, Question(("outlet",), where=((dimension, (key,)),)))
                assert narrowed.total == figures, (dimension, key, closed)
        sent = ask(store, Question(("outlet",), where=(("kind", ("delivered",)),)))
        assert sent.total == Figures(1, None, 1)
        unasked = ask(store, Question(("outlet",), people=False))
        assert unasked.total == Figures(10, 10, None)
        rollups.close_days(store, date(2024, 1, 1))
        sketches.close(store, date(2024, 1, 1))
