"""People of whole months and years, kept as sketches per key, so that a year by outlet need not read raw rows.

A sketch of a union is the union of the sketches: the answer is the same whether it comes from here or from the
raw rows. A month is kept when it is over, a year from its twelve months; either holds as long as the number of
its raw rows is the one it was made of, exactly as with days in `rollups`.
"""

import calendar
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tracking.definition import CELLS, FIRST, Definition
from tracking.periods import Period
from tracking.rollups import listed
from tracking.store import ReachStore

_TRIES = 3
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
            present, valid = _with_rows(store, months), _valid(store, definition)
            for span in present:
                if span.last < today and span not in valid:
                    made += _keep(store, span, definition)
    return made


def forget(store: ReachStore, first: date, last: date) -> None:
    """Throw away what is kept of the years that these days touch."""
    condition = f"first BETWEEN '{first.year}-01-01' AND '{last.year}-12-31'"
    for table in ("reach_kept", "reach_people"):
        store.command(f"ALTER TABLE {table} DELETE WHERE {condition}", mutations_sync=2)


@dataclass(frozen=True, slots=True)
class Ask:
    """People of a period by the expression `key`, among what `where` holds for.

    `kept` is the dimension whose sketches may answer, None when only raw rows can; `largest` 1 when years
    cannot be told into months.
    """

    key: str
    where: str
    period: Period
    kept: str | None
    largest: int = 12


def people(store: ReachStore, ask: Ask, definition: Definition) -> dict[str, int]:
    """The number of people per key."""
    for attempt in range(_TRIES):
        before = _fingerprint(store)
        kept = ask.kept if attempt < _TRIES - 1 else None
        spans = _cover(store, ask, definition) if kept is not None else []
        rows = store.query(_sql(ask, spans, definition))
        if not spans or _fingerprint(store) == before:
            break
    return {str(key): int(number) for key, number in rows}


def _sql(ask: Ask, spans: Sequence[Span], definition: Definition) -> str:
    parts = []
    if spans:
        lines = f"dimension = '{ask.kept}' AND ({' OR '.join(span.sql for span in spans)})"
        inner = f"SELECT first AS day, key AS {ask.kept or 'nothing'}, people FROM reach_people WHERE {lines}"
        parts.append(f"SELECT {ask.key} AS k, people FROM ({inner}) WHERE {ask.where}")
    days = " OR ".join(_between(gap) for gap in _gaps(ask.period, spans))
    if days:
        parts.append(f"""
            SELECT {ask.key} AS k, uniqCombined64State({CELLS})(visitor) AS people FROM reach_event
            WHERE ({days}) AND visitor != 0 AND kind IN {listed(definition.kinds)} AND {ask.where} GROUP BY k
        """)
    return f"SELECT k, uniqCombined64Merge({CELLS})(people) FROM ({' UNION ALL '.join(parts)}) GROUP BY k"


def _between(period: Period) -> str:
    return f"day BETWEEN '{period.first}' AND '{period.last}'"


def _fingerprint(store: ReachStore) -> tuple[int, int]:
    version, count = store.query("SELECT max(version), count() FROM reach_kept FINAL")[0]
    return int(version), int(count)


def _cover(store: ReachStore, ask: Ask, definition: Definition) -> list[Span]:
    """The kept spans that answer for the period, without overlap, by date."""
    chosen: list[Span] = []
    for span in sorted(_valid(store, definition), key=lambda one: (-one.months, one.first)):
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


def _with_rows(store: ReachStore, months: int) -> dict[Span, int]:
    start = "toStartOfMonth" if months == 1 else "toStartOfYear"
    rows = store.query(
        f"SELECT {start}(day) AS s, sum(rows) AS n FROM reach_counted GROUP BY s HAVING n != 0 ORDER BY s"
    )
    return {Span(first, months): int(number) for first, number in rows}


def _valid(store: ReachStore, definition: Definition) -> set[Span]:
    kept = store.query("SELECT first, months, rows, definition FROM reach_kept FINAL")
    present = {**_with_rows(store, 1), **_with_rows(store, 12)}
    return {
        span
        for first, months, rows, made_for in kept
        if made_for == definition.id and present.get(span := Span(first, int(months))) == rows
    }


def _keep(store: ReachStore, span: Span, definition: Definition) -> int:
    if span.months == 12 and not _months_of(store, span, definition):
        return 0
    _enter(store, span, -1, definition)
    if store.query(f"SELECT 1 FROM reach_people WHERE {span.sql} LIMIT 1"):
        store.command(f"ALTER TABLE reach_people DELETE WHERE {span.sql}", mutations_sync=2)
    count = f"SELECT count() FROM reach_event WHERE {span.days}"
    rows = store.query(count)[0][0]
    for statement in _year_sql(span) if span.months == 12 else _month_sql(span, definition):
        store.command(statement)
    # Raw rows are only ever added: the same number before and after means that nothing came between.
    if store.query(count)[0][0] != rows:
        return 0
    _enter(store, span, rows, definition)
    return 1


def _months_of(store: ReachStore, year: Span, definition: Definition) -> bool:
    valid = _valid(store, definition)
    return all(span in valid for span in _with_rows(store, 1) if year.first <= span.first <= year.last)


def _month_sql(span: Span, definition: Definition) -> Iterator[str]:
    for dimension, key in DIMENSIONS.items():
        yield f"""
            INSERT INTO reach_people SELECT toDate('{span.first}'), 1, '{dimension}', {key} AS k, uniqCombined64State({CELLS})(visitor)
            FROM reach_event WHERE {span.days} AND visitor != 0 AND kind IN {listed(definition.kinds)} GROUP BY k
        """


def _year_sql(span: Span) -> Iterator[str]:
    yield f"""
        INSERT INTO reach_people SELECT toDate('{span.first}'), 12, dimension, key, uniqCombined64MergeState({CELLS})(people)
        FROM reach_people WHERE months = 1 AND first BETWEEN '{span.first}' AND '{span.last}' GROUP BY dimension, key
    """


def _enter(store: ReachStore, span: Span, rows: int, definition: Definition) -> None:
    line = (span.first, span.months, time.time_ns(), rows, definition.id)
    store.insert("reach_kept", ("first", "months", "version", "rows", "definition"), [line])
