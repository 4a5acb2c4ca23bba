"""What was closed and kept at one moment: all figures of an answer rest on the same roll-ups.

Taken before the questions and compared after them; when a day was opened or closed meanwhile, all is asked
again. It also says how long an answer may be remembered: raw rows are only ever added, so the same roll-ups and
the same number of raw rows give the same figures.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from tracking import rollups, sketches
from tracking.definition import Definition
from tracking.periods import Period
from tracking.sketches import Span
from tracking.store import ReachStore

T = TypeVar("T")
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Days with the number of their raw rows, those that are open, the spans whose people are kept.

    `raw_only` answers everything from raw rows: a rebuild that goes on all the while cannot make it wrong.
    """

    mark: tuple[int, int]
    counted: dict[date, int]
    open: frozenset[date]
    kept: frozenset[Span]
    raw_only: bool = False

    def open_days(self, period: Period) -> list[date] | None:
        """The open days of a period; None: all are answered from raw."""
        if self.raw_only:
            return None
        return sorted(day for day in self.open if period.first <= day <= period.last)

    def remembered(self, store: ReachStore, key: Hashable, make: Callable[[], T], *periods: Period) -> T:
        """What `make` says of these periods, remembered under `key` as long as nothing of them changes."""
        rows = tuple(
            sum(number for day, number in self.counted.items() if one.first <= day <= one.last)
            for one in periods
        )
        return store.remembered(key, (self.mark, rows), make)

    def ask(self, store: ReachStore, sql: str, *periods: Period) -> Sequence[tuple[Any, ...]]:
        """The rows of a SELECT over these periods, remembered in the same way."""
        return self.remembered(store, sql, lambda: store.query(sql), *periods)


def take(store: ReachStore, definition: Definition, *, raw_only: bool = False) -> Snapshot:
    """What is closed and kept now, for a definition."""
    return store.unwritten(
        ("snapshot", definition.id, raw_only), lambda: _take(store, definition, raw_only=raw_only),
        "reach_counted", "reach_closed", "reach_kept",
    )  # fmt: skip


def _take(store: ReachStore, definition: Definition, *, raw_only: bool) -> Snapshot:
    mark = _mark(store)
    counted = rollups.counted(store)
    if raw_only:
        return Snapshot(mark, counted, frozenset(counted), frozenset(), raw_only=True)
    return Snapshot(
        mark,
        counted,
        frozenset(rollups.open_among(store, counted, definition)),
        frozenset(sketches.valid(store, counted, definition)),
    )


def steadily(store: ReachStore, definition: Definition, answer: Callable[[Snapshot], T]) -> T:
    """What `answer` says of a snapshot that still held when it had finished."""
    for _attempt in range(_TRIES - 1):
        snapshot = take(store, definition)
        found = answer(snapshot)
        if _mark(store) == snapshot.mark:
            return found
    return answer(take(store, definition, raw_only=True))


def _mark(store: ReachStore) -> tuple[int, int]:
    """Changes whenever a day is opened or closed, or a month or year kept: each enters a newer version."""
    sql = "SELECT (SELECT max(version) FROM reach_closed), (SELECT max(version) FROM reach_kept)"
    closed, kept = store.unwritten("mark", lambda: store.query(sql)[0], "reach_closed", "reach_kept")
    return int(closed or 0), int(kept or 0)
