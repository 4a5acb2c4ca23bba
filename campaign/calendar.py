"""Days of a campaign in words, and the Tuesday on which outlets invite people (相约星期二)."""

from datetime import date, timedelta

from babel.dates import format_date

from core.i18n import current_locale

TUESDAY = 1


def next_tuesday(day: date) -> date:
    """The day itself when it is a Tuesday, else the Tuesday that comes next."""
    return day + timedelta(days=(TUESDAY - day.weekday()) % 7)


def period(first: date, last: date) -> str:
    """`9月15日—21日`, `9月15日—10月8日`, with years when they differ; English likewise."""
    if current_locale() == "en":
        return _english(first, last)
    if first == last:
        return f"{first.month}月{first.day}日"
    if first.year != last.year:
        return f"{first.year}年{first.month}月{first.day}日—{last.year}年{last.month}月{last.day}日"
    month = "" if first.month == last.month else f"{last.month}月"
    return f"{first.month}月{first.day}日—{month}{last.day}日"


def _english(first: date, last: date) -> str:
    if first == last:
        return format_date(first, "d MMMM", locale="en")
    if first.year != last.year:
        return f"{format_date(first, 'd MMMM y', locale='en')} – {format_date(last, 'd MMMM y', locale='en')}"
    if first.month == last.month:
        return f"{first.day}–{format_date(last, 'd MMMM', locale='en')}"
    return f"{format_date(first, 'd MMMM', locale='en')} – {format_date(last, 'd MMMM', locale='en')}"
