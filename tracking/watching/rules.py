"""What is out of the ordinary in a series of daily visits. A day is compared with the same weekday of eight weeks.

The middle of those days is the expectation (`median`), their middle distance from it (MAD × 1.4826, which is the
standard deviation of a normal distribution) the spread; for counts it is never less than the root of the
expectation (Poisson). Medians, because an activity a month ago must not move what is expected today.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from core.i18n import mark

SPIKE, DROP, SILENCE = "spike", "drop", "silence"
KINDS = {SPIKE: mark("突增"), DROP: mark("骤降"), SILENCE: mark("静默")}
WATCHED = "visited"
WEEKS, FEWEST = 8, 4
# Eight weeks before the longest silence that is still seen to begin.
LOOK_BACK = timedelta(weeks=WEEKS + 4)
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)
_NORMAL = 1.4826

Counts = Mapping[date, int]
Holiday = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Rules:
    """How far is too far.

    A jump or fall is by `factor`, of at least `least` visits, and `deviations` spreads away. A silence is one in
    which at least `missed` visits were to be expected: by chance (Poisson) one in e^10, 22,000, and it must be
    longer than any of the weeks before, because people come in bursts.
    """

    factor: float = 3.0
    least: int = 30
    deviations: float = 5.0
    missed: float = 10.0


@dataclass(frozen=True, slots=True)
class Odd:
    """What is odd about a day: since when, what was expected of these days, what came."""

    kind: str
    first: date
    expected: int
    actual: int


def ordinary(counts: Counts, day: date, before: date, holiday: Holiday) -> list[int] | None:
    """The counts of the same weekday in the eight weeks before `before`; None for a series that is too young."""
    since = min(counts, default=before)
    found, at = list[int](), day
    while at >= before:
        at -= _WEEK
    for _number in range(WEEKS):
        if at < since:
            break
        if not holiday(at):
            found.append(counts.get(at, 0))
        at -= _WEEK
    return found if len(found) >= FEWEST else None


def expected(counts: Counts, day: date, before: date, holiday: Holiday) -> float | None:
    """What is expected of a day, from the days before `before`."""
    known = ordinary(counts, day, before, holiday)
    return None if known is None else median(known)


def judge(counts: Counts, day: date, holiday: Holiday, rules: Rules) -> Odd | None:
    """What is odd about `day` in a series of daily counts, of which the first known day is its beginning.

    Days without visits need not be in it. On a public holiday nothing is too little.
    """
    actual = counts.get(day, 0)
    if not actual:
        return _silence(counts, day, holiday, rules)
    known = ordinary(counts, day, day, holiday)
    if known is None:
        return None
    middle = median(known)
    spread = max(_NORMAL * median(abs(one - middle) for one in known), middle**0.5, 1.0)
    if abs(actual - middle) < max(rules.least, rules.deviations * spread):
        return None
    if actual >= rules.factor * middle:
        return Odd(SPIKE, day, round(middle), actual)
    if actual * rules.factor <= middle and not holiday(day):
        return Odd(DROP, day, round(middle), actual)
    return None


def _silence(counts: Counts, day: date, holiday: Holiday, rules: Rules) -> Odd | None:
    spoken = sorted(one for one, number in counts.items() if number and one < day)
    if not spoken or holiday(day):
        return None
    first = spoken[-1] + _DAY
    silent = [first + timedelta(number) for number in range((day - first).days + 1)]
    usual = [expected(counts, one, first, holiday) for one in silent if not holiday(one)]
    missed = sum(one for one in usual if one is not None)
    longest = max(((after - one).days - 1 for one, after in pairwise(spoken)), default=0)
    if missed < rules.missed or len(silent) <= longest:
        return None
    return Odd(SILENCE, first, round(missed), 0)
