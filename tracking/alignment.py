"""Two campaigns of unequal length side by side: averages per day, and day 1 laid on day 1. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from tracking.periods import Period, growth


@dataclass(frozen=True, slots=True)
class Day:
    """Day `number` (from 1) of both campaigns; None where one of them was already over.

    `…_sum` is what had come together up to and with that day.
    """

    number: int
    now_on: date | None
    before_on: date | None
    now: int | None
    before: int | None
    now_sum: int | None
    before_sum: int | None

    @property
    def growth(self) -> float | None:
        """Change of what had come together, while both ran."""
        return None if self.now_sum is None else growth(self.now_sum, self.before_sum)


@dataclass(frozen=True, slots=True)
class Aligned:
    """Both campaigns: their windows, their sums, and their days laid on each other."""

    now: Period
    before: Period
    days: tuple[Day, ...]
    now_total: int
    before_total: int

    @property
    def per_day(self) -> tuple[float, float]:
        """Person-times per day of each one's own window."""
        return self.now_total / self.now.days, self.before_total / self.before.days

    @property
    def per_day_growth(self) -> float | None:
        """Change of the daily average: what two windows of unequal length can be judged by."""
        return growth(*self.per_day)

    @property
    def total_growth(self) -> float | None:
        """Change of the sums, whatever the lengths."""
        return growth(self.now_total, self.before_total)

    @property
    def as_far(self) -> Day:
        """The last day on which both ran."""
        return self.days[min(self.now.days, self.before.days) - 1]


def align(now: Period, before: Period, per_day: tuple[Mapping[date, int], Mapping[date, int]]) -> Aligned:
    """Lay two windows on each other; `per_day` are the person-times by date of each, missing days are 0."""
    mine, theirs = (_Run(window, counts) for window, counts in zip((now, before), per_day, strict=True))
    days = tuple(
        Day(
            number=at + 1,
            now_on=mine.day(at),
            before_on=theirs.day(at),
            now=mine.count(at),
            before=theirs.count(at),
            now_sum=mine.sum(at),
            before_sum=theirs.sum(at),
        )
        for at in range(max(now.days, before.days))
    )
    return Aligned(now, before, days, mine.sums[-1], theirs.sums[-1])


class _Run:
    """One campaign by its own days, the first at 0; None after its end."""

    def __init__(self, window: Period, counts: Mapping[date, int]) -> None:
        self.days = [window.first + timedelta(number) for number in range(window.days)]
        self.counts = [counts.get(day, 0) for day in self.days]
        self.sums = list(accumulate(self.counts))

    def day(self, at: int) -> date | None:
        return self.days[at] if at < len(self.days) else None

    def count(self, at: int) -> int | None:
        return self.counts[at] if at < len(self.counts) else None

    def sum(self, at: int) -> int | None:
        return self.sums[at] if at < len(self.sums) else None
