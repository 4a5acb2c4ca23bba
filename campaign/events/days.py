"""Which days a series means: its rule, public holidays, moved weekends, and what was decided of single dates.

A day that is a public holiday is left out with the holiday's name, unless the series is held on holidays too or
somebody moved that day (to itself: held all the same). In China some weekends are working days instead (调休, set by
the State Council each year; the `holidays` library knows them): a series of every working day is held on those too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import holidays

from campaign import recurrence
from campaign.events.models import EventDate, EventSeries
from core.i18n import current_locale, gettext, mark

WORKING_DAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
_LANGUAGES = {"zh": "zh_CN", "en": "en_US"}


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """A day of a series: `day` as the rule means it, `on` when it is held; `why` it is left out, in words.

    `works` says that it is a weekend on which people work.
    """

    day: date
    on: date
    topic: str = ""
    topic_en: str = ""
    host: str = ""
    host_en: str = ""
    skipped: bool = False
    why: str = ""
    works: bool = False

    @property
    def moved(self) -> bool:
        """Whether it is held on another day than the rule means."""
        return self.on != self.day


def days(
    series: EventSeries, dates: Iterable[EventDate], first: date, last: date, *, country: str
) -> list[PlannedDay]:
    """The days of a series whose rule means `first` to `last`, those left out among them; rising."""
    written = {one.day: one for one in dates}
    until = min(last, series.last_on) if series.last_on else last
    meant = set(recurrence.days(series.first_on, series.rule, first, until))
    if series.rule == WORKING_DAYS and not series.on_holidays:
        meant |= set(working_weekends(country, max(first, series.first_on), until))
    return [_planned(series, day, written.get(day), country) for day in sorted(meant)]


def _planned(series: EventSeries, day: date, written: EventDate | None, country: str) -> PlannedDay:
    works = bool(working_weekends(country, day, day))
    decided = written is not None and (written.skipped or written.moved_to is not None)
    why = "" if series.on_holidays or decided else holiday(country, day)
    if written is None:
        return PlannedDay(day, day, skipped=bool(why), why=why, works=works)
    if written.skipped:
        why = written.reason or gettext(mark("这一天不办"))
    return PlannedDay(
        day,
        written.moved_to or day,
        written.theme,
        written.theme_en,
        written.host,
        written.host_en,
        skipped=bool(why),
        why=why or written.reason,
        works=works,
    )


def holiday(country: str, day: date) -> str:
    """The name of a public holiday in the language in force, empty on other days."""
    if not country or day not in _calendar(country, ""):
        return ""
    if str(_calendar(country, "en_US")[day]).startswith("Day off"):
        return gettext(mark("调休放假"))
    return str(_calendar(country, _LANGUAGES[current_locale()])[day])


def working_weekends(country: str, first: date, last: date) -> list[date]:
    """The weekend days from `first` to `last` on which people work, made up for by days off."""
    if not country or last < first:
        return []
    known = _calendar(country, "")
    span = [first + timedelta(number) for number in range((last - first).days + 1)]
    return [day for day in span if day.weekday() > 4 and known.is_working_day(day)]


@lru_cache(12)
def _calendar(country: str, language: str) -> Any:
    return holidays.country_holidays(country, language=language or None)
