"""The only place that asks what time it is."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """The calendar day of an aware time in the institution's time zone."""
    return at.astimezone(zone).date()


def today(zone: ZoneInfo) -> date:
    """Today's date in the institution's time zone."""
    return day_of(now(), zone)
