"""When plans are due: on the institution's clock, across changes of its offset."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.recurrence import check_rule, in_words, next_due, parse_local, upcoming
from core.errors import Invalid

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 9, 15, 6, 30, tzinfo=UTC)


def test_once() -> None:
    assert next_due("2026-09-15T15:00", "", SHANGHAI, NOW) == datetime(2026, 9, 15, 7, tzinfo=UTC)
    assert next_due("2026-09-15T14:30", "", SHANGHAI, NOW) is None


def test_every_tuesday() -> None:
    found = upcoming("2026-09-15T09:00", "FREQ=WEEKLY;BYDAY=TU", SHANGHAI, NOW, 3)
    assert [at.isoformat() for at in found] == [
        "2026-09-22T01:00:00+00:00",
        "2026-09-29T01:00:00+00:00",
        "2026-10-06T01:00:00+00:00",
    ]


def test_nine_stays_nine_when_the_offset_changes() -> None:
    found = upcoming("2026-10-23T09:00", "FREQ=DAILY", BERLIN, datetime(2026, 10, 23, tzinfo=UTC), 4)
    assert [at.astimezone(BERLIN).hour for at in found] == [9] * 4
    assert [at.hour for at in found] == [7, 7, 8, 8]


def test_an_hour_that_is_skipped_still_fires_once() -> None:
    found = upcoming("2026-03-28T02:30", "FREQ=DAILY", BERLIN, datetime(2026, 3, 27, tzinfo=UTC), 3)
    assert [at.isoformat() for at in found] == [
        "2026-03-28T01:30:00+00:00",
        "2026-03-29T01:30:00+00:00",  # 02:30 does not exist; the clock shows 03:30
        "2026-03-30T00:30:00+00:00",
    ]


def test_an_hour_that_comes_twice_fires_once() -> None:
    found = upcoming("2026-10-24T02:30", "FREQ=DAILY", BERLIN, datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert [at.isoformat() for at in found] == ["2026-10-25T00:30:00+00:00", "2026-10-26T01:30:00+00:00"]


def test_until_counts_its_whole_last_day() -> None:
    found = upcoming("2026-09-15T23:00", "FREQ=DAILY;UNTIL=20260917", SHANGHAI, NOW, 9)
    assert len(found) == 3
    assert next_due("2026-09-15T09:00", "FREQ=DAILY;COUNT=1", SHANGHAI, NOW) is None


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY",
        "FREQ=SECONDLY",
        "WEEKLY",
        "FREQ=DAILY;BYHOUR=1,2",
        "FREQ=DAILY;INTERVAL=x",
        "FREQ=WEEKLY;BYDAY=XX",
        "DTSTART:20260101",
    ],
)
def test_rules_that_are_refused(rule: str) -> None:
    with pytest.raises(Invalid):
        check_rule(rule)


def test_a_rule_is_kept_in_one_spelling() -> None:
    assert check_rule(" rrule:freq=weekly; byday=tu ") == "FREQ=WEEKLY;BYDAY=TU"
    assert check_rule("") == ""


@pytest.mark.parametrize("text", ["", "2026-13-01T09:00", "tomorrow", "2026-09-15T09:00+08:00"])
def test_times_that_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_local(text)


@given(
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=DAILY;INTERVAL=3", "FREQ=MONTHLY;BYMONTHDAY=-1"]),
    st.sampled_from([BERLIN, SHANGHAI, ZoneInfo("America/Sao_Paulo"), ZoneInfo("Australia/Lord_Howe")]),
)
def test_next_is_later_and_walking_skips_nothing(after: datetime, rule: str, zone: ZoneInfo) -> None:
    walked, at = [], after
    for _ in range(4):
        due = next_due("2026-01-15T02:15", rule, zone, at)
        assert due is not None and due > at
        walked.append(due)
        at = due
    assert walked == upcoming("2026-01-15T02:15", rule, zone, after, 4)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("", "只发一次"),
        ("FREQ=WEEKLY;BYDAY=TU", "每周二"),
        ("FREQ=WEEKLY;BYDAY=TU,TH", "每周二、周四"),
        ("FREQ=MONTHLY;BYDAY=2TU", "每月第 2 个周二"),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "每月 15 日"),
        ("FREQ=DAILY;INTERVAL=3", "FREQ=DAILY;INTERVAL=3"),
    ],
)
def test_a_rule_in_words(rule: str, words: str) -> None:
    assert in_words(rule) == words
