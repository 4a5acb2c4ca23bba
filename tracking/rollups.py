"""A closed day is integers: its exact counts are computed once from the raw rows, and again if late ones come.

A day is closed when `reach_closed` says how many raw rows its roll-up was made of and `reach_counted` (fed
by every insert) still says the same. Everything else is open and answered from raw. Closing marks the days
open first and enters them last, so that a reader who sees the same versions before and after its queries
(`snapshot`) has read whole roll-ups; a crash in between leaves days open, never wrong.
"""

import time
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from tracking.definition import FIRST, Definition
from tracking.schema import ROLLUPS
from tracking.store import ReachStore

T = TypeVar("T")
# Raw rows per statement: bounds the memory of the de-duplication, which keeps one entry per visitor and day.
_AT_ONCE = 3_000_000
# … and what a single day of more may take before it goes by the disk, which takes twice as long.
_SPILL = 3 * 10**9
BEGINNING = date(1970, 1, 1)

_GROSS = """
INSERT INTO reach_gross (day, outlet, channel, campaign, piece, kind, audience, place, quantity, rows)
SELECT day, outlet, channel, campaign, piece, kind, audience, place, sum(quantity), count()
FROM reach_event WHERE {days} GROUP BY day, outlet, channel, campaign, piece, kind, audience, place
"""
_LED = ("campaign", "audience", "place")
_UNIQUE = """
INSERT INTO reach_unique (day, outlet, channel, piece, campaign, audience, place, quantity)
SELECT day, outlet, channel, piece, led_campaign, led_audience, led_place, sum(n)
FROM ({unique}) GROUP BY day, outlet, channel, piece, led_campaign, led_audience, led_place
"""
# What is added up of both: by outlet alone, and without outlet; the kind '' holds the deduplicated ones.
_DAILY = """
INSERT INTO reach_daily
    (outlets, day, outlet, channel, campaign, piece, kind, audience, place, quantity)
SELECT 1 AS outlets, day, outlet, '', '', '', kind, '', '', sum(quantity) FROM reach_gross
WHERE {days} GROUP BY day, outlet, kind
UNION ALL SELECT 1, day, outlet, '', '', '', '', '', '', sum(quantity) FROM reach_unique
WHERE {days} GROUP BY day, outlet
UNION ALL SELECT 0, day, '', channel, campaign, piece, kind, audience, place, sum(quantity) FROM reach_gross
WHERE {days} GROUP BY day, channel, campaign, piece, kind, audience, place
UNION ALL SELECT 0, day, '', channel, campaign, piece, '', audience, place, sum(quantity) FROM reach_unique
WHERE {days} GROUP BY day, channel, campaign, piece, audience, place
"""
_CLOSING = ("reach_gross", "reach_unique", "reach_daily")


def literal(text: str) -> str:
    """A string in the store's SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def listed(values: Iterable[str]) -> str:
    """Strings for an IN (…); a list of nothing matches nothing."""
    return "(" + (", ".join(map(literal, values)) or "''") + ")"


def between(first: date, last: date) -> str:
    """The condition for the days from `first` to `last`."""
    return f"day BETWEEN '{first}' AND '{last}'"


def on_days(days: Sequence[date]) -> str:
    """A condition that holds on exactly these days, with the range that lets the store skip the others."""
    if not days:
        return "0"
    every = ", ".join(f"'{day}'" for day in days)
    span = between(min(days), max(days))
    return span if (max(days) - min(days)).days + 1 == len(days) else f"{span} AND day IN ({every})"


@dataclass(frozen=True, slots=True)
class Days:
    """A condition for some closed days, and the table that answers for them: of days, or of whole months."""

    table: str
    where: str


def spread(
    first: date, last: date, leaving: Iterable[date], *, months: Iterable[date], moving: Sequence[str]
) -> list[Days]:
    """The days from `first` to `last` without `leaving`, with as many whole `months` (first days) as fit.

    Outlets that are `moving` are not in the months, but in a part that knows the days.
    """
    days = {first + timedelta(number) for number in range((last - first).days + 1)} - set(leaving)
    starts = Counter(day.replace(day=1) for day in days)
    whole = sorted(one for one in months if starts.get(one) == monthrange(one.year, one.month)[1])
    single = sorted(day for day in days if day.replace(day=1) not in set(whole))
    found = []
    if whole:
        stay = f" AND outlet NOT IN {listed(moving)}" if moving else ""
        found.append(Days("reach_monthly", f"day IN {listed(map(str, whole))}{stay}"))
    if whole and moving:
        inside = sorted(day for day in days if day.replace(day=1) in set(whole))
        found.append(Days("reach_daily", f"{on_days(inside)} AND outlet IN {listed(moving)}"))
    if single:
        found.append(Days("reach_daily", on_days(single)))
    return found


def unique_rows(definition: Definition, where: str) -> str:
    """A SELECT of day, outlet, channel, piece, led_…, first, n: what each visitor or head count adds.

    `led_campaign`, `led_audience`, `led_place` are those of the visitor's first event of the day there: what led them; `first` is
    its time in milliseconds, above a hash of its id for two at once. One number, because the engine compares
    tuples value by value, which took most of the time of closing a day.
    """
    order = "bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Milli(at)), 64), toUInt128(cityHash64(id)))"
    led = ", ".join(f"argMin(toString({key}), {order}) AS led_{key}" for key in _LED)
    heads = ", ".join(f"if(visitor = 0, {key}, '')" for key in _LED)
    # a head count is told in its own hour; hours begin at quarters in every time zone
    moment = "if(visitor = 0, toStartOfFifteenMinutes(at), toDateTime(0, 'UTC'))"
    return f"""
        SELECT day, outlet, channel, piece, {led}, min({order}) AS first,
            if(visitor = 0, sum(quantity), toInt64(sum(quantity) > 0)) AS n
        FROM reach_event
        WHERE {where} AND kind IN {listed(definition.kinds)}
            AND (visitor != 0 OR source IN {listed(definition.head_counts)})
        GROUP BY day, outlet, channel, piece, visitor, {heads}, {moment}
    """


def unique_table(definition: Definition, where: str) -> str:
    """The same as a table like `reach_unique`, with the time `at` beside; it is chosen from by what led them."""
    led = ", ".join(f"led_{key} AS {key}" for key in _LED)
    return f"""(SELECT day, outlet, channel, piece, {led}, n AS quantity,
        fromUnixTimestamp64Milli(toInt64(bitShiftRight(first, 64)), 'UTC') AS at
        FROM ({unique_rows(definition, where)}))"""


def open_days(store: ReachStore, first: date, last: date, definition: Definition) -> list[date]:
    """The days from `first` to `last` that have raw rows and no roll-up made of exactly these rows."""
    return [day for day in open_among(store, counted(store), definition) if first <= day <= last]


def counted(store: ReachStore) -> dict[date, int]:
    """The number of raw rows of each day that ever had any, by day."""
    return {
        day: int(rows)
        for day, rows in store.query("SELECT day, sum(rows) FROM reach_counted GROUP BY day ORDER BY day")
    }


def open_among(store: ReachStore, days: Mapping[date, int], definition: Definition) -> list[date]:
    """Those of these days (with the number of their raw rows) that no roll-up answers for, by day."""
    sql = "SELECT day, argMax(rows, version), argMax(definition, version) FROM reach_closed GROUP BY day"
    lines = store.unwritten("closed", lambda: store.query(sql), "reach_closed")
    closed = {day: (int(rows), str(made_for)) for day, rows, made_for in lines}
    return [
        day
        for day, rows in days.items()
        if closed.get(day, (0, definition.id))[0] != rows
        or (rows and closed.get(day, (0, ""))[1] != definition.id)
    ]


def close_days(
    store: ReachStore, today: date, definition: Definition = FIRST, *, first: date = BEGINNING
) -> int:
    """Compute the roll-ups of all days from `first` to before `today` that are open; how many were closed."""
    with store.closing:
        waiting = open_days(store, first, today - timedelta(days=1), definition)
        return sum(_close(store, days, definition) for days in _portions(store, waiting))


def clear(store: ReachStore) -> None:
    """Throw all roll-ups away, to be computed from the raw rows again."""
    with store.closing:
        for table in ROLLUPS:
            store.empty(table)
        recount(store)


def rebuild(store: ReachStore, today: date, definition: Definition = FIRST) -> int:
    """Throw all roll-ups away and compute them from the raw rows again; returns the days closed."""
    clear(store)
    return close_days(store, today, definition)


def recount(store: ReachStore) -> None:
    """Make the number of raw rows per day true again after rows were taken away."""
    store.command("""
        INSERT INTO reach_counted SELECT day, sum(n) AS rows FROM (
            SELECT day, toInt64(count()) AS n FROM reach_event GROUP BY day
            UNION ALL SELECT day, -rows AS n FROM reach_counted
        ) GROUP BY day HAVING rows != 0
    """)


def _portions(store: ReachStore, days: Sequence[date]) -> Iterator[list[date]]:
    """The days in portions of a bounded number of rows each."""
    rows = dict(store.query("SELECT day, sum(rows) FROM reach_counted GROUP BY day"))
    return portions(days, lambda day: rows.get(day, 0))


def portions(items: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """The items in order, in portions that one statement can hold in memory."""
    portion: list[T] = []
    held = 0
    for item in items:
        if portion and held + size(item) > _AT_ONCE:
            yield portion
            portion, held = [], 0
        portion.append(item)
        held += size(item)
    if portion:
        yield portion


def _close(store: ReachStore, days: Sequence[date], definition: Definition) -> int:
    where = on_days(days)
    _enter(store, [(day, -1) for day in days], definition)
    for table in _CLOSING:
        if store.query(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1"):
            store.forget(table, where)
    store.command(_GROSS.format(days=where))
    store.command(
        _UNIQUE.format(unique=unique_rows(definition, where)), max_bytes_before_external_group_by=_SPILL
    )
    store.command(_DAILY.format(days=where))
    # Raw rows are only ever added: if their number is still that of the first roll-up, nothing came between.
    rolled = dict(store.query(f"SELECT day, sum(rows) FROM reach_gross WHERE {where} GROUP BY day"))
    counted = dict(store.query(f"SELECT day, count() FROM reach_event WHERE {where} GROUP BY day"))
    whole = [(day, rolled.get(day, 0)) for day in days if rolled.get(day, 0) == counted.get(day, 0)]
    _enter(store, whole, definition)
    return len(whole)


def _enter(store: ReachStore, lines: Sequence[tuple[date, int]], definition: Definition) -> None:
    version = time.time_ns()
    rows = [(day, version, number, definition.id) for day, number in lines]
    store.insert("reach_closed", ("day", "version", "rows", "definition"), rows)
