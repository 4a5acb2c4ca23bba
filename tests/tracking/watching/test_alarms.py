"""Alarms as they are kept: once while they last, over by themselves, taken care of with what they explain."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from core.database import Database
from core.errors import Invalid, NotFound
from institution.audit_models import AuditRecord
from institution.powers import Scope
from tests import factories
from tests.factories import OUTLET_A, OUTLET_B, OUTSIDE_OUTLET, OUTSIDE_PROVINCE, PROVINCE
from tests.tracking.watching.days import DAY
from tracking.watching import alarms
from tracking.watching.alarms import Filter
from tracking.watching.looking import Finding, Look
from tracking.watching.models import ReachAlarm
from tracking.watching.rules import DROP, SILENCE, SPIKE, Odd
from tracking.watching.series import ALL, CHANNEL, OUTLET, PAIR, Subject

HERE, CODE = Subject(OUTLET, OUTLET_A), Subject(PAIR, OUTLET_A, "outlet")
WHOLE = Scope(frozenset({""}))


def on(day: date, *findings: Finding, visits: dict[Subject, int] | None = None, closed: str = "") -> Look:
    return Look(day, findings, visits or {}, frozenset({closed} - {""}))


def silent(subject: Subject, first: date = DAY, *, under: Subject | None = None) -> Finding:
    return Finding(subject, Odd(SILENCE, first, 40, 0), under)


def spike(subject: Subject, day: date = DAY) -> Finding:
    return Finding(subject, Odd(SPIKE, day, 40, 900))


def settle(database: Database, look: Look, now: datetime) -> list[int]:
    with database.transaction() as session:
        return [one.id or 0 for one in alarms.settle(session, look, now)]


def all_rows(session: Session) -> list[ReachAlarm]:
    return list(session.exec(select(ReachAlarm).order_by(col(ReachAlarm.id))))


@pytest.fixture
def handler(database: Database, now: datetime) -> int:
    with database.transaction() as session:
        factories.tree(session, now)
        return factories.staff(session, factories.BRANCH_MANAGER, now).id or 0


def test_a_silence_is_one_alarm_until_somebody_comes(database: Database, now: datetime) -> None:
    first = settle(database, on(DAY, silent(CODE)), now)
    assert len(first) == 1
    for number in range(
        1, 40
    ):  # also when the weeks before have gone out of sight and nothing is found any more
        day = DAY + timedelta(days=number)
        seen = (silent(CODE),) if number < 20 else ()
        assert settle(database, on(day, *seen, visits={HERE: 9}), now) == []
    with database.reading() as session:
        (row,) = all_rows(session)
        assert (row.last, row.over_on) == (DAY + timedelta(days=39), None)
    back = DAY + timedelta(days=40)
    assert settle(database, on(back, visits={CODE: 1}), now) == []
    with database.reading() as session:
        (row,) = all_rows(session)
        assert (row.first, row.last, row.over_on) == (DAY, back - timedelta(days=1), back)
    again = back + timedelta(days=30)
    assert len(settle(database, on(again, silent(CODE, again)), now)) == 1, "the next one is another"


def test_a_spike_is_over_the_next_day_and_the_same_day_again_changes_nothing(
    database: Database, now: datetime
) -> None:
    assert len(settle(database, on(DAY, spike(HERE)), now)) == 1
    assert settle(database, on(DAY, spike(HERE)), now) == []
    assert settle(database, on(DAY), now) == []
    with database.reading() as session:
        assert all_rows(session)[0].over_on is None
    settle(database, on(DAY + timedelta(days=1)), now)
    with database.reading() as session:
        assert all_rows(session)[0].over_on == DAY + timedelta(days=1)


def test_who_closes_is_not_silent(database: Database, now: datetime) -> None:
    settle(database, on(DAY, silent(CODE)), now)
    settle(database, on(DAY + timedelta(days=1), closed=OUTLET_A), now)
    with database.reading() as session:
        assert all_rows(session)[0].over_on is not None


def test_what_is_explained_stands_under_it_and_is_taken_care_of_with_it(
    database: Database, handler: int, now: datetime
) -> None:
    everything, channel = Subject(ALL), Subject(CHANNEL, channel="outlet")
    found = [
        silent(everything), silent(channel, under=everything), silent(HERE, under=everything),
        silent(CODE, under=HERE), silent(Subject(PAIR, OUTLET_B, "outlet"), under=channel),
    ]  # fmt: skip
    top, *_rest, other = settle(database, on(DAY, *found), now)
    with database.transaction() as session:
        assert [one.id for one in session.exec(alarms.query(WHOLE, Filter()))] == [top]
        assert alarms.count(session, WHOLE) == 1
        parts, total = alarms.parts(session, alarms.get(session, top), WHOLE, 1)
        assert (len(parts), total) == (1, 2)
        alarms.handle(
            session, alarms.get(session, other), cause="broken", note="换了新码", quiet_until=None, today=DAY,
            by=handler, scope=WHOLE, now=now,
        )  # fmt: skip
        alarms.handle(
            session, alarms.get(session, top), cause="outage", note="采集停了", quiet_until=None, today=DAY,
            by=handler, scope=WHOLE, now=now,
        )  # fmt: skip
        assert [one.cause for one in all_rows(session)] == ["outage"] * 4 + ["broken"]
        assert alarms.count(session, WHOLE) == 0
        assert len(session.exec(alarms.query(WHOLE, Filter("handled"))).all()) == 1
    with database.reading() as session:
        said = session.exec(select(AuditRecord).where(AuditRecord.action == "alarm.handle")).all()
        assert {one.outlet_code for one in said} == {"", OUTLET_B}


def test_a_branch_sees_its_own_where_head_office_sees_what_explains_it(
    database: Database, handler: int, now: datetime
) -> None:
    channel = Subject(CHANNEL, channel="outlet")
    found = [
        silent(channel), silent(HERE, under=channel), silent(CODE, under=HERE),
        silent(Subject(PAIR, OUTSIDE_OUTLET, "outlet"), under=channel),
    ]  # fmt: skip
    settle(database, on(DAY, *found), now)
    with database.reading() as session:

        def seen(node: str) -> list[Subject]:
            scope = Scope(frozenset({node}))
            return [alarms.subject_of(one) for one in session.exec(alarms.query(scope, Filter()))]

        assert seen("") == [channel]
        assert seen(PROVINCE) == [HERE]
        assert seen(OUTSIDE_PROVINCE) == [Subject(PAIR, OUTSIDE_OUTLET, "outlet")]
        assert seen(OUTLET_B) == []


def test_quiet_is_kept_for_the_same_and_only_for_the_same(
    database: Database, handler: int, now: datetime
) -> None:
    (number,) = settle(database, on(DAY, silent(CODE)), now)
    until = DAY + timedelta(days=20)
    with database.transaction() as session:
        alarms.handle(
            session, alarms.get(session, number), cause="planned", note="装修", quiet_until=until, today=DAY,
            by=handler, scope=WHOLE, now=now,
        )  # fmt: skip
    settle(database, on(DAY + timedelta(days=1), visits={CODE: 3}), now)
    later = DAY + timedelta(days=9)
    assert settle(database, on(later, silent(CODE, later)), now) == []
    assert len(settle(database, on(later, silent(HERE, later)), now)) == 1
    after = until + timedelta(days=1)
    assert len(settle(database, on(after, silent(CODE, after)), now)) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cause": ""}, "cause"), ({"cause": "x"}, "cause"), ({"note": " "}, "note"), ({"note": "长" * 301}, "note"),
        ({"quiet_until": DAY - timedelta(days=1)}, "quiet_until"), ({"quiet_until": DAY + timedelta(days=181)}, "quiet_until"),
    ],
)  # fmt: skip
def test_what_is_said_of_it_is_checked(
    database: Database, handler: int, now: datetime, change: dict[str, Any], field: str
) -> None:
    (number,) = settle(database, on(DAY, Finding(HERE, Odd(DROP, DAY, 400, 2))), now)
    given: dict[str, Any] = {"cause": "real", "note": "核实过", "quiet_until": None} | change
    with pytest.raises(Invalid) as error, database.transaction() as session:
        alarms.handle(
            session, alarms.get(session, number), today=DAY, by=handler, scope=WHOLE, now=now, **given
        )
    assert error.value.field == field
    with database.reading() as session, pytest.raises(NotFound):
        alarms.get(session, number + 1)


def test_a_branch_says_nothing_of_what_is_the_institutions(
    database: Database, handler: int, now: datetime
) -> None:
    """A channel that is odd because of one outlet stands under it, and is still head office's to take care of."""
    channel = Subject(CHANNEL, channel="outlet")
    pair, above = settle(database, on(DAY, silent(CODE), silent(channel, under=CODE)), now)
    with database.transaction() as session:
        alarms.handle(
            session, alarms.get(session, pair), cause="broken", note="补贴一张", quiet_until=None, today=DAY,
            by=handler, scope=Scope(frozenset({PROVINCE})), now=now,
        )  # fmt: skip
        assert alarms.get(session, pair).cause == "broken"
        session.expire_all()
        assert alarms.get(session, above).handled_at is None
