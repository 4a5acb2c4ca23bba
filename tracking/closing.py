"""Closes what is over: days into roll-ups, months and years into sketches, each under the definition that asks for it.

A report is answered under the definition in force on the last day of its period, its base (a year before) too.
A day has one roll-up, so it is made for the definition of the reports that ask for it longest: of the year
after its own, whose base it is; as long as that has not begun, of its own year. Stored events never change:
when a version is adopted, the days it asks for are simply open under it and closed anew in the background.
Until then, and for the last year before a change when that year is itself the period, raw rows answer: slower,
and the same.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from core.database import Database
from tracking import definition, rollups, sketches
from tracking.definition import Definition
from tracking.store import ReachStore

_BEGINNING = date(1970, 1, 1)


def close_past(store: ReachStore, database: Database, today: date) -> int:
    """Close all days before `today` and keep the people of whole months and years; returns how many."""
    spans, current = _wanted(database, today)
    with store.closing:
        closed = sum(_close(store, first, last, one) for first, last, one in spans)
    return closed + sketches.close(store, today, current)


def rebuild(store: ReachStore, database: Database, today: date) -> tuple[int, int]:
    """Compute everything from the raw rows again; returns the days, and the months and years."""
    spans, current = _wanted(database, today)
    if len(spans) == 1:
        return rollups.rebuild(store, today, current), sketches.close(store, today, current)
    rollups.rebuild(store, _BEGINNING, current)  # throws all away and closes none
    with store.closing:
        closed = sum(_close(store, first, last, one) for first, last, one in spans)
    return closed, sketches.close(store, today, current)


def wanted(versions: Sequence[Definition], day: date, today: date) -> Definition:
    """The definition that a day's roll-up is made for; `versions` by date, the first since ever."""
    asked = date(min(today.year, day.year + 1), 12, 31)
    return next((one for one in reversed(versions) if one.valid_from <= asked), versions[0])


def _wanted(database: Database, today: date) -> tuple[list[tuple[date, date, Definition]], Definition]:
    """First and last day of each stretch before `today`, with its definition; and that of this year's report."""
    with database.reading() as session:
        versions = definition.all_versions(session)
        current = definition.in_force(session, date(today.year, 12, 31))
    begins = {_BEGINNING: wanted(versions, _BEGINNING, today)}
    for year in range(versions[0].valid_from.year, today.year + 1):
        begins[date(year, 1, 1)] = wanted(versions, date(year, 1, 1), today)
    days = [
        day
        for day, before in zip(list(begins)[1:], list(begins), strict=False)
        if begins[day] != begins[before]
    ]
    starts = [_BEGINNING, *days]
    ends = [*(day - timedelta(days=1) for day in days), today - timedelta(days=1)]
    return [(first, last, begins[first]) for first, last in zip(starts, ends, strict=True)], current


def _close(store: ReachStore, first: date, last: date, one: Definition) -> int:
    """Close the open days of a stretch under its definition; the caller holds `store.closing`."""
    waiting = rollups.open_days(store, first, last, one)
    return sum(rollups._close(store, days, one) for days in rollups._portions(store, waiting))
