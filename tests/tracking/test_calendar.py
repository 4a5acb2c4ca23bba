"""The calendar, day by day: whatever period is asked for, its base is what a person with a calendar would name."""

import calendar
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core import clock
from core.errors import Invalid
from tests.tracking.rows import event, ship
from tracking import groupings, measure, periods, snapshot
from tracking.definition import FIRST
from tracking.dimensions import Tree
from tracking.events import ReachEvent
from tracking.periods import Compared, Period, compare, growth, named, whole_months, year_before
from tracking.question import Question
from tracking.store import ReachStore

DAY = timedelta(days=1)
DAYS = st.dates(date(1972, 1, 1), date(2140, 12, 31))
LEAP = st.sampled_from([year for year in range(1972, 2099) if calendar.isleap(year)])
ENGINE = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def spans(draw: st.DrawFn, most: int = 400) -> Period:
    """Any period; often one that touches a month's or a year's end."""
    first = draw(DAYS)
    if draw(st.booleans()):
        first = first.replace(day=1) - DAY * draw(st.integers(0, 2))
    last = first + timedelta(draw(st.integers(0, most)))
    if draw(st.booleans()):
        last = last.replace(day=calendar.monthrange(last.year, last.month)[1])
    return Period(first, last)


@st.composite
def months(draw: st.DrawFn) -> Period:
    """From one to thirty whole calendar months."""
    first = draw(DAYS).replace(day=1)
    last = first
    for _number in range(draw(st.integers(0, 29))):
        last = (last + timedelta(31)).replace(day=1)
    return Period(first, last.replace(day=calendar.monthrange(last.year, last.month)[1]))


def days_of(period: Period) -> list[date]:
    return [period.first + DAY * number for number in range(period.days)]


def base_of(period: Period, mode: str) -> Period:
    base = compare(period, mode).base
    assert base is not None
    return base


# leap years


@given(LEAP)
def test_a_leap_year_beside_a_common_one_and_the_other_way_round(year: int) -> None:
    assert base_of(named(f"{year}"), "year") == named(f"{year - 1}")
    assert base_of(named(f"{year + 1}"), "year") == named(f"{year}")
    assert base_of(named(f"{year}-02"), "year") == named(f"{year - 1}-02")
    assert base_of(named(f"{year + 1}-02"), "year") == named(f"{year}-02"), "a whole month has a whole month"
    assert base_of(named(f"{year + 1}-02"), "year").days == 29


@given(LEAP)
def test_days_around_the_29th_of_february(year: int) -> None:
    day = date(year, 2, 29)
    assert year_before(day) == date(year - 1, 2, 28)
    assert base_of(Period(day, day), "year") == Period(date(year - 1, 2, 28), date(year - 1, 2, 28))
    cut = Period(date(year + 1, 2, 10), date(year + 1, 2, 28))
    assert base_of(cut, "year") == Period(date(year, 2, 10), date(year, 2, 28)), "the same dates, no more"
    one = date(year + 1, 2, 28)
    assert base_of(Period(one, one), "year").days == 1


@given(st.integers(1972, 2098), st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_the_bases_of_a_years_parts_make_up_the_year_before(year: int, length: int) -> None:
    parts = [
        Period(
            date(year, month, 1),
            date(year, month + length - 1, calendar.monthrange(year, month + length - 1)[1]),
        )
        for month in range(1, 13, length)
    ]
    bases = [day for part in parts for day in days_of(base_of(part, "year"))]
    assert bases == days_of(named(f"{year - 1}")), "no day is missing and none is twice"


@given(spans())
def test_the_same_dates_of_the_year_before(period: Period) -> None:
    base = base_of(period, "year")
    assert base.first == year_before(period.first)
    assert (base.last.month, base.last.year) == (period.last.month, period.last.year - 1)
    if (period.last.month, period.last.day) not in ((2, 28), (2, 29)):
        assert base.last.day == period.last.day


# weeks and year ends


@given(spans())
def test_weekdays_stand_beside_the_same_weekdays(period: Period) -> None:
    base = base_of(period, "weekdays")
    pairs = list(zip(days_of(period), days_of(base), strict=True))
    assert all(now.weekday() == before.weekday() and (now - before).days == 364 for now, before in pairs)
    assert Counter(day.weekday() for day in days_of(period)) == Counter(
        day.weekday() for day in days_of(base)
    )


@given(st.integers(1972, 2097))
def test_iso_weeks_over_the_turn_of_the_year(year: int) -> None:
    turn = Period(date(year, 12, 20), date(year + 1, 1, 12))
    keys = groupings.moments("week", turn)
    assert len(keys) == len(set(keys))
    assert keys == [f"{day:%G}-W{day:%V}" for day in days_of(turn) if day.weekday() == 0 or day == turn.first]
    last = (
        date(year, 12, 28).isocalendar().week
    )  # the 28th of December is always in the last week of its year
    assert f"{year}-W{last:02d}" in keys and last in (52, 53)
    assert (f"{year}-W53" in keys) == (last == 53)


def test_years_with_53_weeks() -> None:
    found = [y for y in range(2000, 2033) if "W53" in groupings.moments("week", named(f"{y}"))[-1]]
    assert set(found) <= {2004, 2009, 2015, 2020, 2026, 2032}
    assert "2020-W53" in groupings.moments("week", named("2021")), "the first days of 2021"
    assert "2025-W01" in groupings.moments("week", named("2024")), "the last days of 2024"


@given(spans(most=800), st.sampled_from(["year", "quarter", "month", "week", "day"]))
def test_every_day_has_its_key_and_every_key_a_day(period: Period, by: str) -> None:
    known = groupings.moments(by, period)
    assert known == sorted(known) == list(dict.fromkeys(known))
    keys: dict[str, Callable[[date], str]] = {
        "year": lambda d: f"{d:%Y}",
        "quarter": lambda d: f"{d:%Y}-Q{(d.month + 2) // 3}",
        "month": lambda d: f"{d:%Y-%m}",
        "week": lambda d: f"{d:%G}-W{d:%V}",
        "day": lambda d: d.isoformat(),
    }
    wanted = keys[by]
    assert set(known) == {wanted(day) for day in days_of(period)}


# what came before


@given(months())
def test_whole_months_have_as_many_months_before(period: Period) -> None:
    base = base_of(period, "previous")
    assert base.last == period.first - DAY
    assert base.first.day == 1 and whole_months(base) == whole_months(period) > 0


@given(spans())
def test_ragged_days_have_as_many_days_before(period: Period) -> None:
    assume(not whole_months(period))
    base = base_of(period, "previous")
    assert (base.last, base.days) == (period.first - DAY, period.days)
    assert not compare(period, "previous").per_day


def test_months_of_unequal_length_need_averages() -> None:
    march = compare(named("2023-03"), "previous")
    assert march.base == named("2023-02") and march.per_day
    assert compare(named("2023-Q1"), "previous").base == named("2022-Q4")
    assert compare(named("2023-Q2"), "previous").base == named("2023-Q1")
    assert compare(named("2024-01"), "previous").base == named("2023-12"), "over the turn of the year"
    assert not compare(named("2024-01"), "previous").per_day, "both have 31 days"


@given(spans(most=90))
def test_whole_months_are_counted_as_a_calendar_shows_them(period: Period) -> None:
    inside = set(days_of(period))
    touched = {(day.year, day.month) for day in inside}
    complete = {
        (year, month)
        for year, month in touched
        if all(date(year, month, day) in inside for day in range(1, calendar.monthrange(year, month)[1] + 1))
    }
    assert whole_months(period) == (len(touched) if complete == touched else 0)


# the same, said by the engine


def moved(store: ReachStore, compared: Compared) -> list[date]:
    """Every day of the base, as the engine shows it."""
    assert compared.base is not None
    shifted = compared.forward(f"toDate('{compared.base.first}') + number")
    sql = f"SELECT {shifted} FROM numbers({compared.base.days}) ORDER BY number"
    return [row[0] for row in store.query(sql)]


@ENGINE
@given(spans(), st.sampled_from(["year", "weekdays", "previous"]))
def test_no_day_of_a_base_falls_out_of_the_period(store: ReachStore, period: Period, mode: str) -> None:
    compared = compare(period, mode)
    shown = moved(store, compared)
    assert shown == sorted(shown)
    assert all(period.first <= day <= period.last for day in shown), compared
    if mode == "weekdays":
        assert shown == days_of(period)


@ENGINE
@given(LEAP)
def test_the_engine_moves_the_29th_of_february_as_the_calendar_does(store: ReachStore, year: int) -> None:
    after = dict(
        zip(days_of(named(f"{year}")), moved(store, compare(named(f"{year + 1}"), "year")), strict=True)
    )
    assert after[date(year, 2, 29)] == after[date(year, 2, 28)] == date(year + 1, 2, 28)
    one = Period(date(year, 2, 29), date(year, 2, 29))
    assert moved(store, compare(one, "year")) == [one.first], "28 February stands beside the 29th"


@ENGINE
@given(months())
def test_whole_months_move_by_months(store: ReachStore, period: Period) -> None:
    compared = compare(period, "previous")
    assert compared.base is not None
    number = whole_months(period)
    for before, now in zip(days_of(compared.base), moved(store, compared), strict=True):
        year, month = divmod(before.year * 12 + before.month - 1 + number, 12)
        day = min(before.day, calendar.monthrange(year, month + 1)[1])
        assert now == date(year, month + 1, day)


# campaigns of unequal length, and no base at all


@ENGINE
@given(spans(most=40), st.integers(1, 800), st.integers(0, 40))
def test_campaigns_are_laid_day_one_on_day_one(
    store: ReachStore, period: Period, back: int, length: int
) -> None:
    begun = period.first - DAY * back
    assume(begun >= date(1971, 1, 1))
    compared = compare(period, "campaign", Period(begun, begun + DAY * length))
    assert moved(store, compared) == [period.first + DAY * number for number in range(length + 1)]
    assert compared.per_day == (length + 1 != period.days)


@given(st.integers(0, 10**12), st.one_of(st.none(), st.integers(-(10**12), 0)))
def test_without_a_base_there_is_no_growth(now: int, before: int | None) -> None:
    assert growth(now, before) is None


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_with_a_base_growth_leads_back_to_it(now: int, before: int) -> None:
    found = growth(now, before)
    assert found is not None and found >= -1
    assert abs(before * (1 + found) - now) <= before * 1e-6


def test_days_that_nobody_can_count_are_refused_in_a_sentence() -> None:
    for first, last in ((date(1, 1, 1), date(1, 1, 2)), (date(9999, 12, 1), date.max)):
        with pytest.raises(Invalid):
            Period(first, last)
    for mode in ("year", "weekdays", "previous"):
        with pytest.raises(Invalid):
            compare(Period(date(1970, 1, 1), date(1970, 1, 31)), mode)
    assert base_of(Period(date(2148, 12, 1), date(2148, 12, 31)), "year").last == date(2147, 12, 31)


# time zones


ZONES = ("Asia/Shanghai", "Asia/Urumqi", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC")


@ENGINE
@given(
    st.integers(788_918_400, 2_051_222_400).map(lambda second: datetime.fromtimestamp(second, UTC)),
    st.sampled_from(ZONES),
)
def test_a_days_boundary_is_the_institutions_midnight(store: ReachStore, at: datetime, zone: str) -> None:
    day = clock.day_of(at, ZoneInfo(zone))
    sql = f"SELECT toDate(toDateTime({int(at.timestamp())}, 'UTC'), '{zone}')"
    assert store.query(sql)[0][0] == day


def test_the_last_and_first_second_of_a_day() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    midnight = datetime(2022, 12, 31, 16, tzinfo=UTC)
    assert clock.day_of(midnight, zone) == date(2023, 1, 1)
    assert clock.day_of(midnight - timedelta(seconds=1), zone) == date(2022, 12, 31)


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2023-03-26", 23), ("2023-10-29", 25), ("2023-06-01", 24)],
    ids=["short", "long", "plain"],
)
def test_hours_of_days_on_which_the_clock_is_changed(store: ReachStore, day: str, hours: int) -> None:
    store.zone, zone = "Europe/Berlin", ZoneInfo("Europe/Berlin")
    begun = datetime.combine(date.fromisoformat(day), datetime.min.time(), zone).astimezone(UTC)
    instants = [begun + timedelta(hours=number) for number in range(hours)]
    assert {clock.day_of(at, zone) for at in instants} == {date.fromisoformat(day)}, "all of one day"
    assert clock.day_of(begun + timedelta(hours=hours), zone) == date.fromisoformat(day) + DAY
    ship(store, "seg-1", [_at(day, at, number) for number, at in enumerate(instants, 1)])
    period = Period(date.fromisoformat(day), date.fromisoformat(day))
    question = Question(("hour",), people=False)
    found = measure.measure(store, Tree({}), question, period, FIRST, snapshot=snapshot.take(store, FIRST))
    assert {key[0]: one.gross for key, one in found.rows.items()} == Counter(
        f"{at.astimezone(zone):%H}" for at in instants
    )
    assert found.total.gross == hours


def _at(day: str, at: datetime, visitor: int) -> ReachEvent:
    return replace(event(day, visitor=visitor), at=at)


@given(spans(), st.sampled_from(periods.MODES))
def test_comparing_never_fails_within_the_days_that_can_be_counted(period: Period, mode: str) -> None:
    compared = compare(period, mode)
    assert (compared.base is None) == (mode == "none")
