"""Plans that follow another plan, by the clock: once for each of its pushes, to the right people, and the booster."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from campaign.registration.models import RegisteredPerson, Registration
from core.database import Database
from core.errors import Conflict, Invalid
from core.privacy import Vault
from scheduler import booster, followups, openings, plans
from scheduler import calendar as sending_calendar
from scheduler.jobs import Outgoing
from scheduler.models import Delivery, Plan, PlanState, Push, PushState
from scheduler.plan_audience import Meant
from scheduler.plan_form import form_of
from scheduler.planner import fire_after
from tests.campaign.registration import making
from tests.scheduler.audience_cast import ZONE, activate, people, plan
from tests.scheduler.conftest import Clock

WEEKLY = {"rule": "FREQ=WEEKLY;BYDAY=TU", "first_at": "2026-09-15T15:00"}


def _follow(session: Session, source: int, now: datetime, when: str = "unopened", **more: Any) -> Plan:
    meant = Meant(
        follows_id=source,
        follows_days=more.pop("days", 3),
        follows_when=when,
        series_id=more.pop("series", None),
    )
    form: dict[str, Any] = {
        "name": "没看的再提醒",
        "first_at": "2026-09-15T09:00",
        "subject": "上次没看？",
        "meant": meant,
    }
    return plan(session, None, now, **(form | more))


def _pair(database: Database, vault: Vault, now: datetime, **more: Any) -> tuple[int, int]:
    """A weekly plan to three people that runs, and a follow-up three days later at nine that runs."""
    with database.transaction() as session:
        first = plan(session, people(session, vault, 3, now), now, **WEEKLY)
        activate(session, first, now)
        second = _follow(session, first.id or 0, now, **more)
        activate(session, second, now)
        return first.id or 0, second.id or 0


def _go(line: Outgoing) -> None:
    line.planner.tick(line.clock())
    line.dispatcher.run("email")


def _answers(database: Database, plan_id: int) -> list[Push]:
    with database.reading() as session:
        return list(session.exec(select(Push).where(Push.plan_id == plan_id).order_by(col(Push.due_at))))


def _got(database: Database, push: Push) -> list[int]:
    with database.reading() as session:
        query = select(Delivery.contact_id).where(Delivery.push_id == push.id)
        return sorted(session.exec(query))


def _open(database: Database, contact: int, now: datetime) -> None:
    """The person follows the link of each message that they got."""
    with database.transaction() as session:
        for key in session.exec(select(Delivery.key).where(Delivery.contact_id == contact)).all():
            openings.note(session, key, now)


def test_three_days_after_each_push_who_did_not_open_gets_it_once(
    database: Database, vault: Vault, clock: Clock, line: Outgoing
) -> None:
    _first, second = _pair(database, vault, clock.at)
    clock.forward(minutes=31)
    _go(line)
    _open(database, 2, clock.at)
    clock.at = datetime(2026, 9, 18, 8, 59, tzinfo=ZONE)
    _go(line)
    assert _answers(database, second) == []
    clock.forward(minutes=1)
    for _again in range(3):
        _go(line)
        clock.forward(hours=2)
    (push,) = _answers(database, second)
    assert push.state == PushState.done and _got(database, push) == [1, 3], "the second opened it"
    assert push.due_at == datetime(2026, 9, 18, 1, 0, tzinfo=UTC)
    clock.at = datetime(2026, 9, 22, 15, 1, tzinfo=ZONE)
    _go(line)
    clock.at = datetime(2026, 9, 25, 9, 1, tzinfo=ZONE)
    _go(line)
    assert [_got(database, one) for one in _answers(database, second)] == [[1, 3], [1, 2, 3]], (
        "each push anew"
    )


def test_planners_that_race_answer_a_push_once(
    database: Database, vault: Vault, clock: Clock, line: Outgoing
) -> None:
    _first, second = _pair(database, vault, clock.at)
    clock.forward(minutes=31)
    _go(line)
    clock.at = datetime(2026, 9, 18, 9, 1, tzinfo=ZONE)
    ready, at = threading.Barrier(4), clock.at
    pairs = followups.ready(database, zone=ZONE, country="", now=at)
    assert len(pairs) == 1

    def race() -> None:
        ready.wait()
        with database.transaction() as session:
            fire_after(session, *pairs[0], zone=ZONE, now=at)

    racers = [threading.Thread(target=race) for _each in range(4)]
    for one in racers:
        one.start()
    for one in racers:
        one.join()
    assert len(_answers(database, second)) == 1


def test_control_without_asking_first_only_the_database_refuses(
    database: Database, vault: Vault, clock: Clock, line: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pair(database, vault, clock.at)
    clock.forward(minutes=31)
    _go(line)
    clock.at = datetime(2026, 9, 18, 9, 1, tzinfo=ZONE)
    pairs = followups.ready(database, zone=ZONE, country="", now=clock.at)
    monkeypatch.setattr(followups, "answered", lambda *_known: False)
    with database.transaction() as session:
        fire_after(session, *pairs[0], zone=ZONE, now=clock.at)
    with pytest.raises(IntegrityError), database.transaction() as session:
        fire_after(session, *pairs[0], zone=ZONE, now=clock.at)


def test_what_was_pushed_before_it_was_started_is_not_made_up(
    database: Database, vault: Vault, clock: Clock, line: Outgoing
) -> None:
    with database.transaction() as session:
        first = plan(session, people(session, vault, 3, clock.at), clock.at)
        activate(session, first, clock.at)
    clock.forward(minutes=31)
    _go(line)
    clock.forward(days=4)
    with database.transaction() as session:
        late = _follow(session, first.id or 0, clock.at)
        activate(session, late, clock.at)
        fits = _follow(session, first.id or 0, clock.at, days=5, name="五天后")
        activate(session, fits, clock.at)
    clock.forward(days=2)
    _go(line)
    assert _answers(database, late.id or 0) == []
    assert len(_answers(database, fits.id or 0)) == 1
    with database.reading() as session:
        assert plans.get(session, fits.id or 0).state == PlanState.ended, "nothing is left to follow"


def test_an_outage_asks_a_person_and_a_pause_follows_nothing(
    database: Database, vault: Vault, clock: Clock, line: Outgoing
) -> None:
    _first, second = _pair(database, vault, clock.at)
    clock.forward(minutes=31)
    _go(line)
    clock.at = datetime(2026, 9, 18, 15, 1, tzinfo=ZONE)
    _go(line)
    (push,) = _answers(database, second)
    assert push.state == PushState.overtaken
    with database.transaction() as session:
        plans.pause(session, second, now=clock.at)
    clock.at = datetime(2026, 9, 22, 15, 1, tzinfo=ZONE)
    _go(line)
    clock.at = datetime(2026, 9, 25, 9, 1, tzinfo=ZONE)
    _go(line)
    assert len(_answers(database, second)) == 1


@pytest.mark.parametrize(("when", "who"), [("registered", [1, 2]), ("came", [1]), ("absent", [2])])
def test_who_registered_came_or_stayed_away(
    database: Database, vault: Vault, clock: Clock, line: Outgoing, *, when: str, who: list[int]
) -> None:
    """Of three who were invited two register, by the e-mail that they are known by, and one comes."""
    with database.transaction() as session:
        held = making.occurrence(session, clock.at, capacity=20)
        series = held.series_id
    _first, second = _pair(database, vault, clock.at, when=when, series=series, days=5)
    clock.forward(minutes=31)
    _go(line)
    with database.transaction() as session:
        for number in (1, 2):
            party = making.party(session, vault, held, number, now=clock.at, email=f"p{number}@example.com")
            if number == 1:
                come = update(RegisteredPerson).where(col(RegisteredPerson.registration_id) == party.id)
                session.execute(come.values(arrived_at=clock.at + timedelta(days=3)))
        assert len(session.exec(select(Registration)).all()) == 2
    clock.at = datetime(2026, 9, 20, 9, 1, tzinfo=ZONE)
    _go(line)
    (push,) = _answers(database, second)
    assert _got(database, push) == who


def test_nothing_follows_itself_and_what_cannot_be_known_is_not_asked(
    database: Database, vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        list_id = people(session, vault, 1, now)
        first = plan(session, list_id, now)
        second = _follow(session, first.id or 0, now)
        third = _follow(session, second.id or 0, now, name="再跟进")
        with pytest.raises(Invalid, match="绕一圈"):
            plans.edit(session, first.id or 0, form_of(third), now=now)
        with pytest.raises(Invalid, match="第几天"):
            _follow(session, first.id or 0, now, days=0)
        with pytest.raises(Invalid, match="哪个活动"):
            _follow(session, first.id or 0, now, when="came")
        session.execute(update(Plan).where(col(Plan.id) == first.id).values(channel="jpush"))
        session.refresh(first)
        with pytest.raises(Invalid, match="人人一样"):
            _follow(session, first.id or 0, now)
        with pytest.raises(Invalid, match="另做一份"):
            plans.send_now(session, second.id or 0, now=now)


def test_the_calendar_shows_what_will_follow_and_the_planner_counts_it_to_the_same_people(
    database: Database, vault: Vault, clock: Clock, line: Outgoing
) -> None:
    first, second = _pair(database, vault, clock.at)
    clock.forward(minutes=31)
    _go(line)
    with database.reading() as session:
        found = sending_calendar.sendings(
            session, col(Plan.id).is_not(None), date(2026, 9, 1), date(2026, 9, 30), zone=ZONE, country="",
            now=clock.at,
        )  # fmt: skip
    days = [(one.plan.id, f"{one.going.at.astimezone(ZONE):%m-%d %H:%M}") for one in found]
    assert days == [
        (second, "09-18 09:00"), (first, "09-22 15:00"), (second, "09-25 09:00"), (first, "09-29 15:00"),
    ]  # fmt: skip
    assert len({one.going.audience for one in found}) == 1, "the same people get both"


@pytest.mark.parametrize(
    ("pushed", "proposed"),
    [("23:30", "2026-12-16T08:00"), ("06:00", "2026-12-15T08:00"), ("09:10", "2026-12-15T09:10")],
)
def test_the_booster_is_proposed_within_the_hours_of_its_channel(
    database: Database, pushed: str, proposed: str
) -> None:
    due = datetime.fromisoformat(f"2026-09-15 {pushed}").replace(tzinfo=ZONE)
    push = Push(
        plan_id=1, channel="sms_aliyun", purpose="education", due_at=due, state=PushState.done, created_at=due
    )
    with database.reading() as session:
        assert booster.moment(session, push, ZONE) == proposed


def test_the_booster_goes_to_who_got_the_first_three_months_later(
    database: Database, vault: Vault, clock: Clock, line: Outgoing
) -> None:
    with database.transaction() as session:
        first = plan(session, people(session, vault, 3, clock.at), clock.at)
        activate(session, first, clock.at)
    clock.forward(minutes=31)
    line.planner.tick(clock.at)
    with database.transaction() as session:
        session.execute(update(Delivery).where(col(Delivery.contact_id) == 3).values(state="failed"))
    line.dispatcher.run("email")
    (push,) = _answers(database, first.id or 0)
    with database.transaction() as session:
        at = booster.moment(session, push, ZONE)
        assert at == "2026-12-15T15:00"
        made = booster.draft(session, push.id or 0, piece_key="", first_at=at, by=None, now=clock.at)
        assert made.state == PlanState.draft and made.after_id == push.id
        with pytest.raises(Conflict, match="已经有一份"):
            booster.draft(
                session, push.id or 0, piece_key="", first_at="2026-12-16T09:00", by=None, now=clock.at
            )
        shown = sending_calendar.sendings(
            session, col(Plan.id).is_not(None), date(2026, 12, 1), date(2026, 12, 31), zone=ZONE, country="",
            now=clock.at,
        )  # fmt: skip
        assert [(one.plan.id, one.certain) for one in shown] == [(made.id, False)]
        activate(session, made, clock.at)
    clock.at = datetime(2026, 12, 15, 15, 1, tzinfo=ZONE)
    _go(line)
    (boosted,) = _answers(database, made.id or 0)
    assert _got(database, boosted) == [1, 2], "the third never got the first"
