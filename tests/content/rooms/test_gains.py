"""content.rooms.gains: against figures reckoned in another way, and against every table of a size."""

from fractions import Fraction
from itertools import product
from math import comb, factorial, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as some

from content.rooms.gains import Pairs, Z, apart, mcnemar, paired, wilson

COUNT = some.integers(0, 60)


@given(COUNT, COUNT)
def test_mcnemar_is_the_share_of_all_ways_that_are_at_most_as_probable(gained: int, lost: int) -> None:
    changed = gained + lost
    ways = [comb(changed, at) for at in range(changed + 1)]
    as_rare = sum(way for way in ways if way <= ways[gained])
    assert mcnemar(gained, lost) == pytest.approx(float(Fraction(as_rare, 2**changed)))


@given(some.integers(1, 400), some.data())
def test_wilson_ends_where_the_normal_test_just_refuses(n: int, data: some.DataObject) -> None:
    right = data.draw(some.integers(0, n))
    low, high = wilson(right, n)
    assert 0 <= low <= right / n <= high <= 1
    for end in (low, high):
        if 1e-9 < end < 1 - 1e-9:
            assert abs(right / n - end) == pytest.approx(Z * sqrt(end * (1 - end) / n), abs=1e-9)


def test_wilson_of_nothing_is_everything() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_published_examples_come_out() -> None:
    """Newcombe 1998: 56 of 70 against 48 of 80 (independent; here as after and before)."""
    low, high = apart(48, 80, 56, 70)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)
    low, high = apart(0, 10, 10, 10)
    assert round(low, 4) == 0.6075
    assert high == pytest.approx(1)


@given(COUNT, COUNT, COUNT, COUNT)
def test_turning_before_and_after_round_turns_the_interval_round(a: int, b: int, c: int, d: int) -> None:
    there, back = paired(Pairs(a, b, c, d)), paired(Pairs(a, c, b, d))
    if there is None or back is None:
        assert a + b + c + d == 0
        return
    assert there.gain == pytest.approx((b - c) / (a + b + c + d))
    assert there.gain == pytest.approx(-back.gain)
    assert (there.interval.low, there.interval.high) == pytest.approx(
        (-back.interval.high, -back.interval.low)
    )
    assert -1 <= there.interval.low <= there.gain + 1e-12
    assert there.gain - 1e-12 <= there.interval.high <= 1
    assert there.few == (there.n < 30)


@pytest.mark.parametrize("truth", [(0.4, 0.3, 0.1, 0.2), (0.25, 0.25, 0.25, 0.25), (0.6, 0.2, 0.05, 0.15)])
def test_the_interval_holds_the_truth_about_95_times_of_100(truth: tuple[float, float, float, float]) -> None:
    """Every table of twenty learners, weighed by how probable it is: nothing is drawn by lot."""
    n, held = 20, 0.0
    for both, gained, lost in product(range(n + 1), repeat=3):
        never = n - both - gained - lost
        if never < 0:
            continue
        table = (both, gained, lost, never)
        weight: float = factorial(n)
        for count, share in zip(table, truth, strict=True):
            weight *= share**count / factorial(count)
        change = paired(Pairs(*table))
        assert change is not None
        held += weight * (change.interval.low <= truth[1] - truth[2] <= change.interval.high)
    assert 0.93 <= held <= 0.99
