"""What is out of the ordinary, and what is not."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.watching.days import DAY, never, weeks
from tracking.watching.rules import DROP, SILENCE, SPIKE, Odd, Rules, judge

RULES = Rules()
OFFICE = [20, 20, 20, 20, 20, 0, 0]
TODAY = {DAY: 0}


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


@pytest.mark.parametrize(
    ("visits", "kind"),
    [(100, None), (299, None), (300, SPIKE), (34, None), (33, DROP), (1, DROP), (0, SILENCE)],
)
def test_three_times_as_many_or_a_third(visits: int, kind: str | None) -> None:
    found = judge(weeks(9, [100] * 7, but={DAY: visits}), DAY, never, RULES)
    assert (found.kind if found else None) == kind
    assert found is None or found == Odd(found.kind, DAY, 100, visits)


def test_small_numbers_do_not_ring() -> None:
    """Nine visits instead of two are many times as many, and mean nothing."""
    assert judge(weeks(9, [2] * 7, but={DAY: 9}), DAY, never, RULES) is None
    assert judge(weeks(9, [2] * 7, but={DAY: 40}), DAY, never, RULES) == Odd(SPIKE, DAY, 2, 40)


def test_a_series_that_swings_anyway_does_not_ring() -> None:
    swinging = {ago(7 * number): 20 if number % 2 else 400 for number in range(1, 9)}
    assert judge(weeks(9, [100] * 7, but=swinging | {DAY: 700}), DAY, never, RULES) is None
    calm = {ago(7 * number): 210 for number in range(1, 9)}
    assert judge(weeks(9, [100] * 7, but=calm | {DAY: 700}), DAY, never, RULES) is not None, "the control"


def test_one_great_day_a_month_ago_moves_nothing() -> None:
    assert judge(weeks(9, [100] * 7, but={ago(28): 90_000, DAY: 300}), DAY, never, RULES) is not None


def test_a_day_is_compared_with_its_weekday() -> None:
    market = [20, 400, 20, 20, 20, 20, 20]
    assert judge(weeks(9, market), DAY, never, RULES) is None
    monday = ago(1)
    assert judge(weeks(9, market, but={monday: 400}), monday, never, RULES) == Odd(SPIKE, monday, 20, 400)


def test_what_began_lately_is_not_judged() -> None:
    young = weeks(3, [100] * 7, but={DAY: 900})
    assert judge(young, DAY, never, RULES) is None
    assert judge(weeks(4, [100] * 7, but={DAY: 900}), DAY, never, RULES) is not None


def test_a_code_that_brought_visits_every_day_brings_none() -> None:
    assert judge(weeks(9, [12] * 7, but=TODAY), DAY, never, RULES) == Odd(SILENCE, DAY, 12, 0)


def test_the_quieter_the_code_the_longer_one_waits() -> None:
    silent: dict[date, int] = {}
    for days in range(1, 5):
        silent[ago(4 - days)] = 0
        found = judge(weeks(9, [3] * 7, but=silent), ago(4 - days), never, RULES)
        assert found == (Odd(SILENCE, ago(3), 12, 0) if days == 4 else None)


def test_closed_weekends_are_no_silence_but_a_monday_after_them_is() -> None:
    sunday, monday = ago(2), ago(1)
    assert judge(weeks(9, OFFICE), sunday, never, RULES) is None
    found = judge(weeks(9, OFFICE, but={monday: 0}), monday, never, RULES)
    assert found == Odd(SILENCE, ago(3), 20, 0)


def test_no_longer_than_silences_before_is_no_silence() -> None:
    gaps = {ago(number): 0 for number in (20, 21, 0, 1)}
    assert judge(weeks(9, [30] * 7, but=gaps), DAY, never, RULES) is None
    assert judge(weeks(9, [30] * 7, but=gaps | {ago(2): 0}), DAY, never, RULES) is not None


def test_on_a_holiday_nothing_is_too_little_and_it_is_no_measure_for_later() -> None:
    def holiday(day: date) -> bool:
        return ago(7) <= day <= ago(1)

    week = {ago(number): 0 for number in range(1, 8)}
    counts = weeks(9, [50] * 7, but=week)
    assert all(judge(counts, ago(number), holiday, RULES) is None for number in range(1, 8))
    assert judge(counts, DAY, holiday, RULES) is None
    assert judge(counts | TODAY, DAY, holiday, RULES) is not None, "but the day after is one of work"


def test_nothing_at_all_is_nothing() -> None:
    assert judge({}, DAY, never, RULES) is None


@given(st.lists(st.integers(0, 500), min_size=7, max_size=7))
def test_a_week_like_every_other_is_never_odd(week: Sequence[int]) -> None:
    counts = weeks(12, week)
    for number in range(7):
        assert judge(counts, ago(number), never, RULES) is None


@given(st.integers(1, 2_000), st.integers(0, 5_000))
def test_kinds_are_what_they_say(usual: int, visits: int) -> None:
    found = judge(weeks(9, [usual] * 7, but={DAY: visits}), DAY, never, RULES)
    if found is None:
        assert visits < max(usual * RULES.factor, usual + RULES.least) and (
            visits or usual < RULES.missed or usual < 10
        )
    elif found.kind == SPIKE:
        assert visits >= usual * RULES.factor and visits - usual >= RULES.least
    elif found.kind == DROP:
        assert 0 < visits * RULES.factor <= usual and usual - visits >= RULES.least
    else:
        assert visits == 0 and usual >= RULES.missed
