"""The dates of a series at the desk: the coming weeks with theme, host, and what is different that day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session

from campaign.events import days, series, series_form
from campaign.events.days import PlannedDay
from campaign.events.models import EventDate, EventSeries
from campaign.events.series import DateLine
from core.errors import Invalid
from core.i18n import mark

AHEAD, MOST = timedelta(days=92), 70
_TEXTS = ("theme", "theme_en", "host", "host_en", "reason")


@dataclass(frozen=True, slots=True)
class Line:
    """A day as the rule means it, with what is written down of it (None: nothing)."""

    planned: PlannedDay
    written: EventDate | None

    @property
    def day(self) -> date:
        """The day."""
        return self.planned.day

    @property
    def holiday(self) -> str:
        """The holiday's name where that is why nothing is held."""
        skipped = self.planned.skipped and not (self.written and self.written.skipped)
        return self.planned.why if skipped else ""


def lines(session: Session, one: EventSeries, begin: date, country: str) -> list[Line]:
    """The coming three months."""
    written = series.dates(session, one)
    known = {each.day: each for each in written}
    since = max(begin, one.first_on)
    planned = days.days(one, written, since, since + AHEAD, country=country)
    return [Line(each, known.get(each.day)) for each in planned[:MOST]]


def typed(form: Mapping[str, str]) -> list[DateLine]:
    """What was typed of each day that the form lists; Invalid names the day."""
    found = []
    for text in form.get("days", "").split(",")[:MOST]:
        if not text:
            continue
        day = series_form.day(text, "days")
        how = form.get(f"how-{text}", "")
        moved = form.get(f"moved_to-{text}", "").strip()
        if how == "moved" and not moved:
            raise Invalid(mark("%(day)s 改到哪一天？请填日期。"), field=f"moved_to-{text}", day=text)
        target = (
            day if how == "held" else series_form.day(moved, f"moved_to-{text}") if how == "moved" else None
        )
        parts = {name: form.get(f"{name}-{text}", "").strip() for name in _TEXTS}
        found.append(DateLine(day, **parts, skipped=how == "skipped", moved_to=target))
    return found
