"""Sums of months, and people of months and of a year up to its nth month, so that a year reads neither days nor raw.

A month is kept when it is over, and with it the year so far: from what was kept up to the month before and this
month. Either holds as long as the number of its raw rows is the one it was made of, exactly as with days in
`rollups`. Beside each sketch stands its number, which answers for the span alone at once.
"""

import calendar
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tracking import rollups
from tracking.definition import CELLS, FIRST, Definition
from tracking.rollups import between, listed, portions
from tracking.store import ReachStore

DIMENSIONS = ("", "outlet", "channel", "piece", "campaign", "audience", "place")


@dataclass(frozen=True, slots=True)
class Span:
    """Whole months of one year from `first`: a single one, or the year's first `months`."""

    first: date
    months: int

    @property
    def last(self) -> date:
        """The last day."""
        month = self.first.month + self.months - 1
        return date(self.first.year, month, calendar.monthrange(self.first.year, month)[1])

    @property
    def sql(self) -> str:
        """The condition for its lines."""
        return f"(first = '{self.first}' AND months = {self.months})"

    @property
    def days(self) -> str:
        """The condition for its raw rows."""
        return between(self.first, self.last)

    def overlaps(self, other: "Span") -> bool:
        """Whether they share a day."""
        return self.first <= other.last and other.first <= self.last


def close(
    store: ReachStore, today: date, definition: Definition = FIRST, *, first: date = rollups.BEGINNING
) -> int:
    """Keep every month from `first` to before `today` that is over, and each year up to it, where it is not kept
    or has changed; how many."""
    made = 0
    with store.closing:
        for longer in (False, True):
            counted = rollups.counted(store)
            held, present = valid(store, counted, definition), _present(counted)
            over = [
                span
                for span in sorted(present, key=lambda one: (one.first, one.months))
                if (span.months > 1) == longer
                and first <= span.first
                and span.last < today
                and span not in held
            ]
            for some in ([span] for span in over) if longer else portions(over, present.__getitem__):
                made += _keep(store, some, definition)
    return made


def forget(store: ReachStore, first: date, last: date) -> None:
    """Throw away what is kept of the years that these days touch."""
    condition = f"first BETWEEN '{first.year}-01-01' AND '{last.year}-12-31'"
    for table in ("reach_kept", "reach_people"):
        store.forget(table, condition)
    store.forget("reach_monthly", between(date(first.year, 1, 1), date(last.year, 12, 31)))


def valid(store: ReachStore, counted: Mapping[date, int], definition: Definition) -> set[Span]:
    """The kept spans that were made of exactly the raw rows that their days have now."""
    present = _present(counted)
    sql = "SELECT first, months, rows, definition FROM reach_kept FINAL"
    lines = store.unwritten("kept", lambda: store.query(sql), "reach_kept")
    return {
        span
        for first, months, rows, made_for in lines
        if made_for == definition.id and present.get(span := Span(first, int(months))) == rows
    }


def _present(counted: Mapping[date, int]) -> dict[Span, int]:
    """The months that have raw rows, and the years up to each of them, with the number of rows."""
    months: dict[date, int] = {}
    for day, number in counted.items():
        months[day.replace(day=1)] = months.get(day.replace(day=1), 0) + number
    found, sofar = {}, dict[int, int]()
    for first, number in sorted(months.items()):
        if number:
            sofar[first.year] = sofar.get(first.year, 0) + number
            found[Span(first, 1)] = number
            found[Span(date(first.year, 1, 1), first.month)] = sofar[first.year]
    return found


def _keep(store: ReachStore, spans: Sequence[Span], definition: Definition) -> int:
    """Make the lines of some months, or of a year up to a month from what is kept; returns how many hold."""
    _enter(store, [(span, -1) for span in spans], definition)
    _clear(store, spans)
    before = _counts(store, spans)
    longer = spans[0].months > 1
    for statement in _longer_sql(store, spans[0], definition) if longer else _month_sql(spans, definition):
        store.command(statement)
    # Raw rows are only ever added: the same number before and after means that nothing came between. Sums are of
    # closed days: a month with an open one must wait for it.
    after = _counts(store, spans)
    waiting = rollups.open_days(store, spans[0].first, spans[-1].last, definition)
    whole = [
        (span, before[span])
        for span in spans
        if before[span] == after[span] and not any(span.first <= day <= span.last for day in waiting)
    ]
    _enter(store, whole, definition)
    return len(whole)


def _clear(store: ReachStore, spans: Sequence[Span]) -> None:
    """Take away what an earlier keeping of these spans made."""
    months = [str(span.first) for span in spans if span.months == 1]
    for table, lines in (
        ("reach_people", " OR ".join(span.sql for span in spans)),
        ("reach_monthly", f"day IN {listed(months)}" if months else ""),
    ):
        if lines and store.query(f"SELECT 1 FROM {table} WHERE {lines} LIMIT 1"):
            store.forget(table, lines)


def _counts(store: ReachStore, spans: Sequence[Span]) -> dict[Span, int]:
    counts = ", ".join(f"sumIf(rows, {span.days})" for span in spans)
    numbers = store.query(f"SELECT {counts} FROM reach_counted")[0]
    return dict(zip(spans, map(int, numbers), strict=True))


def _month_sql(spans: Sequence[Span], definition: Definition) -> Iterator[str]:
    days = " OR ".join(span.days for span in spans)
    columns = "outlet, channel, campaign, piece, kind, audience, place"
    yield f"""
        INSERT INTO reach_monthly (outlets, day, {columns}, quantity)
        SELECT outlets, toStartOfMonth(day) AS first, {columns}, sum(quantity) FROM reach_daily
        WHERE {days} GROUP BY outlets, first, {columns}
    """
    for dimension in DIMENSIONS:
        yield f"""
            INSERT INTO reach_people (first, months, dimension, key, people, number)
            SELECT toStartOfMonth(day) AS f, 1, '{dimension}', {dimension or "''"} AS k,
                uniqCombined64State({CELLS})(visitor) AS seen, finalizeAggregation(seen)
            FROM reach_event WHERE ({days}) AND visitor != 0 AND kind IN {listed(definition.kinds)}
            GROUP BY f, k
        """


def _longer_sql(store: ReachStore, span: Span, definition: Definition) -> Iterator[str]:
    """The year so far from the longest kept before it and the months after that."""
    held = valid(store, rollups.counted(store), definition)
    kept = [one for one in held if one.first == span.first and one.months < span.months]
    start = max(kept, key=lambda one: one.months, default=None)
    after = start.last if start else date.min
    parts = [
        one
        for one in held
        if one.months == 1 and after < one.first <= span.last and one.first.year == span.first.year
    ]
    lines = " OR ".join(one.sql for one in ([start] if start else []) + parts) or "0"
    yield f"""
        INSERT INTO reach_people (first, months, dimension, key, people, number)
        SELECT toDate('{span.first}'), {span.months}, dimension, key,
            uniqCombined64MergeState({CELLS})(people) AS seen, finalizeAggregation(seen)
        FROM reach_people WHERE {lines} GROUP BY dimension, key
    """


def _enter(store: ReachStore, lines: Sequence[tuple[Span, int]], definition: Definition) -> None:
    version = time.time_ns()
    rows = [(span.first, span.months, version, number, definition.id) for span, number in lines]
    store.insert("reach_kept", ("first", "months", "version", "rows", "definition"), rows)
