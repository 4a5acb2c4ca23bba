"""When a report is due and of which days it tells: weeks, months with working days, campaigns that ended. Pure.

All on the institution's clock: 08:00 stays 08:00. What was missed while nothing ran is due once, for its newest
period; how many older ones were passed over is said in it.
"""

import calendar
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from core.i18n import gettext as _
from core.i18n import mark
from tracking.periods import Period
from tracking.subscription_models import ReportSubscription

WEEKLY, MONTHLY, AFTER_CAMPAIGN = "weekly", "monthly", "campaign"
RHYTHMS = {WEEKLY: mark("每周"), MONTHLY: mark("每月"), AFTER_CAMPAIGN: mark("活动期结束后")}
LAST_WEEK, LAST_MONTH, LAST_QUARTER, CAMPAIGN, YEAR_SO_FAR = "week", "month", "quarter", "campaign", "year"
SPANS = {
    LAST_WEEK: mark("上一周"),
    LAST_MONTH: mark("上一个月"),
    LAST_QUARTER: mark("上一季度"),
    YEAR_SO_FAR: mark("今年以来"),
    CAMPAIGN: mark("刚结束的活动期"),
}
WEEKDAYS = (
    mark("周一"), mark("周二"), mark("周三"), mark("周四"), mark("周五"), mark("周六"), mark("周日"),
)  # fmt: skip
# What nobody sent for so long is no longer news.
_OLDEST = timedelta(days=62)
_LATE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Ended:
    """A campaign with its days, as whoever owns campaigns tells; `outlet_code` is the node it belongs to."""

    code: str
    period: Period
    outlet_code: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """A report that is due: since when, of which days, of which campaign ("" of none)."""

    at: datetime
    period: Period
    campaign: str = ""

    @property
    def key(self) -> str:
        """What makes it one and the same report, whatever becomes of the rhythm meanwhile."""
        return f"{self.period.first}/{self.period.last}/{self.campaign}"

    def late(self, now: datetime) -> bool:
        """Whether nothing ran when it was due."""
        return now - self.at > _LATE


@dataclass(frozen=True, slots=True)
class Clock:
    """The institution's clock: its zone and the country whose working days count ("": Monday to Friday)."""

    zone: ZoneInfo
    country: str = ""

    def moment(self, day: date, hour: int) -> datetime:
        """The hour of a day as UTC."""
        return datetime.combine(day, time(hour), self.zone).astimezone(UTC)

    def works(self, day: date) -> bool:
        """Whether it is a working day; China's moved weekends count as the State Council set them."""
        if not self.country:
            return day.weekday() < 5
        return bool(_calendar(self.country).is_working_day(day))

    def holiday(self, day: date) -> bool:
        """Whether it is a public holiday, be it on a weekend."""
        return bool(self.country) and day in _calendar(self.country)


@lru_cache(8)
def _calendar(country: str) -> Any:
    return holidays.country_holidays(country)


def newest(one: ReportSubscription, clock: Clock, now: datetime, ended: Sequence[Ended]) -> list[Due]:
    """What is due at `now`: the newest of a rhythm, or every campaign that ended not too long ago."""
    if one.rhythm == AFTER_CAMPAIGN:
        found = [due for due in _of_campaigns(one, clock, ended) if due.at <= now and due.at > now - _OLDEST]
        return [due for due in found if due.at > one.since]
    due = next(_backwards(one, clock, now), None)
    return [due] if due is not None and due.at > one.since else []


def earlier(one: ReportSubscription, clock: Clock, before: datetime) -> Iterator[Due]:
    """What was due before that moment by the same rhythm, the newest first, back to when it began."""
    if one.rhythm == AFTER_CAMPAIGN:
        return
    for due in islice(_backwards(one, clock, before - timedelta(seconds=1)), 60):
        if due.at <= one.since:
            return
        yield due


def upcoming(
    one: ReportSubscription, clock: Clock, now: datetime, ended: Sequence[Ended], count: int = 3
) -> list[Due]:
    """The next ones, for people to see whether they meant that."""
    if one.rhythm == AFTER_CAMPAIGN:
        coming = sorted(
            (due for due in _of_campaigns(one, clock, ended) if due.at > now), key=lambda due: due.at
        )
        return coming[:count]
    today = now.astimezone(clock.zone).date()
    found = (_due(one, clock, day) for day in _days(one, clock, today, forward=True))
    return list(islice((due for due in found if due.at > now), count))


def _backwards(one: ReportSubscription, clock: Clock, now: datetime) -> Iterator[Due]:
    today = now.astimezone(clock.zone).date()
    for day in _days(one, clock, today, forward=False):
        due = _due(one, clock, day)
        if due.at <= now:
            yield due


def _due(one: ReportSubscription, clock: Clock, day: date) -> Due:
    return Due(clock.moment(day, one.hour), period_of(one.span, day))


def _days(one: ReportSubscription, clock: Clock, today: date, *, forward: bool) -> Iterator[date]:
    """The days of the rhythm around today, away from it in one direction."""
    step = 1 if forward else -1
    if one.rhythm == WEEKLY:
        day = today - timedelta(days=(today.weekday() - one.weekday) % 7)
        while True:
            yield day
            day += timedelta(days=7 * step)
    month = today.year * 12 + today.month - 1
    while True:
        yield _in_month(one, clock.works, *divmod(month, 12))
        month += step


def _in_month(one: ReportSubscription, works: Callable[[date], bool], year: int, month: int) -> date:
    """The nth day of a month (0 is January), or its nth working day; the last one where there are fewer."""
    length = calendar.monthrange(year, month + 1)[1]
    days = [date(year, month + 1, number) for number in range(1, length + 1)]
    if one.workdays:
        days = [day for day in days if works(day)] or days
    return days[min(one.month_day, len(days)) - 1]


def _of_campaigns(one: ReportSubscription, clock: Clock, ended: Sequence[Ended]) -> Iterator[Due]:
    for campaign in ended:
        day = campaign.period.last + timedelta(days=one.days_after)
        yield Due(clock.moment(day, one.hour), campaign.period, campaign.code)


def period_of(span: str, day: date) -> Period:
    """The days that a report of this span tells of when it is due on a day; all of them are over."""
    if span == LAST_WEEK:
        monday = day - timedelta(days=day.weekday())
        return Period(monday - timedelta(days=7), monday - timedelta(days=1))
    if span == YEAR_SO_FAR:
        last = day - timedelta(days=1)
        return Period(date(last.year, 1, 1), last)
    months = 3 if span == LAST_QUARTER else 1
    begun = day.year * 12 + (day.month - 1) // months * months
    first, after = divmod(begun - months, 12), divmod(begun, 12)
    return Period(date(first[0], first[1] + 1, 1), date(after[0], after[1] + 1, 1) - timedelta(days=1))


def in_words(one: ReportSubscription) -> str:
    """The rhythm as people say it: `每周一 08:00`."""
    hour = f"{one.hour:02d}:00"
    if one.rhythm == WEEKLY:
        return _("每%(day)s %(hour)s", day=_(WEEKDAYS[one.weekday]), hour=hour)
    if one.rhythm == AFTER_CAMPAIGN:
        return _("活动期结束后第 %(days)s 天 %(hour)s", days=one.days_after, hour=hour)
    if one.workdays:
        return _("每月第 %(number)s 个工作日 %(hour)s", number=one.month_day, hour=hour)
    return _("每月 %(number)s 日 %(hour)s", number=one.month_day, hour=hour)
