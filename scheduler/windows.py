"""When a message may go out: hours of the day, days off, minutes that platforms ask to leave free. Pure.

Worked out on the institution's clock: 08:00 is 08:00 on both sides of a change of the offset. What is allowed is
never moved, so that a moment moved once stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.i18n import mark

SKIP, NEXT = "skip", "next"
OFF_DAYS = {"": mark("照常发送"), SKIP: mark("这一次不发"), NEXT: mark("顺延到下一个工作日")}
DAY = 24 * 60
_CROWDED = (0, 30)
_MOST = 400


def weekend(day: date) -> bool:
    """Saturday or Sunday: the days off where nobody says more."""
    return day.weekday() > 4


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for a plan: minutes of the day from and until which people are written to (0 to 1440), whether full
    and half hours are left to others, what happens on days off. `seed` spreads plans over the minutes after."""

    opens: int = 0
    closes: int = DAY
    spreads: bool = False
    off_days: str = ""
    seed: int = 0
    off: Callable[[date], bool] = weekend


def next_allowed(at: datetime, rules: Rules, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) from `at` on that is allowed; `at` itself when it is.

    ValueError when there is none within 400 moves: a year without a working day is a mistake of the rules.
    """
    for _turn in range(_MOST):
        moved = _spread(_opened(_working(at, rules, zone), rules, zone), rules, zone)
        if moved == at:
            return at.astimezone(UTC)
        at = moved
    raise ValueError("no moment is allowed")


def dropped(at: datetime, rules: Rules, zone: ZoneInfo) -> bool:
    """Whether a plan leaves out what would go out at this moment because people are off."""
    return rules.off_days == SKIP and rules.off(at.astimezone(zone).date())


def _working(at: datetime, rules: Rules, zone: ZoneInfo) -> datetime:
    """The same hour of the next working day, for plans that wait for it."""
    local = at.astimezone(zone)
    if rules.off_days != NEXT or not rules.off(local.date()):
        return at
    return _at(local.date() + timedelta(days=1), _minute(local), zone, at)


def _opened(at: datetime, rules: Rules, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    minute = _minute(local)
    if minute < rules.opens:
        return _at(local.date(), rules.opens, zone, at)
    if minute >= rules.closes:
        return _at(local.date() + timedelta(days=1), rules.opens, zone, at)
    return at


def _spread(at: datetime, rules: Rules, zone: ZoneInfo) -> datetime:
    """A few minutes past a full or half hour, always the same few for a plan (2 to 8)."""
    if not rules.spreads or at.astimezone(zone).minute not in _CROWDED:
        return at
    return at + timedelta(minutes=2 + rules.seed % 7)


def _minute(local: datetime) -> int:
    return local.hour * 60 + local.minute


def _at(day: date, minute: int, zone: ZoneInfo, after: datetime) -> datetime:
    """A minute of a day on the clock, the later one where it comes twice and the first is over."""
    hour, rest = divmod(minute, 60)
    local = datetime.combine(day, time(hour, rest), zone)
    found = local.astimezone(UTC)
    return found if found >= after else local.replace(fold=1).astimezone(UTC)
