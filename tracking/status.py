"""What the reach store and the spool hold, for the command line and the doctor."""

from datetime import date
from typing import Any

from core.settings import Settings
from tracking.files import OPEN, SEALED
from tracking.store import ReachStore


def read(store: ReachStore, settings: Settings) -> dict[str, Any]:
    """Rows, first and last day, closed and open days, kept spans, dropped, waiting segments."""
    rows, first, last, days = store.query(
        "SELECT sum(rows), min(day), max(day), uniqExact(day) FROM reach_counted WHERE rows != 0"
    )[0]
    closed = store.query("SELECT countIf(rows >= 0) FROM reach_closed FINAL")[0][0]
    dropped = store.query("SELECT sum(quantity) FROM reach_drop")[0][0]
    folder = settings.spool_dir
    waiting = sum(1 for path in folder.glob("*") if path.suffix in (OPEN, SEALED)) if folder.is_dir() else 0
    return {
        "rows": int(rows),
        "first": _day(first, days),
        "last": _day(last, days),
        "days": int(days),
        "closed": int(closed),
        "dropped": int(dropped),
        "waiting": waiting,
    }


def _day(day: date, days: int) -> str | None:
    return day.isoformat() if days else None
