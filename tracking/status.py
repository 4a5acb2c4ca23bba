"""What the reach store and the spool hold, for the command line and the doctor."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from core import clock
from core.settings import Settings
from tracking import keeping
from tracking.store import ReachStore


def read(
    store: ReachStore, settings: Settings, waiting_drops: Mapping[tuple[str, str], int]
) -> dict[str, Any]:
    """Rows, first and last day, closed and open days, kept spans, dropped, and how collecting stands."""
    rows, first, last, days = store.query(
        "SELECT sum(rows), min(day), max(day), uniqExact(day) FROM reach_counted WHERE rows != 0"
    )[0]
    closed = store.query("SELECT countIf(rows >= 0) FROM reach_closed FINAL")[0][0]
    dropped = store.query("SELECT sum(quantity) FROM reach_drop")[0][0]
    now = clock.now().timestamp()
    state = keeping.spooled(settings.spool_dir, now)
    drops = keeping.dropped(store, clock.today(settings.zone).isoformat(), waiting_drops)
    return {
        "rows": int(rows),
        "first": _day(first, days),
        "last": _day(last, days),
        "days": int(days),
        "closed": int(closed),
        "dropped": int(dropped),
        "waiting": state.segments,
        "keeping": keeping.as_json(state, drops, now),
    }


def _day(day: date, days: int) -> str | None:
    return day.isoformat() if days else None
