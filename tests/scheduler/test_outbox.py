"""Claims, leases and settling: of any number of workers one has a batch, and who lost it changes nothing."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from core.database import Database
from core.privacy import Vault
from scheduler import outbox
from scheduler.models import Batch, BatchState, Delivery, DeliveryState, Push, PushState
from scheduler.outbox import LeaseLost, Settlement
from scheduler.patience import Limits, backoff
from scheduler.planner import Planner
from tests.scheduler.audience_cast import ZONE, activate, people, plan
from tests.scheduler.conftest import Clock

LIMITS = Limits(lease_seconds=60, backoff_first=10, backoff_most=100)
WORKERS = 6


@pytest.fixture
def waiting(database: Database, vault: Vault, clock: Clock) -> list[int]:
    """A push of 100 people in two batches, waiting; the batches' ids."""
    with database.transaction() as session:
        made = plan(session, people(session, vault, 100, clock.at), clock.at)
        activate(session, made, clock.at)
    Planner(database, ZONE, {"email": 50}).tick(clock.forward(hours=1))
    with database.reading() as session:
        return [batch.id or 0 for batch in session.exec(select(Batch).order_by(col(Batch.number)))]


def _at_once(act: Callable[[int], object]) -> list[object]:
    barrier, results = threading.Barrier(WORKERS), []

    def run(number: int) -> None:
        barrier.wait()
        results.append(act(number))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_racing_workers_one_takes_a_batch(database: Database, waiting: list[int], clock: Clock) -> None:
    seen = threading.Barrier(WORKERS)

    def take(number: int) -> bool:
        with database.reading() as session:
            chosen = outbox.candidates(session, "email", clock.at)[0]
        seen.wait()  # all want the same batch
        with database.transaction() as session:
            return outbox.take(session, chosen, owner=f"w{number}", now=clock.at, limits=LIMITS)

    assert sorted(map(bool, _at_once(take))) == [False] * (WORKERS - 1) + [True]


def test_control_without_the_condition_all_take_it(
    database: Database, waiting: list[int], clock: Clock
) -> None:
    seen = threading.Barrier(WORKERS)

    def take(number: int) -> bool:
        with database.reading() as session:
            chosen = outbox.candidates(session, "email", clock.at)[0]
        seen.wait()
        with database.transaction() as session:
            unguarded = update(Batch).where(col(Batch.id) == chosen)
            done = session.execute(unguarded.values(state=BatchState.claimed, owner=f"w{number}"))
            return done.rowcount == 1  # type: ignore[attr-defined,no-any-return]

    assert _at_once(take) == [True] * WORKERS


def test_racing_claims_share_the_batches_out(database: Database, waiting: list[int], clock: Clock) -> None:
    def claim(number: int) -> int | None:
        with database.transaction() as session:
            batch = outbox.claim(session, channel="email", owner=f"w{number}", now=clock.at, limits=LIMITS)
            return batch.id if batch else None

    claimed = [batch_id for batch_id in _at_once(claim) if batch_id is not None]
    assert sorted(claimed) == sorted(waiting)  # type: ignore[type-var]


def _claim(database: Database, clock: Clock, owner: str) -> Batch:
    with database.transaction() as session:
        batch = outbox.claim(session, channel="email", owner=owner, now=clock.at, limits=LIMITS)
        assert batch is not None
        return batch


def _begin(database: Database, batch: Batch, count: int) -> list[Delivery]:
    with database.transaction() as session:
        rows = session.exec(select(Delivery).where(Delivery.batch_id == batch.id).order_by(col(Delivery.id)))
        return outbox.begin(session, list(rows)[:count])


def test_a_lease_that_is_renewed_is_not_taken_up(
    database: Database, waiting: list[int], clock: Clock
) -> None:
    batch = _claim(database, clock, "first")
    clock.forward(seconds=50)
    with database.transaction() as session:
        outbox.renew(session, batch.id or 0, owner="first", now=clock.at, limits=LIMITS)
    clock.forward(seconds=50)
    with database.transaction() as session:
        assert outbox.expired(session, clock.at) == []
        # the reaper had seen the old lease and comes late
        assert not outbox.take_up(session, batch, idempotent=False, now=clock.at)


def test_whoever_lost_the_lease_changes_nothing(database: Database, waiting: list[int], clock: Clock) -> None:
    batch = _claim(database, clock, "first")
    begun = _begin(database, batch, 1)
    clock.forward(seconds=61)
    with database.transaction() as session:
        (found,) = outbox.expired(session, clock.at)
        assert outbox.take_up(session, found, idempotent=False, now=clock.at)
    with pytest.raises(LeaseLost), database.transaction() as session:
        outbox.renew(session, batch.id or 0, owner="first", now=clock.at, limits=LIMITS)
    with database.transaction() as session:  # but what it knows clears up the doubt
        outbox.settle_late(session, [Settlement(begun[0].id or 0, DeliveryState.sent)], clock.at)
    with database.reading() as session:
        assert session.get_one(Delivery, begun[0].id).state == DeliveryState.sent


@pytest.mark.parametrize(
    ("idempotent", "state"), [(True, DeliveryState.queued), (False, DeliveryState.uncertain)]
)
def test_only_what_was_in_flight_is_in_doubt(
    database: Database, waiting: list[int], clock: Clock, idempotent: bool, state: str
) -> None:
    batch = _claim(database, clock, "first")
    begun = _begin(database, batch, 3)
    with database.transaction() as session:
        outbox.settle(session, [Settlement(begun[0].id or 0, DeliveryState.sent)], clock.at)
    clock.forward(seconds=61)
    with database.transaction() as session:
        (found,) = outbox.expired(session, clock.at)
        outbox.take_up(session, found, idempotent=idempotent, now=clock.at)
    with database.reading() as session:
        rows = list(
            session.exec(select(Delivery).where(Delivery.batch_id == batch.id).order_by(col(Delivery.id)))
        )
        assert [row.state for row in rows[:4]] == [DeliveryState.sent, state, state, DeliveryState.queued]
        assert session.get_one(Batch, batch.id).state == BatchState.queued


def test_a_batch_of_a_paused_push_is_not_claimed(
    database: Database, waiting: list[int], clock: Clock
) -> None:
    with database.transaction() as session:
        session.execute(update(Push).values(state=PushState.paused))
    with database.transaction() as session:
        assert outbox.claim(session, channel="email", owner="w", now=clock.at, limits=LIMITS) is None


def test_one_channel_does_not_claim_anothers_batches(
    database: Database, waiting: list[int], clock: Clock
) -> None:
    with database.transaction() as session:
        assert outbox.claim(session, channel="webhook", owner="w", now=clock.at, limits=LIMITS) is None


def test_waits_grow_and_obey_the_receiver() -> None:
    waits = [backoff(tries, LIMITS) for tries in range(8)]
    assert 7.5 <= waits[0] <= 12.5 and 15 <= waits[1] <= 25
    assert max(waits) <= 125
    assert len({backoff(3, LIMITS) for _ in range(5)}) > 1, "no jitter: all would come back at once"
    assert backoff(0, LIMITS, retry_after=900) == 900
    assert backoff(0, LIMITS, retry_after=1e9) == 86_400


def test_a_batch_waits_until_its_time(database: Database, waiting: list[int], clock: Clock) -> None:
    batch = _claim(database, clock, "first")
    with database.transaction() as session:
        outbox.release(session, batch.id or 0, now=clock.at, wait=30, attempts=1, reason="SMTP 421")
    with database.reading() as session:
        assert batch.id not in outbox.candidates(session, "email", clock.at + timedelta(seconds=29))
        assert batch.id in outbox.candidates(session, "email", clock.at + timedelta(seconds=31))


def test_a_round_is_named_once(database: Database, waiting: list[int], clock: Clock, now: datetime) -> None:
    batch = _claim(database, clock, "first")
    begun = _begin(database, batch, 2)
    with database.transaction() as session:
        outbox.settle(session, [Settlement(row.id or 0, DeliveryState.sent) for row in begun], clock.at)
        outbox.name_round(session, batch.id or 0)
        outbox.name_round(session, batch.id or 0)
    with database.reading() as session:
        assert session.get_one(Batch, batch.id).rounds == 1
        numbers = session.exec(select(Delivery.count_round).where(col(Delivery.count_round).is_not(None)))
        assert list(numbers) == [1, 1]
