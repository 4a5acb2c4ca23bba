"""Working days: Monday to Friday, or those of a country, with its public holidays and the weekends on which people work."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from core.settings import Settings

_LONGEST = 400  # days: a year without working days is a mistake of the calendar


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The days on which an institution works; `country` as ISO code, empty for Monday to Friday."""

    zone: ZoneInfo
    country: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "WorkingDays":
        """Those of this institution."""
        return cls(settings.zone, settings.holidays)

    def works(self, day: date) -> bool:
        """Whether people work on a day."""
        if not self.country:
            return day.weekday() < 5
        return bool(_calendar(self.country).is_working_day(day))

    def after(self, at: datetime, days: int) -> datetime:
        """The end of the so-many-th working day after the one of `at`; ValueError when the calendar has none."""
        day = at.astimezone(self.zone).date()
        for _turn in range(_LONGEST):
            day += timedelta(days=1)
            days -= self.works(day)
            if days <= 0:
                return datetime.combine(day, time(23, 59), self.zone)
        raise ValueError("no working day in the calendar")


@lru_cache(4)
def _calendar(country: str) -> Any:
    return holidays.country_holidays(country)
