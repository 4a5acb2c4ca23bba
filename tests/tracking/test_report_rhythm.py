"""tracking.report_rhythm: weeks, months, working days, year ends, what is due once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tracking.periods import Period
from tracking.report_rhythm import Clock, Due, Ended, earlier, newest, period_of, upcoming
from tracking.subscription_models import ReportSubscription

BEIJING = Clock(ZoneInfo("Asia/Shanghai"), "CN")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def one(**more: object) -> ReportSubscription:
    given: dict[str, Any] = {"name": "x", "span": "week", "by": "branch", "compare": "year", "rhythm": "weekly", "since": LONG_AGO,
             "made_at": LONG_AGO, "changed_at": LONG_AGO, **more}  # fmt: skip
    return ReportSubscription(**given)


@pytest.mark.parametrize(
    ("span", "day", "first", "last"),
    [
        ("week", "2026-01-01", "2025-12-22", "2025-12-28"),
        ("week", "2026-09-21", "2026-09-14", "2026-09-20"),
        ("week", "2026-09-20", "2026-09-07", "2026-09-13"),
        ("month", "2024-03-31", "2024-02-01", "2024-02-29"),
        ("month", "2026-01-05", "2025-12-01", "2025-12-31"),
        ("quarter", "2026-02-10", "2025-10-01", "2025-12-31"),
        ("quarter", "2026-12-31", "2026-07-01", "2026-09-30"),
        ("year", "2026-01-01", "2025-01-01", "2025-12-31"),
        ("year", "2026-03-01", "2026-01-01", "2026-02-28"),
    ],
)
def test_a_span_holds_only_days_that_are_over(span: str, day: str, first: str, last: str) -> None:
    found = period_of(span, date.fromisoformat(day))
    assert (str(found.first), str(found.last)) == (first, last)
    assert found.last < date.fromisoformat(day)


def local(due: Due) -> str:
    return f"{due.at.astimezone(BEIJING.zone):%Y-%m-%d %H}"


def test_weekly_and_monthly_fall_on_the_institutions_clock() -> None:
    now = datetime(2026, 9, 20, 23, 59, 59, tzinfo=UTC)  # 07:59:59 on Monday in Beijing
    assert [local(due) for due in newest(one(), BEIJING, now, [])] == ["2026-09-14 08"]
    assert [local(due) for due in newest(one(), BEIJING, now + timedelta(seconds=1), [])] == ["2026-09-21 08"]
    monthly = one(rhythm="monthly", month_day=31, span="month")
    assert [local(due) for due in upcoming(monthly, BEIJING, now, [])] == [
        "2026-09-30 08", "2026-10-31 08", "2026-11-30 08"]  # fmt: skip


def test_working_days_know_the_holidays_and_the_moved_weekends() -> None:
    first = one(rhythm="monthly", month_day=1, workdays=True)
    begin = datetime(2024, 9, 30, tzinfo=UTC) + timedelta(hours=12)
    assert local(upcoming(first, BEIJING, begin, [], 1)[0]) == "2024-10-08 08", "1 to 7 October are holidays"
    fifth = one(rhythm="monthly", month_day=5, workdays=True)
    assert local(upcoming(fifth, BEIJING, begin, [], 1)[0]) == "2024-10-12 08", "a Saturday that is worked"
    plain = Clock(BEIJING.zone)
    assert local(upcoming(first, plain, begin, [], 1)[0]) == "2024-10-01 08"


def test_nothing_is_due_before_it_was_set_up_and_the_earlier_ones_are_counted_from_there() -> None:
    now = datetime(2026, 9, 22, tzinfo=UTC)
    assert newest(one(since=now), BEIJING, now, []) == []
    since = datetime(2026, 9, 1, tzinfo=UTC)
    (due,) = newest(one(since=since), BEIJING, now, [])
    assert [local(each) for each in earlier(one(since=since), BEIJING, due.at)] == [
        "2026-09-14 08",
        "2026-09-07 08",
    ]


def test_after_a_campaign_counts_from_its_last_day_and_old_ones_are_no_news() -> None:
    ended = [
        Ended("c", Period(date(2026, 9, 1), date(2026, 9, 20))),
        Ended("old", Period(date(2026, 1, 1), date(2026, 1, 20))),
    ]
    after = one(rhythm="campaign", span="campaign", days_after=3)
    at = datetime(2026, 9, 23, 0, 0, tzinfo=UTC)
    assert [due.campaign for due in newest(after, BEIJING, at, ended)] == ["c"]
    assert newest(after, BEIJING, at - timedelta(seconds=1), ended) == []
