"""Closes what is over: days into roll-ups, months and years into sketches, each under the definition that asks for it.

A report is answered under the definition in force on the last day of its period, its base (a year before) too.
A day has one roll-up, so it is made for the definition of the reports that ask for it longest: of the year
after its own, whose base it is; as long as that has not begun, of its own year. Stored events never change:
when a version is adopted, the days it asks for are simply open under it and closed anew in the background.
Until then, and for the last year before a change when that year is itself the period, raw rows answer: slower,
and the same.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from core import clock
from core.alone import alone
from core.database import Database
from core.errors import Conflict
from core.i18n import mark
from core.settings import Settings
from tracking import definition, rollups, sketches
from tracking.definition import Definition
from tracking.dimensions import Tree
from tracking.store import ReachStore
from tracking.verify import Check
from tracking.verify import verify as compare


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days (whole years but at the ends) whose roll-ups are made for one definition; `after` is not among them."""

    first: date
    after: date
    definition: Definition


def close_past(store: ReachStore, database: Database, today: date) -> int:
    """Close all days before `today` and keep what is over of months and years; returns how many.

    One process at a time: two that close the same day would add it twice. Another is at it: nothing is done.
    """
    with _alone(database) as held:
        return sum(_close(store, one) for one in stretches(database, today)) if held else 0


def rebuild(store: ReachStore, database: Database, today: date) -> tuple[int, int]:
    """Compute everything from the raw rows again; returns the days, and the months and years.

    Conflict while another process closes days.
    """
    with _alone(database) as held:
        if not held:
            raise Conflict(mark("另一个进程正在汇总触达，请过一会儿再试。"))
        rollups.clear(store)
        found = stretches(database, today)
        days = sum(rollups.close_days(store, one.after, one.definition, first=one.first) for one in found)
        kept = sum(sketches.close(store, one.after, one.definition, first=one.first) for one in found)
        return days, kept


def verify(
    store: ReachStore,
    session: Session,
    settings: Settings,
    *,
    first: date | None = None,
    last: date | None = None,
    said: Callable[[Check], None] = lambda _check: None,
) -> list[Check]:
    """Compare everything under the definition in force now; see `tracking.verify`."""
    current = definition.in_force(session, clock.today(settings.zone))
    tree = Tree.read(session)
    return compare(store, tree, current, settings.spool_dir, first=first, last=last, said=said)


def wanted(versions: Sequence[Definition], day: date, today: date) -> Definition:
    """The definition that a day's roll-up is made for; `versions` by date, the first since ever."""
    asked = date(min(today.year, day.year + 1), 12, 31)
    return next((one for one in reversed(versions) if one.valid_from <= asked), versions[0])


def stretches(database: Database, today: date) -> list[Stretch]:
    """All days before `today`, cut where the definition changes that their roll-ups are made for."""
    with database.reading() as session:
        versions = definition.all_versions(session)
    years = [date(year, 1, 1) for year in range(versions[0].valid_from.year, today.year + 1)]
    found = [Stretch(rollups.BEGINNING, today, wanted(versions, rollups.BEGINNING, today))]
    for first in years:
        asked, before = wanted(versions, first, today), found[-1]
        if asked != before.definition:
            found[-1] = Stretch(before.first, first, before.definition)
            found.append(Stretch(first, today, asked))
    return found


def _close(store: ReachStore, one: Stretch) -> int:
    days = rollups.close_days(store, one.after, one.definition, first=one.first)
    return days + sketches.close(store, one.after, one.definition, first=one.first)


@contextmanager
def _alone(database: Database) -> Iterator[bool]:
    with alone(database, "reach-closing") as held:
        yield held
