"""When a message may go out, by the clock: year ends, days off, zones that change their offset, crowded minutes."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.database import Database
from core.errors import Invalid
from core.privacy import Vault
from scheduler import planner, rules, windows
from scheduler.models import Plan, PushState
from scheduler.windows import DAY, NEXT, SKIP, Rules
from tests.scheduler import audience_cast

CHINA, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
SMS = Rules(8 * 60, 22 * 60)
OFF = partial(rules.off, "CN")


def _at(text: str, zone: ZoneInfo = CHINA) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def _said(at: datetime, zone: ZoneInfo = CHINA) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ("2026-09-15T08:00", "2026-09-15 08:00"),
        ("2026-09-15T21:59", "2026-09-15 21:59"),
        ("2026-09-15T22:00", "2026-09-16 08:00"),
        ("2026-09-15T07:59", "2026-09-15 08:00"),
        ("2026-12-31T23:30", "2027-01-01 08:00"),
        ("2028-02-28T22:10", "2028-02-29 08:00"),
    ],
)
def test_quiet_hours(given: str, allowed: str) -> None:
    assert _said(windows.next_allowed(_at(given), SMS, CHINA)) == allowed


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ("2026-10-01T09:00", "2026-10-08 09:00"),  # the National Day holiday, its weekend among it
        ("2026-02-14T09:00", "2026-02-14 09:00"),  # a Saturday on which people work
        ("2026-11-28T09:00", "2026-11-30 09:00"),
        (
            "2027-01-01T23:00",
            "2027-01-04 08:00",
        ),  # New Year's Day and its weekend; the hour of Friday is over
    ],
)
def test_days_off_are_waited_out(given: str, allowed: str) -> None:
    waiting = Rules(8 * 60, 22 * 60, off_days=NEXT, off=OFF)
    assert _said(windows.next_allowed(_at(given), waiting, CHINA)) == allowed


def test_a_plan_that_skips_days_off() -> None:
    skipping = Rules(off_days=SKIP, off=OFF)
    assert windows.dropped(_at("2026-10-01T09:00"), skipping, CHINA)
    assert not windows.dropped(_at("2026-02-14T09:00"), skipping, CHINA), "people work that Saturday"
    assert not windows.dropped(_at("2026-10-01T09:00"), Rules(off=OFF), CHINA)
    late = datetime(2026, 9, 30, 17, tzinfo=UTC)
    assert windows.dropped(late, skipping, CHINA), "the day is the institution's: it is October there"


def test_full_and_half_hours_are_left_free_by_the_same_minutes() -> None:
    for seed in range(50):
        spread = Rules(spreads=True, seed=seed)
        moved = windows.next_allowed(_at("2026-09-15T09:00"), spread, CHINA)
        assert timedelta(minutes=2) <= moved - _at("2026-09-15T09:00") <= timedelta(minutes=8)
        assert windows.next_allowed(_at("2026-09-15T09:30"), spread, CHINA).minute == 30 + moved.minute
        assert _said(windows.next_allowed(_at("2026-09-15T09:17"), spread, CHINA)) == "2026-09-15 09:17"
    near = Rules(8 * 60, 21 * 60 + 32, spreads=True, seed=6)
    assert _said(windows.next_allowed(_at("2026-09-15T21:30"), near, CHINA)) == "2026-09-16 08:08"


def test_the_clock_on_the_wall_counts_where_the_offset_changes() -> None:
    night = _at("2026-03-28T22:30", BERLIN)
    assert _said(windows.next_allowed(night, SMS, BERLIN), BERLIN) == "2026-03-29 08:00"
    assert windows.next_allowed(night, SMS, BERLIN) - night == timedelta(hours=8, minutes=30), (
        "an hour is missing"
    )
    autumn = _at("2026-10-24T22:30", BERLIN)
    assert windows.next_allowed(autumn, SMS, BERLIN) - autumn == timedelta(hours=10, minutes=30)
    gone = Rules(2 * 60 + 30, DAY)
    assert (
        _said(windows.next_allowed(_at("2026-03-29T01:00", BERLIN), gone, BERLIN), BERLIN)
        == "2026-03-29 03:30"
    )


@given(
    st.datetimes(datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2030-12-31")),
    st.sampled_from([SMS, Rules(9 * 60, 21 * 60 + 33, spreads=True, seed=5), Rules(150, DAY, spreads=True)]),
    st.sampled_from(["", NEXT]),
    st.sampled_from([CHINA, BERLIN, ZoneInfo("Australia/Lord_Howe")]),
)
def test_what_was_moved_once_stays_and_never_goes_back(
    local: datetime, base: Rules, off_days: str, zone: ZoneInfo
) -> None:
    at = local.replace(tzinfo=UTC)
    held = Rules(base.opens, base.closes, base.spreads, off_days, base.seed)
    moved = windows.next_allowed(at, held, zone)
    assert moved >= at and windows.next_allowed(moved, held, zone) == moved


def test_a_year_without_a_working_day_is_said() -> None:
    with pytest.raises(ValueError, match="no moment"):
        windows.next_allowed(_at("2026-09-15T09:00"), Rules(off_days=NEXT, off=lambda _day: True), CHINA)


def test_a_plan_waits_for_the_hour_and_then_goes_once(
    database: Database, vault: Vault, now: datetime
) -> None:
    night = _at("2026-09-15T23:00").astimezone(UTC)
    with database.transaction() as session:
        rules.change(session, "email", opens="08:00", closes="22:00", most=0, within=0, now=now)
        made = audience_cast.plan(session, audience_cast.people(session, vault, 2, now), now)
        audience_cast.send_now(session, made, night)
        assert planner.fire(session, made.id or 0, zone=CHINA, now=night) == []
        session.refresh(made)
        assert made.next_due_at is not None and _said(made.next_due_at) == "2026-09-16 08:00"
        early = _at("2026-09-16T07:59").astimezone(UTC)
        assert planner.fire(session, made.id or 0, zone=CHINA, now=early) == []
        (push,) = planner.fire(session, made.id or 0, zone=CHINA, now=_at("2026-09-16T08:00").astimezone(UTC))
        assert push.state == PushState.cutting and _said(push.due_at) == "2026-09-16 08:00"


def test_a_recurring_plan_leaves_a_holiday_out_with_the_reason(
    database: Database, vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        made = audience_cast.plan(
            session, audience_cast.people(session, vault, 2, now), now, rule="FREQ=DAILY", first_at="2026-09-30T10:00",
            off_days=SKIP,
        )  # fmt: skip
        audience_cast.activate(session, made, now)
        for day, state in ((30, PushState.cutting), (31, PushState.skipped)):
            at = _at("2026-09-30T10:00").astimezone(UTC) + timedelta(days=day - 30)
            (push,) = planner.fire(session, made.id or 0, zone=CHINA, now=at, country="CN")
            assert push.state == state, day
        assert "节假日" in push.reason
        assert session.get_one(Plan, made.id).next_due_at == _at("2026-10-02T10:00")


def test_what_was_overtaken_is_asked_and_not_moved(database: Database, vault: Vault, now: datetime) -> None:
    """An outage that ends at night: a person decides, as on any other hour."""
    with database.transaction() as session:
        rules.change(session, "email", opens="08:00", closes="22:00", most=0, within=0, now=now)
        made = audience_cast.plan(session, audience_cast.people(session, vault, 2, now), now)
        audience_cast.activate(session, made, now)
        (push,) = planner.fire(session, made.id or 0, zone=CHINA, now=_at("2026-09-15T23:00").astimezone(UTC))
        assert push.state == PushState.overtaken


@pytest.mark.parametrize(
    ("hours", "most", "within", "field"),
    [
        ("8-22:00", 0, 0, "opens"),
        ("08:60-22:00", 0, 0, "opens"),
        ("08:00-24:01", 0, 0, "closes"),
        ("22:00-08:00", 0, 0, "closes"),
        ("08:00-22:00", 3, 0, "most"),
        ("08:00-22:00", 3, 400, "most"),
    ],
)
def test_rules_that_cannot_be(database: Database, hours: str, most: int, within: int, field: str) -> None:
    opens, closes = hours.split("-")
    with database.transaction() as session, pytest.raises(Invalid) as caught:
        rules.change(
            session,
            "email",
            opens=opens,
            closes=closes,
            most=most,
            within=within,
            now=_at("2026-09-15T09:00"),
        )
    assert caught.value.field == field


def test_a_weekend_is_off_and_a_made_up_one_is_not() -> None:
    assert rules.off("CN", date(2026, 11, 28)) and not rules.off("CN", date(2026, 2, 14))
    assert rules.off("CN", date(2026, 10, 1)) and not rules.off("", date(2026, 10, 1))
