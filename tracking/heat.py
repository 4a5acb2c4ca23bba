"""A heat calendar: the days of a period as weeks × weekdays, year under year, shaded on one scale."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from sqlmodel import Session

from tracking import periods, reports
from tracking.groupings import DAY
from tracking.periods import Period
from tracking.reports import Ask
from tracking.store import ReachStore

# Shorter than this the chart by day shows the same; more years than this are looked at one by one.
_SHORTEST, _MOST_YEARS = 63, 4
_LEVELS = 5


@dataclass(frozen=True, slots=True)
class Square:
    """A day: its week from the left (0 …), its weekday (0 Monday), person-times, shade (0 none … 5 most)."""

    day: date
    week: int
    weekday: int
    gross: int
    level: int


@dataclass(frozen=True, slots=True)
class Band:
    """The days of one year, and the weeks at which its months begin."""

    title: str
    squares: tuple[Square, ...]
    months: tuple[tuple[int, date], ...]
    weeks: int

    @property
    def by_week(self) -> list[tuple[date, list[Square | None]]]:
        """The same as rows of a table: the Monday of each week, and its seven days, None outside of the period."""
        rows: dict[int, list[Square | None]] = {}
        for square in self.squares:
            rows.setdefault(square.week, [None] * 7)[square.weekday] = square
        return [(_monday(next(one.day for one in row if one)), row) for row in rows.values()]

    @property
    def busiest(self) -> Square:
        """The day with the most person-times."""
        return max(self.squares, key=lambda one: one.gross)


def calendar(store: ReachStore, session: Session, ask: Ask) -> tuple[Band, ...]:
    """The calendar of the period and of its base, this year first; () where a calendar shows nothing more."""
    period, base = ask.compared.period, ask.compared.base
    if period.days < _SHORTEST or _years(period) > _MOST_YEARS:
        return ()
    found = []
    for one in (period, base) if base else (period,):
        asked = replace(ask, compared=periods.compare(one, periods.NONE), by=(DAY,), people=False)
        report = reports.report(store, session, asked)
        found += [(part, {line.key: line.gross for line in report.rows}) for part in _slices(one)]
    if not any(gross for _part, days in found for gross in days.values()):
        return ()
    steps = _steps(gross for _part, days in found for gross in days.values())
    return tuple(band(part, days, steps) for part, days in found)


def band(period: Period, gross: Mapping[str, int], steps: Sequence[int]) -> Band:
    """One band of the calendar; `steps` are the person-times at which the shades change."""
    start = _monday(period.first)
    squares = []
    for number in range(period.days):
        day = period.first + timedelta(days=number)
        times = gross.get(day.isoformat(), 0)
        level = 1 + min(bisect_left(steps, times), _LEVELS - 1) if times > 0 else 0
        squares.append(Square(day, (day - start).days // 7, day.weekday(), times, level))
    months = {(one.day.year, one.day.month): one for one in reversed(squares)}
    begins = tuple(sorted((one.week, one.day.replace(day=1)) for one in months.values()))
    return Band(periods.title(period), tuple(squares), begins, squares[-1].week + 1)


def _steps(figures: Iterable[int]) -> list[int]:
    """What parts the days with reach into five shades of equal number."""
    some = sorted(number for number in figures if number > 0)
    return [some[len(some) * at // _LEVELS] for at in range(1, _LEVELS)]


def _slices(period: Period) -> list[Period]:
    """The period cut into calendar years, the newest first."""
    years = range(period.last.year, period.first.year - 1, -1)
    return [
        Period(max(period.first, date(year, 1, 1)), min(period.last, date(year, 12, 31))) for year in years
    ]


def _years(period: Period) -> int:
    return period.last.year - period.first.year + 1


@lru_cache(2_000)
def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
