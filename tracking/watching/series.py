"""Visits by day of every outlet and channel: closed days from their roll-ups, open days from the raw rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlmodel import Session

from tracking import definition as definitions
from tracking.periods import Period
from tracking.rollups import between, literal, on_days
from tracking.snapshot import Snapshot, steadily
from tracking.store import ReachStore
from tracking.watching.rules import WATCHED

ALL, CHANNEL, OUTLET, PAIR = "all", "channel", "outlet", "pair"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Whose visits: all of them, a channel, an outlet, or a channel at an outlet; the outlet "" is head office."""

    level: str
    outlet: str = ""
    channel: str = ""


Series = dict[Subject, dict[date, int]]


def read(
    store: ReachStore,
    session: Session,
    period: Period,
    only: Subject | None = None,
    *,
    without: Collection[str] = (),
) -> Series:
    """The visits of a period, by subject and day; days and subjects without any are not there.

    `only` one subject is told of when its whole is not needed; `without` these outlets, in every sum.
    """
    definition = definitions.in_force(session, period.last)
    found: Series = {}
    for outlet, channel, days in steadily(store, definition, lambda now: _rows(store, now, period, only)):
        if outlet in without:
            continue
        for number, visits in days:
            day = period.first + timedelta(number)
            for subject in (
                Subject(ALL), Subject(CHANNEL, channel=channel), Subject(OUTLET, outlet),
                Subject(PAIR, outlet, channel),
            ):  # fmt: skip
                counts = found.setdefault(subject, {})
                counts[day] = counts.get(day, 0) + visits
    return found


def _rows(
    store: ReachStore, snapshot: Snapshot, period: Period, only: Subject | None
) -> Sequence[tuple[Any, ...]]:
    opened = snapshot.open_days(period)
    every = between(period.first, period.last)
    kept = f"kind = '{WATCHED}'"
    if only and only.level in (OUTLET, PAIR):
        kept += f" AND outlet = {literal(only.outlet)}"
    if only and only.level in (CHANNEL, PAIR):
        kept += f" AND channel = {literal(only.channel)}"
    parts = []
    if opened is None or opened:
        parts.append(("reach_event", every if opened is None else on_days(opened)))
    if opened is not None:
        parts.append(("reach_gross", f"{every} AND NOT ({on_days(opened)})"))
    rows = " UNION ALL ".join(
        f"SELECT outlet, channel, day, quantity FROM {table} WHERE {where} AND {kept}"
        for table, where in parts
    )
    # a correction takes back what was counted: a day may come out as nothing, never as less
    sql = f"""
        SELECT toString(outlet), toString(channel), groupArray((toUInt16(day - toDate('{period.first}')), n))
        FROM (SELECT outlet, channel, day, sum(quantity) AS n FROM ({rows}) GROUP BY outlet, channel, day HAVING n > 0)
        GROUP BY outlet, channel
    """
    return snapshot.ask(store, sql, period)
