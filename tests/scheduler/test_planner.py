"""Due plans fire once, also when two planners race; what is too late asks a person."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.database import Database
from core.errors import Conflict, Invalid
from core.privacy import Vault
from scheduler import plans, pushes
from scheduler.jobs import Outgoing
from scheduler.models import Batch, Delivery, Plan, PlanState, Push, PushState
from scheduler.planner import Planner, fire
from tests.scheduler.audience_cast import ZONE, activate, people, plan
from tests.scheduler.conftest import Clock

SIZES = {"email": 50, "webhook": 100}


def _active(database: Database, vault: Vault, now: datetime, count: int = 3, **more: str) -> int:
    with database.transaction() as session:
        made = plan(session, people(session, vault, count, now), now, **more)
        activate(session, made, now)
        return made.id or 0


def _pushes(database: Database) -> list[Push]:
    with database.reading() as session:
        return list(session.exec(select(Push).order_by(col(Push.due_at))))


def test_nothing_before_its_time(database: Database, vault: Vault, clock: Clock) -> None:
    _active(database, vault, clock.at)
    planner = Planner(database, ZONE, SIZES)
    assert planner.tick(clock.forward(minutes=29)) == 0
    assert planner.tick(clock.forward(minutes=1)) == 1
    assert planner.tick(clock.forward(minutes=1)) == 0


def test_a_push_is_cut_into_batches_with_each_person_once(
    database: Database, vault: Vault, clock: Clock
) -> None:
    plan_id = _active(database, vault, clock.at, 120)
    Planner(database, ZONE, SIZES).tick(clock.forward(hours=1))
    with database.reading() as session:
        assert [batch.size for batch in session.exec(select(Batch).order_by(col(Batch.number)))] == [
            50,
            50,
            20,
        ]
        rows = list(session.exec(select(Delivery)))
        assert len({row.contact_id for row in rows}) == len({row.key for row in rows}) == 120
        assert plans.get(session, plan_id).state == PlanState.ended  # it was to fire once


def test_the_database_refuses_a_person_twice(database: Database, vault: Vault, clock: Clock) -> None:
    _active(database, vault, clock.at)
    Planner(database, ZONE, SIZES).tick(clock.forward(hours=1))
    with database.reading() as session:
        row = session.exec(select(Delivery)).first()
        assert row is not None
    again = row.model_dump(exclude={"id"}) | {"key": "other"}
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(Delivery(**again))


def test_a_recurring_plan_goes_on(database: Database, vault: Vault, clock: Clock) -> None:
    plan_id = _active(database, vault, clock.at, rule="FREQ=WEEKLY;BYDAY=TU")
    Planner(database, ZONE, SIZES).tick(clock.forward(hours=1))
    with database.reading() as session:
        kept = plans.get(session, plan_id)
        assert kept.state == PlanState.active
        assert kept.next_due_at == datetime(2026, 9, 22, 7, tzinfo=clock.at.tzinfo)


def test_overtaken_waits_for_a_person(database: Database, vault: Vault, clock: Clock) -> None:
    _active(database, vault, clock.at)
    planner = Planner(database, ZONE, SIZES)
    assert planner.tick(clock.forward(hours=7)) == 0
    (push,) = _pushes(database)
    assert push.state == PushState.overtaken
    with database.reading() as session:
        assert pushes.waiting_for_people(session) == 1
    with database.transaction() as session:
        pushes.start_overtaken(session, push.id or 0, clock.at)
    assert planner.tick(clock.at) == 1
    with pytest.raises(Conflict), database.transaction() as session:
        pushes.skip_overtaken(session, push.id or 0, clock.at)


def test_of_several_missed_moments_only_the_last_is_sent(
    database: Database, vault: Vault, clock: Clock
) -> None:
    _active(database, vault, clock.at, rule="FREQ=DAILY")
    Planner(database, ZONE, SIZES).tick(clock.forward(days=2, hours=1))
    assert [push.state for push in _pushes(database)] == [PushState.skipped] * 2 + [PushState.running]


def test_an_empty_list_is_done_at_once_with_a_reason(database: Database, vault: Vault, clock: Clock) -> None:
    _active(database, vault, clock.at, 0)
    Planner(database, ZONE, SIZES).tick(clock.forward(hours=1))
    (push,) = _pushes(database)
    assert push.state == PushState.done and push.reason


def test_a_plan_that_cannot_be_fired_holds_up_no_other(
    database: Database, vault: Vault, clock: Clock
) -> None:
    broken = _active(database, vault, clock.at, rule="FREQ=DAILY")
    sound = _active(database, vault, clock.at)
    with database.transaction() as session:
        session.execute(update(Plan).where(col(Plan.id) == broken).values(rule="FREQ=NEVER"))
    assert Planner(database, ZONE, SIZES).tick(clock.forward(hours=1)) == 1
    assert [push.plan_id for push in _pushes(database)] == [sound]


def _race(database: Database, act: "object", runners: int = 4) -> list[object]:
    """Let several threads do the same at once; what each of them got."""
    barrier, results = threading.Barrier(runners), []

    def run() -> None:
        barrier.wait()
        try:
            results.append(act())  # type: ignore[operator]
        except IntegrityError as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_planners_that_race_make_one_push(database: Database, vault: Vault, clock: Clock) -> None:
    _active(database, vault, clock.at, 20)
    now = clock.forward(hours=1)
    planner = Planner(database, ZONE, SIZES)
    cuts = _race(database, lambda: planner.tick(now))
    assert sum(cuts) == 1  # type: ignore[arg-type]
    with database.reading() as session:
        assert len(list(session.exec(select(Delivery)))) == 20
    assert len(_pushes(database)) == 1


def test_control_without_the_conditional_update_planners_collide(
    database: Database, vault: Vault, clock: Clock
) -> None:
    plan_id = _active(database, vault, clock.at, 20)
    now = clock.forward(hours=1)
    read = threading.Barrier(4)

    def unguarded() -> object:
        with database.reading() as session:
            due = plans.get(session, plan_id).next_due_at
        read.wait()  # each has seen the plan as due
        with database.transaction() as session:
            session.execute(update(Plan).where(col(Plan.id) == plan_id).values(next_due_at=None))
            found = session.get_one(Plan, plan_id)
            session.add(_copy(found, due or now, now))
            session.flush()
            return True

    results = _race(database, unguarded)
    assert sum(isinstance(result, IntegrityError) for result in results) == 3, "only the constraint is left"


def _copy(plan: Plan, due: datetime, now: datetime) -> Push:
    return Push(
        plan_id=plan.id or 0,
        due_at=due,
        state=PushState.cutting,
        list_id=plan.list_id,
        channel="email",
        created_at=now,
    )


def test_a_plan_paused_meanwhile_does_not_fire(database: Database, vault: Vault, clock: Clock) -> None:
    plan_id = _active(database, vault, clock.at)
    with database.transaction() as session:
        plans.pause(session, plan_id, now=clock.at)
    now = clock.forward(hours=1)
    with database.transaction() as session:
        assert fire(session, plan_id, zone=ZONE, now=now) == []
    with pytest.raises(Invalid), database.transaction() as session:
        plans.activate(session, plan_id, zone=ZONE, now=now)


def _try(session: Session, now: datetime, list_id: int, **more: Any) -> str:
    with pytest.raises(Invalid) as caught:
        plan(session, list_id, now, **more)
    return str(caught.value.field)


def test_what_a_plan_must_say(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        list_id = people(session, vault, 1, now)
        assert _try(session, now, list_id, name=" ") == "name"
        assert _try(session, now, list_id, channel="pigeon") == "channel"
        assert _try(session, now, list_id, subject="", body="") == "subject"
        assert _try(session, now, list_id, subject="两\n行") == "subject"
        assert _try(session, now, list_id, channel="webhook") == "account_id"
        assert _try(session, now, list_id, channel="webhook", account_id=9) == "account_id"
        assert _try(session, now, list_id, outlet_code="nowhere") == "outlet_code"
        assert _try(session, now, list_id, piece_key="not-published") == "piece_key"
        assert _try(session, now, list_id, rule="FREQ=MINUTELY") == "rule"
        assert _try(session, now, list_id, stale_hours=0.0) == "stale_hours"


def test_an_active_plan_is_not_edited(
    database: Database, vault: Vault, now: datetime, line: Outgoing
) -> None:
    plan_id = _active(database, vault, now)
    with pytest.raises(Conflict), database.transaction() as session:
        found = plans.get(session, plan_id)
        form = plans.PlanForm(
            name="别的",
            list_id=found.list_id,
            channel="email",
            first_at=found.first_at,
            subject="a",
            body="b",
        )
        plans.edit(session, plan_id, form, now=now + timedelta(minutes=1))
