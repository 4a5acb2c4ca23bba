"""People of whole months and years, kept as sketches per key, so that a year by outlet need not read raw rows.

A sketch of a union is the union of the sketches: the answer is the same whether it comes from here or from the
raw rows. A month is kept when it is over, a year from its twelve months; either holds as long as the number of
its raw rows is the one it was made of, exactly as with days in `rollups`.
"""

import calendar
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tracking import rollups
from tracking.definition import CELLS, FIRST, Definition
from tracking.periods import Period
from tracking.rollups import listed, portions
from tracking.store import ReachStore

DIMENSIONS = {
    "": "''", "outlet": "outlet", "channel": "channel", "piece": "piece", "campaign": "campaign",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """A whole month (`months` 1) or year (12), by its first day."""

    first: date
    months: int

    @property
    def last(self) -> date:
        """The last day."""
        if self.months == 12:
            return date(self.first.year, 12, 31)
        return self.first.replace(day=calendar.monthrange(self.first.year, self.first.month)[1])

    def holds(self, day: date) -> bool:
        """Whether the day is in it."""
        return self.first <= day <= self.last

    @property
    def sql(self) -> str:
        """The condition for its lines."""
        return f"(first = '{self.first}' AND months = {self.months})"

    @property
    def days(self) -> str:
        """The condition for its raw rows."""
        return f"day BETWEEN '{self.first}' AND '{self.last}'"


def close(store: ReachStore, today: date, definition: Definition = FIRST) -> int:
    """Keep every month and year that is over and not kept yet, or changed since; returns how many were made."""
    made = 0
    with store.closing:
        for months in (1, 12):
            counted = rollups.counted(store)
            held, present = valid(store, counted, definition), _present(counted)
            over = [
                span
                for span in sorted(present, key=lambda one: one.first)
                if span.months == months and span.last < today and span not in held
                if months == 1 or _months_kept(span, present, held)
            ]
            made += sum(_keep(store, some, definition) for some in portions(over, present.__getitem__))
    return made


def _months_kept(year: Span, present: Iterable[Span], valid: set[Span]) -> bool:
    return all(span in valid for span in present if span.months == 1 and year.holds(span.first))


def forget(store: ReachStore, first: date, last: date) -> None:
    """Throw away what is kept of the years that these days touch."""
    condition = f"first BETWEEN '{first.year}-01-01' AND '{last.year}-12-31'"
    for table in ("reach_kept", "reach_people"):
        store.command(f"ALTER TABLE {table} DELETE WHERE {condition}", mutations_sync=2)


@dataclass(frozen=True, slots=True)
class Ask:
    """People of a period by the expression `key`, among what `where` holds for.

    `kept` is the dimension whose sketches may answer, None when only raw rows can; of outlets in `moving` only
    raw rows can; `largest` 1 when years cannot be told into months.
    """

    key: str
    where: str
    period: Period
    kept: str | None
    largest: int = 12
    moving: tuple[str, ...] = ()


def people_sql(ask: Ask, kept: Iterable[Span], definition: Definition) -> str:
    """The SELECT of key and number of people, from the kept spans where they answer and else from raw rows."""
    spans = _cover(ask, kept)
    parts = []
    apart = f"outlet IN {listed(ask.moving)}" if ask.moving else ""
    if spans:
        lines = f"dimension = '{ask.kept}' AND ({' OR '.join(span.sql for span in spans)})"
        inner = f"SELECT first AS day, key AS {ask.kept or 'nothing'}, people FROM reach_people WHERE {lines}"
        stayed = f" AND NOT ({apart})" if apart else ""
        parts.append(f"SELECT {ask.key} AS k, people FROM ({inner}) WHERE {ask.where}{stayed}")
    days = [_between(gap) for gap in _gaps(ask.period, spans)]
    if apart:
        days += [f"({span.days} AND {apart})" for span in spans]
    if days:
        parts.append(f"""
            SELECT {ask.key} AS k, uniqCombined64State({CELLS})(visitor) AS people FROM reach_event
            WHERE ({" OR ".join(days)}) AND visitor != 0 AND kind IN {listed(definition.kinds)} AND {ask.where}
            GROUP BY k
        """)
    return f"SELECT k, uniqCombined64Merge({CELLS})(people) FROM ({' UNION ALL '.join(parts)}) GROUP BY k"


def _between(period: Period) -> str:
    return f"day BETWEEN '{period.first}' AND '{period.last}'"


def _cover(ask: Ask, valid: Iterable[Span]) -> list[Span]:
    """The kept spans that answer for the period, without overlap, by date."""
    if ask.kept is None:
        return []
    chosen: list[Span] = []
    for span in sorted(valid, key=lambda one: (-one.months, one.first)):
        inside = ask.period.first <= span.first and span.last <= ask.period.last
        if inside and span.months <= ask.largest and not any(one.holds(span.first) for one in chosen):
            chosen.append(span)
    return sorted(chosen, key=lambda one: one.first)


def _gaps(period: Period, spans: Sequence[Span]) -> Iterator[Period]:
    at = period.first
    for span in spans:
        if at < span.first:
            yield Period(at, span.first - timedelta(days=1))
        at = span.last + timedelta(days=1)
    if at <= period.last:
        yield Period(at, period.last)


def _present(counted: Mapping[date, int]) -> dict[Span, int]:
    """The months and years that have raw rows, with their number, months first."""
    found: dict[Span, int] = {}
    for months in (1, 12):
        for day, number in counted.items():
            span = Span(day.replace(day=1, month=day.month if months == 1 else 1), months)
            found[span] = found.get(span, 0) + number
    return {span: number for span, number in found.items() if number}


def valid(store: ReachStore, counted: Mapping[date, int], definition: Definition) -> set[Span]:
    """The kept spans that were made of exactly the raw rows that their days have now."""
    present = _present(counted)
    lines = store.query("SELECT first, months, rows, definition FROM reach_kept FINAL")
    return {
        span
        for first, months, rows, made_for in lines
        if made_for == definition.id and present.get(span := Span(first, int(months))) == rows
    }


def _keep(store: ReachStore, spans: Sequence[Span], definition: Definition) -> int:
    """Make the sketches of some months, or of some years from their months; returns how many hold."""
    _enter(store, [(span, -1) for span in spans], definition)
    lines = " OR ".join(span.sql for span in spans)
    if store.query(f"SELECT 1 FROM reach_people WHERE {lines} LIMIT 1"):
        store.command(f"ALTER TABLE reach_people DELETE WHERE {lines}", mutations_sync=2)
    before = _counts(store, spans)
    for statement in _year_sql(spans) if spans[0].months == 12 else _month_sql(spans, definition):
        store.command(statement)
    # Raw rows are only ever added: the same number before and after means that nothing came between.
    after = _counts(store, spans)
    whole = [(span, before[span]) for span in spans if before[span] == after[span]]
    _enter(store, whole, definition)
    return len(whole)


def _counts(store: ReachStore, spans: Sequence[Span]) -> dict[Span, int]:
    counts = ", ".join(f"countIf({span.days})" for span in spans)
    between = f"day BETWEEN '{spans[0].first}' AND '{spans[-1].last}'"
    numbers = store.query(f"SELECT {counts} FROM reach_event WHERE {between}")[0]
    return dict(zip(spans, map(int, numbers), strict=True))


def _month_sql(spans: Sequence[Span], definition: Definition) -> Iterator[str]:
    days = " OR ".join(span.days for span in spans)
    for dimension, key in DIMENSIONS.items():
        yield f"""
            INSERT INTO reach_people
            SELECT toStartOfMonth(day) AS f, 1, '{dimension}', {key} AS k, uniqCombined64({CELLS})(visitor),
                uniqCombined64State({CELLS})(visitor)
            FROM reach_event WHERE ({days}) AND visitor != 0 AND kind IN {listed(definition.kinds)}
            GROUP BY f, k
        """


def _year_sql(spans: Sequence[Span]) -> Iterator[str]:
    for span in spans:
        yield f"""
            INSERT INTO reach_people
            SELECT toDate('{span.first}'), 12, dimension, key, uniqCombined64Merge({CELLS})(people),
                uniqCombined64MergeState({CELLS})(people)
            FROM reach_people WHERE months = 1 AND first BETWEEN '{span.first}' AND '{span.last}'
            GROUP BY dimension, key
        """


def _enter(store: ReachStore, lines: Sequence[tuple[Span, int]], definition: Definition) -> None:
    version = time.time_ns()
    rows = [(span.first, span.months, version, number, definition.id) for span, number in lines]
    store.insert("reach_kept", ("first", "months", "version", "rows", "definition"), rows)
