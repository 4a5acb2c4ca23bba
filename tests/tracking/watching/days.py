"""Series of daily visits for tests: so many on each weekday, and what happened on single days; a store of them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from tests.tracking.rows import event, ship
from tracking.store import ReachStore

DAY = date(2026, 9, 15)  # a Tuesday


def weeks(
    number: int, week: Sequence[int], *, until: date = DAY, but: Mapping[date, int] | None = None
) -> dict[date, int]:
    """`number` weeks of `week` (Monday first) before `until`, the day itself as its weekday says; 0 is left out."""
    first = until - timedelta(weeks=number)
    days = [first + timedelta(days=at) for at in range(7 * number + 1)]
    counts = {day: week[day.weekday()] for day in days} | dict(but or {})
    return {day: visits for day, visits in counts.items() if visits}


def never(_day: date) -> bool:
    """No day is a holiday."""
    return False


def visit(
    store: ReachStore, outlet: str, channel: str, counts: Mapping[date, int], *, name: str = ""
) -> None:
    """Ship the visits of a series, a line for each day."""
    lines = [
        event(str(day), outlet=outlet, channel=channel, quantity=visits, visitor=0, source="import")
        for day, visits in counts.items()
        if visits
    ]
    ship(store, f"seg-{outlet}-{channel}-{name}", lines)
