"""Periods: what is compared with what, and a growth that is never infinite."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from tracking import periods
from tracking.periods import Period, compare, growth, named

DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


def test_the_same_dates_last_year() -> None:
    base = compare(Period(date(2023, 1, 1), date(2023, 12, 31)), "year").base
    assert base == Period(date(2022, 1, 1), date(2022, 12, 31))


def test_the_29th_of_february_maps_to_the_28th() -> None:
    leap = Period(date(2024, 2, 1), date(2024, 2, 29))
    assert compare(leap, "year").base == Period(date(2023, 2, 1), date(2023, 2, 28))
    assert compare(Period(date(2024, 2, 29), date(2024, 2, 29)), "year").base == Period(
        date(2023, 2, 28), date(2023, 2, 28)
    )


def test_the_same_weekdays_are_52_weeks_back() -> None:
    compared = compare(Period(date(2023, 9, 4), date(2023, 9, 10)), "weekdays")
    assert compared.base == Period(date(2022, 9, 5), date(2022, 9, 11))


@given(DAYS, st.integers(0, 400), st.sampled_from(["year", "weekdays"]))
def test_a_base_lies_a_year_before_and_is_as_long(first: date, length: int, mode: str) -> None:
    period = Period(first, first + timedelta(length))
    base = compare(period, mode).base
    assert base is not None
    assert timedelta(363) < period.first - base.first < timedelta(368)
    assert abs(base.days - period.days) <= (1 if mode == "year" else 0) + length // 366
    if mode == "weekdays":
        assert base.first.weekday() == period.first.weekday()


def test_nothing_is_compared_on_request() -> None:
    assert compare(Period(date(2023, 1, 1), date(2023, 1, 2)), "none").base is None


def test_campaigns_of_different_length_are_compared_per_day_too() -> None:
    period = Period(date(2025, 9, 15), date(2025, 9, 21))
    month = Period(date(2024, 9, 1), date(2024, 9, 30))
    assert compare(period, "campaign", month).per_day
    assert not compare(period, "campaign", Period(date(2024, 9, 15), date(2024, 9, 21))).per_day
    assert compare(period, "campaign").mode == "none", "no campaign last year: nothing to compare with"


def test_growth_is_a_fraction_or_nothing() -> None:
    assert growth(288_000_000, 174_545_455) == 0.65
    assert growth(5, 10) == -0.5
    assert growth(0, 10) == -1.0
    assert growth(5, 0) is None
    assert growth(5, None) is None
    assert growth(5, -3) is None


def test_names_of_periods() -> None:
    assert named("2023") == Period(date(2023, 1, 1), date(2023, 12, 31))
    assert named("2023-Q1") == Period(date(2023, 1, 1), date(2023, 3, 31))
    assert named("2024-02") == Period(date(2024, 2, 1), date(2024, 2, 29))
    for wrong in ("", "23", "2023-13", "2023-Q5", "2023-1"):
        with pytest.raises(Invalid):
            named(wrong)


def test_titles_of_periods() -> None:
    titles = [periods.title(named(text)) for text in ("2023", "2023-Q3", "2023-09")]
    assert titles == ["2023 年", "2023 年第 3 季度", "2023 年 9 月"]
    assert periods.title(Period(date(2023, 3, 8), date(2023, 3, 22))) == "2023-03-08 至 2023-03-22"


def test_wrong_periods_are_refused() -> None:
    with pytest.raises(Invalid):
        Period(date(2023, 1, 2), date(2023, 1, 1))
    with pytest.raises(Invalid):
        Period(date(1900, 1, 1), date(2023, 1, 1))
    with pytest.raises(Invalid):
        compare(named("2023"), "month")
    with pytest.raises(Invalid) as wrong:
        periods.day("2023-02-30", "from")
    assert wrong.value.field == "from"
