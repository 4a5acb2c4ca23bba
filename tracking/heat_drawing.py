"""The heat calendar as SVG: one square per day, shaded by the page's own colours; a script moves a mark over it."""

from functools import lru_cache
from html import escape

from babel.dates import format_date

from core.i18n import current_locale
from core.i18n import gettext as _
from tracking.heat import Band

_STEP, _LEFT, _TOP = 13, 22, 16


@lru_cache(32)
def drawing(band: Band, locale: str) -> str:
    """A band as SVG in a language; colours and the size of squares come from the style sheet."""
    width, height = _LEFT + band.weeks * _STEP, _TOP + 7 * _STEP
    months = [
        f'<text x="{_LEFT + week * _STEP}" y="10">{escape(format_date(day, "LLL", locale=locale))}</text>'
        for week, day in band.months
        if week < band.weeks - 1
    ]
    weekdays = [
        f'<text x="0" y="{_TOP + at * _STEP + 10}">{escape(weekday(at, locale))}</text>'
        for at in (0, 2, 4, 6)
    ]
    squares = [
        f'<rect x="{_LEFT + one.week * _STEP}" y="{_TOP + one.weekday * _STEP}" width="11" height="11" rx="2" '
        f'class="h{one.level}" data-d="{one.day}" data-n="{one.gross:,}"/>'
        for one in band.squares
    ]
    busiest = band.busiest
    label = _(
        "%(title)s 每天的触达人次；最多的一天是 %(day)s，%(n)s 人次",
        title=band.title,
        day=busiest.day,
        n=f"{busiest.gross:,}",
    )
    return (
        f'<svg class="heat" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(label)}">{"".join(months)}{"".join(weekdays)}{"".join(squares)}</svg>'
    )


@lru_cache(32)
def weeks(band: Band) -> str:
    """The rows of the table beside the drawing: a week each, from its Monday on."""
    rows = []
    for monday, days in band.by_week:
        cells = "".join(f'<td class="n">{one.gross:,}</td>' if one else "<td></td>" for one in days)
        rows.append(f'<tr><th scope="row">{monday}</th>{cells}</tr>')
    return "".join(rows)


def weekday(number: int, locale: str | None = None) -> str:
    """`一`, `Mon`: a day of the week, 0 is Monday."""
    if (locale or current_locale()) == "en":
        return ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[number]
    return "一二三四五六日"[number]
