"""Periods and what they are compared with; the only place that knows what "the same period last year" is."""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import mark

YEAR, WEEKDAYS, PREVIOUS, CAMPAIGN, NONE = "year", "weekdays", "previous", "campaign", "none"
MODES = (YEAR, WEEKDAYS, PREVIOUS, NONE)
MODE_NAMES = {
    YEAR: mark("与上年同期比"),
    WEEKDAYS: mark("与上年同星期比"),
    PREVIOUS: mark("与上一段时间比"),
    CAMPAIGN: mark("与上年活动期比"),
    NONE: mark("不比较"),
}
_LONGEST = 3_700
# Turns a Date expression of the store into the one of the day that it is shown as.
Shift = Callable[[str], str]
_WEEKS = timedelta(weeks=52)
# The days that the store's type Date can hold, whole years of them.
EARLIEST, LATEST = date(1970, 1, 1), date(2148, 12, 31)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins or spans more than about ten years."""
        if self.last < self.first:
            raise Invalid(mark("结束日期早于开始日期，请调整。"), field="to")
        if self.first < EARLIEST or self.last > LATEST:
            raise Invalid(mark("只能统计 1970 年到 2148 年之间的日期，请调整时间范围。"), field="from")
        if self.days > _LONGEST:
            raise Invalid(mark("一次最多统计十年，请缩短时间范围。"), field="to")

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Compared:
    """A period and its base; `base` None when nothing is compared. Modes: YEAR, WEEKDAYS, CAMPAIGN, NONE."""

    period: Period
    mode: str = NONE
    base: Period | None = None

    @property
    def per_day(self) -> bool:
        """Whether the two windows differ in length, so that averages per day must stand beside the sums."""
        differing = self.mode in (CAMPAIGN, PREVIOUS) and self.base is not None
        return differing and self.base is not None and self.base.days != self.period.days

    def forward(self, sql: str) -> str:
        """An expression that turns a base day (a Date expression) into the day it is compared with.

        Last year's days all lie within the period: what stands beside 29 February is 28 February.
        """
        if self.mode == YEAR and self.period.first.month == 2 and self.period.first.day == 29:
            return f"greatest(toDate(addYears({sql}, 1)), toDate('{self.period.first}'))"
        if self.mode == YEAR:
            return f"toDate(addYears({sql}, 1))"
        if self.mode == PREVIOUS and self.base and (months := whole_months(self.period)):
            return f"toDate(addMonths({sql}, {months}))"
        offset = (self.period.first - self.base.first).days if self.base else 0
        return f"addDays({sql}, {offset})"


def as_it_is(day: str) -> str:
    """The shift of a period that is not a base."""
    return day


def by_days(shift: Shift) -> bool:
    """Whether a shift moves days out of their months."""
    return "addDays" in shift("day")


def compare(period: Period, mode: str, base: Period | None = None) -> Compared:
    """Last year's dates (29 February → 28), last year's weekdays (52 weeks back), or the base given.

    Whole months stand beside whole months: February beside the 29 days of a leap year's, so that the months of
    a year have bases that add up to the year's. Invalid for a base before the days that can be counted.
    """
    if mode == NONE:
        return Compared(period)
    if mode == YEAR:
        return Compared(period, YEAR, Period(year_before(period.first), _last_before(period)))
    if mode == WEEKDAYS:
        return Compared(period, WEEKDAYS, Period(period.first - _WEEKS, period.last - _WEEKS))
    if mode == PREVIOUS:
        return Compared(period, PREVIOUS, _before(period))
    if mode == CAMPAIGN:
        return Compared(period, CAMPAIGN if base else NONE, base)
    raise Invalid(
        mark("没有“%(mode)s”这种比较方式，请用 year、weekdays、previous 或 none。"),
        field="compare",
        mode=mode,
    )


def whole_months(period: Period) -> int:
    """How many calendar months the period is made of, 0 when it cuts one."""
    first, after = period.first, period.last + timedelta(days=1)
    if first.day != 1 or after.day != 1:
        return 0
    return (after.year - first.year) * 12 + after.month - first.month


def _before(period: Period) -> Period:
    """What came right before: as many calendar months for whole months, else as many days."""
    last = period.first - timedelta(days=1)
    months = whole_months(period)
    if not months:
        return Period(period.first - timedelta(days=period.days), last)
    years, month = divmod(period.first.year * 12 + period.first.month - 1 - months, 12)
    return Period(date(years, month + 1, 1), last)


def _last_before(period: Period) -> date:
    """The last day of the base of a year before."""
    last = year_before(period.last)
    return last.replace(day=29) if _is_leap_february(last) and whole_months(period) else last


def _is_leap_february(day: date) -> bool:
    return (day.month, day.day) == (2, 28) and calendar.isleap(day.year)


def year_before(day: date) -> date:
    """The same calendar date a year earlier; 29 February becomes 28."""
    if (day.month, day.day) == (2, 29):
        return day.replace(year=day.year - 1, day=28)
    return day.replace(year=day.year - 1)


def growth(now: float, before: float | None) -> float | None:
    """The change as a fraction of the base, six places; None when there is no base, never infinite."""
    if before is None or before <= 0:
        return None
    return round(now / before - 1, 6)


def named(text: str) -> Period:
    """`2023`, `2023-Q3` or `2023-09` as a period; Invalid for anything else."""
    found = re.fullmatch(r"((?:19|20)\d\d)(?:-(?:Q([1-4])|(0[1-9]|1[0-2])))?", text)
    if not found:
        raise Invalid(mark("没有读懂时间范围“%(text)s”，请写成 2023、2023-Q3 或 2023-09。"), text=text)
    year, quarter, month = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    first = month or (quarter * 3 - 2 if quarter else 1)
    last = month or (quarter * 3 if quarter else 12)
    return Period(date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1]))


def day(text: str, field: str) -> date:
    """An ISO date, or Invalid naming the field."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(mark("日期“%(text)s”不对，请写成 2023-01-31 这样。"), field=field, text=text) from error


def title(period: Period) -> str:
    """How people call the period: a year, a quarter, a month, or its two dates."""
    first, last = period.first, period.last
    if period == Period(date(first.year, 1, 1), date(first.year, 12, 31)):
        return _("%(year)s 年", year=first.year)
    for quarter in (1, 2, 3, 4):
        if period == named(f"{first.year:04d}-Q{quarter}"):
            return _("%(year)s 年第 %(quarter)s 季度", year=first.year, quarter=quarter)
    if period == named(f"{first.year:04d}-{first.month:02d}"):
        return _("%(year)s 年 %(month)s 月", year=first.year, month=first.month)
    return _("%(first)s 至 %(last)s", first=first.isoformat(), last=last.isoformat())
