"""Which days a series means: whatever the rule, holidays named and left out, moved weekends known."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign.events import days
from campaign.events.models import EventDate, EventSeries
from core.i18n import using_locale

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = st.dates(date(2026, 1, 1), date(2027, 6, 30))
RULES = st.sampled_from(
    [
        "", "FREQ=DAILY", "FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=TU", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH", days.WORKING_DAYS,
        "FREQ=MONTHLY;BYDAY=2TH", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=WEEKLY;BYDAY=TU;COUNT=5",
    ]
)  # fmt: skip


def series(rule: str, first: date = date(2026, 1, 1), **more: Any) -> EventSeries:
    return EventSeries(
        id=1, code="s", name="相约星期二", rule=rule, first_on=first, created_at=NOW, updated_at=NOW, **more
    )


def of(one: EventSeries, first: date, last: date, *dates: EventDate) -> list[days.PlannedDay]:
    return days.days(one, dates, first, last, country="CN")


@settings(deadline=None)
@given(RULES, DAYS, DAYS, st.integers(0, 70), st.booleans())
def test_days_rise_lie_in_the_span_and_none_depends_on_how_much_is_asked(
    rule: str, begin: date, first: date, length: int, held: bool
) -> None:
    one, last = series(rule, begin, on_holidays=held), first + timedelta(days=length)
    found = of(one, first, last)
    plain = [each.day for each in found]
    assert plain == sorted(set(plain))
    assert all(first <= day <= last and day >= begin for day in plain)
    assert [each for day in plain for each in of(one, day, day)] == found
    assert held is False or not any(each.skipped for each in found)
    for each in found:
        assert each.skipped == (not held and bool(days.holiday("CN", each.day)))


@settings(deadline=None)
@given(DAYS, st.integers(1, 60))
def test_an_end_is_kept(first: date, length: int) -> None:
    one = series("FREQ=DAILY", first, last_on=first + timedelta(days=length), on_holidays=True)
    found = of(one, first, first + timedelta(days=200))
    assert [found[0].day, found[-1].day] == [first, one.last_on]


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 2, 17), "春节"),
        (date(2026, 10, 6), "调休放假"),
        (date(2026, 5, 5), "调休放假"),
        (date(2026, 9, 29), ""),
    ],
)
def test_tuesdays_that_are_holidays_are_left_out_with_their_name(day: date, name: str) -> None:
    (found,) = of(series("FREQ=WEEKLY;BYDAY=TU"), day, day)
    assert (found.skipped, found.why) == (bool(name), name)


def test_a_holiday_has_its_name_in_the_language_of_who_asks() -> None:
    with using_locale("en"):
        assert days.holiday("CN", date(2026, 10, 1)) == "National Day"
    assert days.holiday("CN", date(2026, 10, 1)) == "国庆节"
    assert days.holiday("", date(2026, 10, 1)) == ""


def test_a_series_of_working_days_is_held_on_a_weekend_on_which_people_work() -> None:
    found = of(series(days.WORKING_DAYS), date(2026, 10, 1), date(2026, 10, 14))
    held = [one.day.day for one in found if not one.skipped]
    assert held == [8, 9, 10, 12, 13, 14], "1 to 7 October are holidays, Saturday the 10th makes up for one"
    assert next(one for one in found if one.day.day == 10).works
    assert days.working_weekends("CN", date(2026, 2, 1), date(2026, 2, 28)) == [
        date(2026, 2, 14),
        date(2026, 2, 28),
    ]
    assert days.working_weekends("", date(2026, 2, 1), date(2026, 2, 28)) == []


def test_what_is_decided_of_a_day_stands() -> None:
    tuesday, holiday = date(2026, 9, 22), date(2026, 10, 6)
    one = series("FREQ=WEEKLY;BYDAY=TU")
    skipped = EventDate(series_id=1, day=tuesday, skipped=True, reason="盘点")
    moved = EventDate(series_id=1, day=holiday, moved_to=date(2026, 10, 8), theme="国庆防骗")
    same = EventDate(series_id=1, day=holiday, moved_to=holiday)
    themed = EventDate(series_id=1, day=holiday, theme="国庆防骗")
    (first,) = of(one, tuesday, tuesday, skipped)
    assert (first.skipped, first.why) == (True, "盘点")
    (second,) = of(one, holiday, holiday, moved)
    assert (second.skipped, second.on, second.topic, second.moved) == (
        False,
        date(2026, 10, 8),
        "国庆防骗",
        True,
    )
    assert not of(one, holiday, holiday, same)[0].skipped, "held all the same"
    assert of(one, holiday, holiday, themed)[0].skipped, "a theme alone does not hold it on a holiday"
    other = EventDate(series_id=1, day=date(2026, 9, 23), theme="周三")
    assert [each.day for each in of(one, tuesday, date(2026, 9, 28), other)] == [tuesday], (
        "no day of the rule"
    )
