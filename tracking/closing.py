"""Closes what is over: days into roll-ups, months and years into sketches, under the definition in force."""

from datetime import date

from core.database import Database
from tracking import definition, rollups, sketches
from tracking.store import ReachStore


def close_past(store: ReachStore, database: Database, today: date) -> int:
    """Close all days before `today` and keep the people of whole months and years; returns how many."""
    with database.reading() as session:
        current = definition.in_force(session, today)
    return rollups.close_days(store, today, current) + sketches.close(store, today, current)


def rebuild(store: ReachStore, database: Database, today: date) -> tuple[int, int]:
    """Compute everything from the raw rows again; returns the days, and the months and years."""
    with database.reading() as session:
        current = definition.in_force(session, today)
    return rollups.rebuild(store, today, current), sketches.close(store, today, current)
