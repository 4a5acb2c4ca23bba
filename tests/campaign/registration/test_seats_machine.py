"""Any mix of register, accept, leave, lapse, resize, promote, decide: never oversold, nobody waits beside a free place."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import event
from sqlmodel import Session, col, delete, select

from campaign.events.models import EventSeries, Occurrence, OptionSeats
from campaign.registration import changing, occasions, seats, waiting_list
from campaign.registration.models import (
    HOLDING,
    LIVE,
    OFFERED,
    PENDING,
    WAITING,
    Notice,
    RegisteredPerson,
    Registration,
)
from core.database import Database
from core.errors import DomainError
from core.privacy import Vault
from core.signing import Keys
from tests.campaign.registration import making

BEGIN = datetime(2026, 9, 15, 6, 30, tzinfo=UTC)
OPTIONS = {"early": 2, "late": 4}
SIZES = st.integers(1, 4)
PICKS = st.integers(0, 30)


class Machine(RuleBasedStateMachine):
    """One occurrence with seats for five and a choice whose options have seats of their own."""

    database: Database
    vault = Vault(Keys(b"a secret of no value"))

    def __init__(self) -> None:
        super().__init__()
        self.now, self.numbers = BEGIN, itertools.count(1)
        with self.database.transaction() as session:
            for table in (Notice, RegisteredPerson, Registration, OptionSeats, Occurrence, EventSeries):
                session.execute(delete(table))
            made = making.occurrence(session, BEGIN, capacity=5, options=OPTIONS)
            self.id = made.id or 0
            for option in ("early", "late", "late"):  # full, and somebody waits
                making.party(session, self.vault, made, next(self.numbers), 2, now=BEGIN, option=option)

    def _try(self, verb: Any, *arguments: Any, **named: Any) -> None:
        """Carry a verb out; what it refuses, it leaves undone."""
        self.now += timedelta(seconds=1)
        try:
            with self.database.transaction() as session:
                verb(session, *arguments, **named, now=self.now)
        except DomainError:
            pass

    def _pick(self, number: int, *states: str) -> int:
        with self.database.reading() as session:
            query = select(Registration.id).where(col(Registration.state).in_(states or LIVE))
            found = list(session.exec(query.order_by(col(Registration.id))))
        return (found[number % len(found)] or 0) if found else 0

    @rule(size=SIZES, option=st.sampled_from(sorted(OPTIONS)), asks=st.booleans())
    def register(self, size: int, option: str, asks: bool) -> None:
        number = next(self.numbers)
        with self.database.transaction() as session:
            session.get_one(Occurrence, self.id).approval = asks
        self._try(
            lambda session, now: making.party(
                session,
                self.vault,
                session.get_one(Occurrence, self.id),
                number,
                size,
                now=now,
                option=option,
            )
        )

    @rule(number=PICKS)
    def accept(self, number: int) -> None:
        if one := self._pick(number, OFFERED):
            self._try(changing.accept, one)

    @rule(number=PICKS)
    def leave(self, number: int) -> None:
        if one := self._pick(number):
            self._try(changing.leave, one)

    @rule(number=PICKS, size=SIZES)
    def grow_or_shrink(self, number: int, size: int) -> None:
        if one := self._pick(number):
            names = [f"同伴{each}" for each in range(size - 1)]
            self._try(changing.resize, self.vault, one, names, 0)

    @rule(number=PICKS, accepted=st.booleans())
    def decide(self, number: int, accepted: bool) -> None:
        if one := self._pick(number, PENDING):
            self._try(changing.decide, one, accepted=accepted, reason="名额有限")

    @rule(number=PICKS)
    def promote(self, number: int) -> None:
        if one := self._pick(number, WAITING, OFFERED):
            self._try(changing.promote, one, reason="行动不便")

    @rule(capacity=st.integers(0, 12))
    def set_capacity(self, capacity: int) -> None:
        self._try(occasions.set_capacity, self.id, capacity)

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        if self.now + timedelta(hours=hours) < BEGIN + timedelta(days=3):
            self.now += timedelta(hours=hours)
        self._try(waiting_list.lapse_due, self.id)

    @rule(days=st.integers(1, 20))
    def move(self, days: int) -> None:
        def moved(session: Session, now: datetime) -> None:
            occurrence = seats.held(session, self.id)
            occurrence.starts_at = max(BEGIN, now) + timedelta(days=days)
            occurrence.ends_at = occurrence.starts_at + timedelta(hours=1)
            occurrence.closes_at = occurrence.starts_at - timedelta(minutes=30)
            session.add(occurrence)
            session.flush()
            occasions.moved(session, occurrence, now)

        self._try(moved)

    @rule(reason=st.sampled_from(["台风", ""]))
    def call_off_and_on(self, reason: str) -> None:
        self._try(occasions.call_off, self.id, reason)
        self._try(occasions.call_on, self.id)

    @invariant()
    def taken_is_what_is_confirmed_and_offered_and_never_more_than_there_is(self) -> None:
        with self.database.reading() as session:
            occurrence = session.get_one(Occurrence, self.id)
            rows = list(session.exec(select(Registration)))
            limits = {one.option: one for one in session.exec(select(OptionSeats))}
            people = list(session.exec(select(RegisteredPerson.registration_id)))
        holding = [one for one in rows if one.state in HOLDING]
        assert sum(one.size for one in holding) == occurrence.taken <= occurrence.capacity
        for key, limit in limits.items():
            chosen = sum(one.size for one in holding if one.options == [["group", key]])
            assert chosen == limit.taken <= limit.capacity
        for one in rows:
            assert people.count(one.id or 0) == one.size

    @invariant()
    def nobody_waits_while_a_fitting_place_is_free(self) -> None:
        with self.database.reading() as session:
            occurrence = session.get_one(Occurrence, self.id)
            room = seats.room(session, occurrence)
            waiting = waiting_list.queue(session, self.id)
            places = [waiting_list.position(session, one) for one in waiting]
        if self.now < occurrence.starts_at:
            assert not [one for one in waiting if room.fits(one.size, one.pairs)]
        assert places == list(range(1, len(waiting) + 1))

    @invariant()
    def who_joined_earlier_is_passed_only_by_smaller_parties_or_other_choices(self) -> None:
        """Among parties that wait and parties that were offered a place from the queue."""
        with self.database.reading() as session:
            rows = list(
                session.exec(select(Registration).where(col(Registration.state).in_((WAITING, OFFERED))))
            )
        for early in (one for one in rows if one.state == WAITING):
            for late in (one for one in rows if one.state == OFFERED):
                passed = (late.joined_at, late.id) > (early.joined_at, early.id)
                if passed and late.options == early.options:
                    assert late.size < early.size or _was_small(early, late)


def _was_small(early: Registration, late: Registration) -> bool:
    """Whether the earlier one changed after the later was offered its place."""
    return early.changed_at >= late.changed_at


@pytest.fixture
def machine(database: Database) -> Iterator[type[Machine]]:
    if database.is_sqlite:  # what is tested here is no crash
        event.listen(database.engine, "connect", lambda made, _: made.execute("PRAGMA synchronous=OFF"))
    yield type("Bound", (Machine,), {"database": database})


FEW = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_no_mix_of_acts_oversells_or_wastes_a_place(machine: type[Machine]) -> None:
    run_state_machine_as_test(machine, settings=FEW)


@pytest.mark.slow
def test_no_long_mix_of_acts_oversells_or_wastes_a_place(machine: type[Machine]) -> None:
    run_state_machine_as_test(machine, settings=settings(FEW, max_examples=300, stateful_step_count=60))


def test_a_queue_that_nobody_moves_up_is_caught(
    machine: type[Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without moving up, a place stays empty while somebody waits."""
    monkeypatch.setattr(waiting_list, "next_up", lambda *_: [])
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=FEW)


def test_seats_taken_without_looking_are_caught(
    machine: type[Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: who takes whatever is asked for oversells."""
    monkeypatch.setattr(seats, "take", _greedy)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=FEW)


def _greedy(session: Session, occurrence: Occurrence, size: int, _chosen: object) -> bool:
    making.seize(session, occurrence.id or 0, size)
    return True
