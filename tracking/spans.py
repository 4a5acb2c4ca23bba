"""The spans of time that the report page offers: the year so far, years, quarters, months, weeks, campaigns, dates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from core.i18n import gettext as _
from core.i18n import mark
from tracking import periods
from tracking.periods import Period
from tracking.store import ReachStore

SO_FAR, YEAR, QUARTER, MONTH, WEEK, CAMPAIGN, DATES = (
    "ytd", "year", "quarter", "month", "week", "campaign", "dates",
)  # fmt: skip
SPANS = {
    SO_FAR: mark("今年以来"),
    YEAR: mark("年"),
    QUARTER: mark("季"),
    MONTH: mark("月"),
    WEEK: mark("周"),
    CAMPAIGN: mark("活动期"),
    DATES: mark("自选日期"),
}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Run:
    """A campaign in one year: its days with reach, and those of a year before."""

    key: str
    year: int
    period: Period
    base: Period | None

    @property
    def value(self) -> str:
        """How the address names it."""
        return f"{self.key}@{self.year}"


def years(store: ReachStore) -> list[int]:
    """The years that have reach, newest first."""
    sql = "SELECT toYear(day) AS y FROM reach_counted GROUP BY y HAVING sum(rows) > 0 ORDER BY y DESC"
    rows = store.unwritten("years", lambda: store.query(sql), "reach_counted")
    return [int(row[0]) for row in rows]


def newest(known: Sequence[int], today: date) -> int:
    """The year to begin with: the newest that has one before it to compare with, else the newest."""
    return next((year for year in known if year - 1 in known), known[0] if known else today.year)


def so_far(last: date) -> Period:
    """The year up to a day."""
    return Period(date(last.year, 1, 1), last)


def week(text: str) -> Period:
    """`2023-W36` as its seven days; Invalid like any other date that does not exist."""
    year, _dash, number = text.partition("-W")
    try:
        first = date.fromisocalendar(int(year), int(number), 1)
    except ValueError:
        return periods.named(text)
    return Period(first, first + timedelta(days=6))


def period_of(span: str, value: str, today: date) -> Period:
    """The days of a value of a span; what is still running ends yesterday, so that like is compared with like."""
    period = week(value) if span == WEEK else periods.named(value)
    yesterday = max(today - _DAY, period.first)
    return Period(period.first, yesterday) if period.last >= today > period.first else period


def values(span: str, known: Sequence[int], today: date) -> list[str]:
    """What a span offers, newest first, nothing that lies ahead."""
    if span == YEAR:
        found = [f"{year}" for year in known]
    elif span == QUARTER:
        found = [f"{year}-Q{quarter}" for year in known for quarter in (4, 3, 2, 1)]
    elif span == MONTH:
        found = [f"{year}-{month:02d}" for year in known for month in range(12, 0, -1)]
    else:
        found = [f"{year}-W{number:02d}" for year in known for number in range(_weeks(year), 0, -1)]
    of: Callable[[str], Period] = week if span == WEEK else periods.named
    return [one for one in found if of(one).first <= today] or found[-1:]


def _weeks(year: int) -> int:
    return date(year, 12, 28).isocalendar().week


def label(span: str, value: str) -> str:
    """What a value of a span is called."""
    if span != WEEK:
        return periods.title(periods.named(value))
    days = week(value)
    year, _dash, number = value.partition("-W")
    return _(
        "%(year)s 年第 %(number)s 周（%(first)s – %(last)s）",
        year=year,
        number=int(number),
        first=f"{days.first:%m-%d}",
        last=f"{days.last:%m-%d}",
    )


def runs(store: ReachStore, inside: str = "1") -> list[Run]:
    """Every campaign that had reach, once per year, newest first. Closed days come from their roll-ups.

    `inside` is the condition for the part of the tree: whoever sees a part sees no other's campaigns.
    """
    table = "reach_daily WHERE outlets = 0 AND" if inside == "1" else "reach_gross WHERE"
    sql = f"""
        SELECT key, toYear(d) AS y, min(d), max(d) FROM (
            SELECT toString(campaign) AS key, day AS d FROM {table}
            campaign != '' AND {inside} GROUP BY key, d
            UNION ALL SELECT toString(campaign) AS key, day AS d FROM reach_event
            WHERE campaign != '' AND day > (SELECT max(day) FROM reach_closed) AND {inside} GROUP BY key, d
        ) GROUP BY key, y ORDER BY max(d) DESC, key
    """
    rows = store.unwritten(("runs", inside), lambda: store.query(sql), "reach_event", "reach_closed")
    found = {(str(key), int(year)): Period(first, last) for key, year, first, last in rows}
    return [Run(key, year, period, found.get((key, year - 1))) for (key, year), period in found.items()]


def longer(period: Period) -> bool:
    """Whether the chart shows months; a shorter period is shown by day."""
    return period.days > 62
