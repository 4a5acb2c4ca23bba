"""Messages of a batch side by side: as many as the channel says at once, none twice, and a broken line stops the rest."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlmodel import col, select

from campaign import audience
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from scheduler import pushes
from scheduler.channels.base import Account, DeliveryError, Message, Rate
from scheduler.jobs import Outgoing, outgoing
from scheduler.models import Batch, Delivery, DeliveryState, Push
from tests.scheduler.audience_cast import activate, people, plan
from tests.scheduler.conftest import Clock
from tracking.attribution import Attributions
from tracking.recorder import Recorder
from tracking.spool import Spool

COUNT = 60


@dataclass
class Slow:
    """A channel whose lines take a moment for each message; takes the webhook's place."""

    name: str = "webhook"
    batch_size: int = 40
    group: int = 20
    in_flight: int = 5
    idempotent: bool = False
    call_size: int = 1
    rates: tuple[Rate, ...] = ()
    most_lines: int = 100
    fails: dict[str, DeliveryError] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    at: dict[str, Any] = field(default_factory=dict)
    open_lines: int = 0
    busy: int = 0
    busiest: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def connect(self, account: Account) -> Iterator["SlowLine"]:
        """One of as many lines as there are."""
        with self.lock:
            if self.open_lines >= self.most_lines:
                raise DeliveryError("too many lines", everyone=True)
            self.open_lines += 1
        try:
            yield SlowLine(self)
        finally:
            with self.lock:
                self.open_lines -= 1


@dataclass
class SlowLine:
    """One line; whoever is on it twice at a time breaks it."""

    channel: Slow
    used: threading.Lock = field(default_factory=threading.Lock)

    def send(self, message: Message) -> str:
        """Take it, after a moment."""
        assert self.used.acquire(blocking=False), "two messages on one line at a time"
        try:
            with self.channel.lock:
                self.channel.busy += 1
                self.channel.busiest = max(self.channel.busiest, self.channel.busy)
            time.sleep(0.01)
            with self.channel.lock:
                self.channel.busy -= 1
                self.channel.seen[message.address] += 1
            if message.address in self.channel.at:
                self.channel.at[message.address]()
            if message.address in self.channel.fails:
                raise self.channel.fails[message.address]
            return f"r-{message.key}"
        finally:
            self.used.release()


@dataclass
class Scene:
    """A push over the slow channel."""

    database: Database
    clock: Clock
    channel: Slow
    line: Outgoing
    vault: Vault

    def push(self, count: int = COUNT) -> int:
        """To so many people, cut."""
        with self.database.transaction() as session:
            listed = people(session, self.vault, count, self.clock.at)
            activate(
                session, plan(session, listed, self.clock.at, target="http://127.0.0.1:9/"), self.clock.at
            )
        self.clock.forward(hours=1)
        self.line.plan()
        with self.database.reading() as session:
            return session.exec(select(col(Push.id))).one() or 0

    def states(self) -> Counter[str]:
        """How many recipients are in each state."""
        with self.database.reading() as session:
            return Counter(session.exec(select(Delivery.state)))


@pytest.fixture
def scene(settings: Settings, database: Database, keys: Keys, spool: Spool, clock: Clock) -> Iterator[Scene]:
    channel, attributions, vault = Slow(), Attributions(keys), Vault(keys)
    line = outgoing(
        settings=settings, database=database, keys=keys, vault=vault, attributions=attributions,
        recorder=Recorder(spool, attributions, settings), clock=clock, channels=(channel,),
    )  # fmt: skip
    yield Scene(database, clock, channel, line, vault)
    line.stop()


def test_as_many_at_once_as_the_channel_says(scene: Scene) -> None:
    scene.push()
    scene.line.run_once()
    assert scene.channel.busiest == 5 and scene.channel.open_lines == 0
    assert scene.states() == {DeliveryState.sent: COUNT}
    assert set(scene.channel.seen.values()) == {1} and len(scene.channel.seen) == COUNT
    with scene.database.reading() as session:
        for key, reference in session.exec(select(Delivery.key, Delivery.reference)):
            assert reference == f"r-{key}", "each row has the reference of its own message"


def test_a_receiver_of_fewer_lines_is_sent_to_over_those(scene: Scene) -> None:
    scene.channel.most_lines = 2
    scene.push()
    scene.line.run_once()
    assert scene.channel.busiest == 2 and scene.states() == {DeliveryState.sent: COUNT}


def test_a_broken_line_stops_the_rest_and_nobody_is_in_two_states(scene: Scene) -> None:
    scene.push()
    scene.channel.fails = {"u3": DeliveryError("gone", everyone=True, unknown=True)}
    scene.line.run_once()
    states = scene.states()
    assert states[DeliveryState.uncertain] == 1
    assert sum(scene.channel.seen.values()) == states[DeliveryState.sent] + 1
    assert states[DeliveryState.sent] <= 3 + 2 * 5 + 20, "the other batch goes on"
    assert sum(states.values()) == COUNT
    scene.channel.fails = {}
    scene.clock.forward(minutes=10)
    scene.line.run_once()
    assert scene.states() == {DeliveryState.sent: COUNT - 1, DeliveryState.uncertain: 1}
    assert set(scene.channel.seen.values()) == {1}, "nobody got two"


def test_who_refuses_during_a_push_is_in_no_later_group(scene: Scene) -> None:
    def refuse() -> None:
        with scene.database.transaction() as session:
            for number in (2, 30, 50):
                index = scene.vault.index("webhook", f"u{number}")
                audience.refuse(session, "webhook", index, via="link", now=scene.clock.at)

    scene.push()
    scene.channel.at = {"u1": refuse}
    scene.line.run_once()
    assert not {"u30", "u50"} & set(scene.channel.seen), "read before they refused, and not sent to"
    assert scene.states() == {DeliveryState.sent: COUNT - 2, DeliveryState.refused: 2}


def test_a_pause_holds_from_the_next_group(scene: Scene) -> None:
    def pause() -> None:
        with scene.database.transaction() as session:
            pushes.pause(session, number, scene.clock.at)

    number = scene.push()
    scene.channel.at = {"u1": pause}
    scene.line.run_once()
    assert sum(scene.channel.seen.values()) == 20
    assert scene.states() == {DeliveryState.sent: 20, DeliveryState.queued: COUNT - 20}
    with scene.database.transaction() as session:
        pushes.resume(session, number, scene.clock.at)
    scene.line.run_once()
    assert scene.states() == {DeliveryState.sent: COUNT} and set(scene.channel.seen.values()) == {1}


def test_settled_batches_know_their_figures(scene: Scene) -> None:
    scene.channel.fails = {f"u{number}": DeliveryError("no", permanent=True) for number in (1, 2, 45)}
    number = scene.push()
    scene.line.run_once()
    with scene.database.reading() as session:
        rows = session.exec(select(Batch.sent, Batch.failed).order_by(col(Batch.number))).all()
        assert [tuple(row) for row in rows] == [(38, 2), (19, 1)]
        assert pushes.progress(session, number, scene.clock.at).counts == {"sent": 57, "failed": 3}
