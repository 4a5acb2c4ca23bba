"""Closes what is over: days into roll-ups, months and years into sketches, under the definition in force."""

from collections.abc import Callable
from datetime import date

from sqlmodel import Session

from core import clock
from core.alone import alone
from core.database import Database
from core.errors import Conflict
from core.i18n import mark
from core.settings import Settings
from tracking import definition, rollups, sketches
from tracking.dimensions import Tree
from tracking.store import ReachStore
from tracking.verify import Check
from tracking.verify import verify as compare


def close_past(store: ReachStore, database: Database, today: date) -> int:
    """Close all days before `today` and keep what is over of months and years; returns how many.

    One process at a time: two that close the same day would add it twice. Another is at it: nothing is done.
    """
    with alone(database, "reach-closing") as held:
        if not held:
            return 0
        with database.reading() as session:
            current = definition.in_force(session, today)
        return rollups.close_days(store, today, current) + sketches.close(store, today, current)


def rebuild(store: ReachStore, database: Database, today: date) -> tuple[int, int]:
    """Compute everything from the raw rows again; returns the days, and the months and years.

    Conflict while another process closes days.
    """
    with alone(database, "reach-closing") as held:
        if not held:
            raise Conflict(mark("另一个进程正在汇总触达，请过一会儿再试。"))
        with database.reading() as session:
            current = definition.in_force(session, today)
        return rollups.rebuild(store, today, current), sketches.close(store, today, current)


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
