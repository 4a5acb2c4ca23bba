"""What was known before and after, with intervals that also hold for few: pure figures, nothing about a cause.

Paired (the same learners before and after): exact McNemar for whether anything changed; the interval of the difference
is Newcombe's tenth method for paired proportions (Statistics in Medicine 17, 1998, 2635–2650), made of Wilson's
intervals. Of different people: Newcombe's tenth for independent ones (ibid., 873–890).
"""

from math import comb, sqrt
from typing import NamedTuple

FEW = 30  # with fewer pairs a difference says little; reports say so
Z = 1.959964  # 95 %


class Pairs(NamedTuple):
    """Learners by what they knew before and after: both times, after alone, before alone, never."""

    both: int
    gained: int
    lost: int
    never: int

    @property
    def n(self) -> int:
        """How many learners."""
        return self.both + self.gained + self.lost + self.never


class Interval(NamedTuple):
    """From and to, as a share."""

    low: float
    high: float


class Change(NamedTuple):
    """Shares before and after, the difference with its interval, and how probable one as large is by chance alone."""

    n: int
    before: float
    after: float
    gain: float
    interval: Interval
    chance: float

    @property
    def few(self) -> bool:
        """Whether these are too few to say much."""
        return self.n < FEW


def wilson(right: int, n: int, z: float = Z) -> Interval:
    """Where the true share lies, 95 times of 100, when `right` of `n` were right; all of it where n is 0."""
    if n == 0:
        return Interval(0.0, 1.0)
    share, square = right / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * sqrt(share * (1 - share) / n + square / (4 * n * n))
    return Interval(min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


def mcnemar(gained: int, lost: int) -> float:
    """The exact two-sided probability of so uneven a change when each way is as likely as the other."""
    changed = gained + lost
    less = sum(comb(changed, at) for at in range(min(gained, lost) + 1))
    return float(min(1.0, 2 * less / 2**changed))


def paired(pairs: Pairs) -> Change | None:
    """The change of learners who answered both times; None where nobody did."""
    n = pairs.n
    if n == 0:
        return None
    first, second = pairs.both + pairs.lost, pairs.both + pairs.gained
    before, after = first / n, second / n
    one, two = wilson(second, n), wilson(first, n)
    phi = _phi(pairs)
    down = _root(
        (after - one.low) ** 2, (after - one.low) * (two.high - before), (two.high - before) ** 2, phi
    )
    up = _root((one.high - after) ** 2, (one.high - after) * (before - two.low), (before - two.low) ** 2, phi)
    gain = after - before
    interval = Interval(max(-1.0, gain - down), min(1.0, gain + up))
    return Change(n, before, after, gain, interval, mcnemar(pairs.gained, pairs.lost))


def apart(right_before: int, n_before: int, right_after: int, n_after: int) -> Interval:
    """The interval of the difference between two groups of different people."""
    if not n_before or not n_after:
        return Interval(-1.0, 1.0)
    before, after = right_before / n_before, right_after / n_after
    two, one = wilson(right_before, n_before), wilson(right_after, n_after)
    down = sqrt((after - one.low) ** 2 + (two.high - before) ** 2)
    up = sqrt((one.high - after) ** 2 + (before - two.low) ** 2)
    return Interval(after - before - down, after - before + up)


def _phi(pairs: Pairs) -> float:
    """How much the two answers of a learner go together; with Newcombe's correction for continuity."""
    both, gained, lost, never = pairs
    sums = (both + gained) * (lost + never) * (both + lost) * (gained + never)
    if not sums:
        return 0.0
    top = float(both * never - gained * lost)
    if top > 0:
        top = max(top - pairs.n / 2, 0.0)
    return top / sqrt(sums)


def _root(first: float, between: float, last: float, phi: float) -> float:
    return sqrt(max(0.0, first - 2 * phi * between + last))
