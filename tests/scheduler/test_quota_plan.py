"""The quota planner by the clock: five Tuesdays, one a day, twenty a minute, so many a person."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from campaign.recurrence import in_words, moments
from core.database import Database
from core.privacy import Vault
from scheduler import caps, cutting, planner, rules
from scheduler.models import Delivery, DeliveryState
from scheduler.quota_plan import QUOTAS, Going, Quota, Span, conflicts, split
from tests.scheduler import audience_cast

ZONE = ZoneInfo("Asia/Shanghai")


def _tuesdays(first: str, count: int, **more: object) -> list[Going]:
    at, found = datetime(2026, 1, 1, tzinfo=UTC), []
    for moment in moments(first, "FREQ=WEEKLY;BYDAY=TU", ZONE, at):
        found.append(Going(moment, "wechat:service", 1, more.get("audience", 1), 7, "相约星期二"))  # type: ignore[arg-type]
        if len(found) == count:
            return found
    return found


def _days(found: list[Going]) -> list[str]:
    return [f"{one.at.astimezone(ZONE):%m-%d}" for one in found]


def test_five_tuesdays_do_not_fit_and_the_fifth_goes_another_way() -> None:
    year = _tuesdays("2026-01-06T09:00", 52)
    found = conflicts(year, QUOTAS, ZONE)
    assert _days([one.going for one in found]) == ["03-31", "06-30", "09-29", "12-29"]
    assert all(one.better is None and len(one.others) == 4 for one in found), (
        "no other day of the month helps"
    )


def test_four_tuesdays_fit_and_another_plan_does_not_beside_them() -> None:
    april = _tuesdays("2026-04-07T09:00", 4)
    assert conflicts(april, QUOTAS, ZONE) == []
    more = Going(april[3].at + timedelta(days=1), "wechat:service", 1, 1, 9, "另一份")
    assert [one.going.plan_id for one in conflicts([more, *april], QUOTAS, ZONE)] == [9]
    for other in (
        Going(more.at, "wechat:service", 1, 2, 9, "x"),
        Going(more.at, "wechat:service", 2, 1, 9, "x"),
    ):
        assert conflicts([other, *april], QUOTAS, ZONE) == [], "other followers, or another account"


def test_the_month_is_the_institutions_and_not_utc() -> None:
    """Four in May and one at 00:30 on the first of June, which is still May in UTC."""
    may = [
        Going(datetime(2026, 5, day, 9, tzinfo=ZONE), "wechat:service", 1, 1, day, "x")
        for day in (5, 12, 19, 26)
    ]
    june = Going(datetime(2026, 6, 1, 0, 30, tzinfo=ZONE), "wechat:service", 1, 1, 99, "x")
    assert june.at.astimezone(UTC).month == 5
    assert conflicts([*may, june], QUOTAS, ZONE) == []


def test_a_subscription_account_once_a_day_and_the_next_free_day_is_proposed() -> None:
    goings = [
        Going(datetime(2026, 12, day, hour, tzinfo=ZONE), "wechat:subscription", 1, number, number, "x")
        for number, (day, hour) in enumerate([(30, 9), (30, 15), (31, 9)])
    ]
    (found,) = conflicts(goings, QUOTAS, ZONE)
    assert found.going.plan_id == 1 and found.better == datetime(2027, 1, 1, 15, tzinfo=ZONE)


def test_twenty_a_minute_of_a_robot() -> None:
    at = datetime(2026, 9, 15, 9, 2, tzinfo=ZONE)
    goings = [Going(at, "wecom_robot", 1, None, number, "x") for number in range(22)]
    found = conflicts(goings, QUOTAS, ZONE)
    assert [one.going.plan_id for one in found] == [20, 21]
    assert found[0].better == at + timedelta(minutes=1)
    spread = [Going(at, "wecom_robot", number, None, number, "x") for number in range(22)]
    assert conflicts(spread, QUOTAS, ZONE) == [], "another group each"


def test_so_many_a_person_in_days_on_end() -> None:
    quota = {"sms_aliyun": [Quota(2, Span.rolling, each=True, days=7)]}
    goings = [
        Going(datetime(2026, 9, day, 9, tzinfo=ZONE), "sms_aliyun", 1, 1, day, "x")
        for day in (1, 3, 7, 8, 15)
    ]
    found = conflicts(goings, quota, ZONE)
    assert [one.going.plan_id for one in found] == [7]
    assert found[0].better == datetime(2026, 9, 15, 9, tzinfo=ZONE), (
        "with the eighth and the fifteenth any day before is full"
    )


def test_who_has_had_enough_is_over_the_cap(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        rules.change(session, "email", opens="00:00", closes="24:00", most=1, within=7, now=now)
        list_id = audience_cast.people(session, vault, 3, now)
        made = audience_cast.plan(session, list_id, now)
        audience_cast.send_now(session, made, now)
        (push,) = planner.fire(session, made.id or 0, zone=ZONE, now=now)
        cutting.cut(session, push.id or 0, batch_sizes={"email": 50}, now=now)
        rows = session.exec(select(Delivery).order_by(col(Delivery.id))).all()
        indexes = [one.address_index for one in rows]
        assert caps.over(session, "email", indexes, now) == set(), "nobody got anything yet"
        states = (DeliveryState.sent, DeliveryState.failed, DeliveryState.uncertain)
        for row, state in zip(rows, states, strict=True):
            row.state, row.settled_at = state, now
        session.flush()
        assert caps.over(session, "email", indexes, now) == {indexes[0], indexes[2]}
        assert caps.over(session, "email", indexes[1:2], now) == set()
        assert caps.over(session, "webhook", indexes, now) == set(), "a cap of one channel"
        assert caps.over(session, "email", indexes, now + timedelta(days=8)) == set()
        rules.change(session, "email", opens="00:00", closes="24:00", most=2, within=7, now=now)
        assert caps.over(session, "email", indexes, now) == set()


def test_the_fifth_tuesday_as_a_rule_of_its_own() -> None:
    """Both halves together are the weekly rule, day by day over four years, and each fits its channel."""
    quota, start = QUOTAS["wechat:service"][0], datetime(2026, 1, 1, tzinfo=UTC)
    halves = split("FREQ=WEEKLY;BYDAY=TU", quota)
    assert halves == ("FREQ=MONTHLY;BYDAY=1TU,2TU,3TU,4TU", "FREQ=MONTHLY;BYDAY=5TU")

    def days(rule: str) -> list[datetime]:
        until = datetime(2030, 1, 1, tzinfo=UTC)
        return list(takewhile(lambda at: at < until, moments("2026-01-06T09:00", rule, ZONE, start)))

    kept, rest = days(halves[0]), days(halves[1])
    assert sorted([*kept, *rest]) == days("FREQ=WEEKLY;BYDAY=TU") and len(rest) == 16
    assert conflicts([Going(at, "wechat:service", 1, 1, 7, "x") for at in kept], QUOTAS, ZONE) == []
    assert {at.astimezone(ZONE).day for at in rest} <= {29, 30, 31}
    assert in_words(halves[0]) == "每月第 1、2、3、4 个周二" and in_words(halves[1]) == "每月第 5 个周二"


def test_what_cannot_be_split_by_a_rule_is_not() -> None:
    month, day = Quota(4, Span.month, each=True), Quota(1, Span.day)
    until = split("FREQ=WEEKLY;BYDAY=TU;UNTIL=20261231", month)
    assert until is not None and all(one.endswith(";UNTIL=20261231") for one in until)
    for rule, quota in (
        ("FREQ=WEEKLY;BYDAY=TU,TH", month),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", month),
        ("FREQ=WEEKLY;BYDAY=TU;COUNT=9", month),
        ("", month),
        ("FREQ=WEEKLY;BYDAY=TU", day),
        ("FREQ=WEEKLY;BYDAY=TU", Quota(5, Span.month)),
    ):
        assert split(rule, quota) is None


def test_follow_ups_of_five_tuesdays_take_the_same_quota() -> None:
    """Six messages to the same followers where four fit."""
    tuesdays = _tuesdays("2026-09-01T09:00", 3)
    follow = [Going(one.at + timedelta(days=3), "wechat:service", 1, 1, 8, "跟进") for one in tuesdays]
    assert [one.going.plan_id for one in conflicts([*tuesdays, *follow], QUOTAS, ZONE)] == [7, 8]
