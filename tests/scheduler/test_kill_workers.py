"""`kill -9` of workers, three of which carry one push: nobody is skipped, nobody is sent to twice where the platform
recognises keys, and elsewhere what is in doubt is never more than the one call in the hands of who died.

The stand-in kills the very process whose call it holds, before or after the call took effect.
"""

import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from scheduler.models import Batch, Delivery, DeliveryState
from scheduler.sandbox.core import Sandbox
from tests import forked
from tests.scheduler import nursery
from tests.scheduler.brokers import redis
from tests.scheduler.platform import Platform, served
from tests.scheduler.test_kill import _count, _counted, _done, _each_once, _keys_in, _prepare

CALL, WORKERS, PATIENCE = 20, 3, 3000.0


@dataclass
class Nursery:
    """Three workers, and another one for each that dies."""

    given: dict[str, Any]
    born: list[forked.Popen] = field(default_factory=list)
    kills: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> "Nursery":
        """Start them."""
        for _ in range(WORKERS):
            self.bear()
        return self

    def bear(self) -> None:
        """One more worker."""
        command = [sys.executable, "-m", "tests.scheduler.nursery", json.dumps(self.given)]
        self.born.append(forked.Popen(command))

    def kill(self, pid: int) -> None:
        """Kill a worker that has something in its hands, and have another one take its place."""
        with self.lock:
            os.kill(pid, signal.SIGKILL)
            self.kills += 1
            self.bear()

    def __exit__(self, *_: object) -> None:
        """End all of them."""
        for one in self.born:
            one.kill()
            one.wait(10)


@dataclass
class Scene:
    """A push that three workers carry to a platform that kills them at chosen calls."""

    settings: Settings
    database: Database
    seed: int
    people: int
    kills: int
    channel: dict[str, Any]
    lawless: bool = False
    platform: Platform = field(default_factory=Platform)

    def run(self, vault: Vault) -> int:
        """Push until everybody is settled; how many workers died."""
        given = {"settings": self._given(), "channel": self.channel, "lawless": self.lawless}
        line = nursery.line(given)
        sandbox = Sandbox()
        sandbox.add(self.platform)
        with served(sandbox) as url, Nursery(given) as born:
            self._kill_at(born)
            _prepare(self.database, vault, self.people, target=url)
            deadline = time.monotonic() + PATIENCE
            while not _done(self.database):
                assert time.monotonic() < deadline, f"not done in {PATIENCE} s: {_count(self.database)}"
                line.plan()
                line.tidy()
                line.count()
                if self.settings.broker_url:
                    line.dispatch()
                time.sleep(0.1)
            while line.count():
                pass
        line.stop()
        line.dispatcher.database.close()
        return born.kills

    def _given(self) -> dict[str, Any]:
        names = ("database_url", "broker_url")
        more = {"home": str(self.settings.home), "secret_key": "test-secret-of-no-value"}
        return {name: getattr(self.settings, name) for name in names} | more

    def _kill_at(self, born: Nursery) -> None:
        """At calls that the seed chooses, half of them after the call took effect; behind what the platform does anyway."""
        size = self.channel["call_size"]
        chance, calls = random.Random(self.seed), self.people // size
        chosen = sorted(chance.sample(range(2, calls - 2), self.kills)) if self.kills else []
        points = {number: chance.choice(["before", "after"]) for number in chosen}

        def at(moment: str, number: int) -> None:
            if points.get(number) == moment:
                born.kill(self.platform.callers[number])
                if moment == "before":
                    raise ConnectionAbortedError("the caller is dead")

        anyway = self.platform.before

        def before(number: int) -> None:
            anyway(number)
            at("before", number)

        self.platform.before = before
        self.platform.after = lambda number: at("after", number)


def _calls(**more: Any) -> dict[str, Any]:
    return {"batch_size": 5 * CALL, "call_size": CALL, **more}


SINGLE = {"batch_size": 50, "call_size": 1, "group": 1, "idempotent": False}


def _with_keys(scene: Scene, vault: Vault) -> None:
    assert scene.run(vault) == scene.kills
    assert _count(scene.database) == {DeliveryState.sent: scene.people}
    assert len(scene.platform.reached) == scene.people and set(scene.platform.reached.values()) == {1}
    sets: dict[str, set[tuple[str, ...]]] = {}
    for key, to in scene.platform.calls:
        sets.setdefault(key, set()).add(to)
    assert {len(one) for one in sets.values()} == {1}, "a key stands for the same people whenever it is sent"
    again = Counter(key for key, _to in scene.platform.calls)
    assert sum(again.values()) - len(again) >= scene.kills, "each kill did hit a call in flight"
    assert _each_once(_counted(scene.settings), _keys_in(scene.database, DeliveryState.sent))


def _without_keys(scene: Scene, vault: Vault) -> None:
    scene.platform.forgetful = True
    assert scene.run(vault) == scene.kills
    counts = _count(scene.database)
    assert set(counts) == {DeliveryState.sent, DeliveryState.uncertain}
    assert sum(counts.values()) == scene.people, "nobody is skipped"
    assert set(scene.platform.reached.values()) == {1}, "nobody got two"
    assert len(scene.platform.reached) >= counts[DeliveryState.sent], "who counts as sent did get it"
    assert 1 <= _doubtful_calls(scene) <= scene.kills, "of each who died the one call in their hands"
    assert _each_once(_counted(scene.settings), _keys_in(scene.database, DeliveryState.sent))


def _doubtful_calls(scene: Scene) -> int:
    """Calls of which somebody is uncertain; of a single channel each recipient is one."""
    with scene.database.reading() as session:
        query = select(Delivery.batch_id, Delivery.call, Delivery.id)
        rows = session.exec(query.where(Delivery.state == DeliveryState.uncertain)).all()
    return len({(batch, call if call is not None else -(number or 0)) for batch, call, number in rows})


KINDS = {
    "calls with keys": (_calls(), _with_keys),
    "calls without": (_calls(idempotent=False), _without_keys),
    "one by one": (SINGLE, _without_keys),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_kills(settings: Settings, database: Database, vault: Vault, kind: str) -> None:
    channel, holds = KINDS[kind]
    people = 120 if channel is SINGLE else 400
    holds(Scene(settings, database, 7, people, 4, channel), vault)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_kills(settings: Settings, database: Database, vault: Vault, kind: str) -> None:
    channel, holds = KINDS[kind]
    holds(Scene(settings, database, 2026, 20_000, 200, channel), vault)


@pytest.mark.parametrize("kind", ["calls with keys", "one by one"])
def test_control_without_leases_people_get_it_twice(
    settings: Settings, database: Database, vault: Vault, kind: str
) -> None:
    scene = Scene(settings, database, 3, 120, 0, KINDS[kind][0], lawless=True)
    platform, both = scene.platform, threading.Event()
    platform.forgetful = True

    def meet(_number: int) -> None:
        """Nobody is through before another worker is there too: otherwise one alone could have done all."""
        if len(set(platform.callers.values())) > 1:
            both.set()
        both.wait(15)

    platform.before = meet
    scene.run(vault)
    assert max(scene.platform.reached.values()) > 1


def test_workers_of_a_broker_are_killed(
    settings: Settings, database: Database, vault: Vault, tmp_path: Path
) -> None:
    with redis(tmp_path) as url:
        told = settings.model_copy(update={"broker_url": url})
        _with_keys(Scene(told, database, 11, 640, 3, _calls()), vault)
        with database.reading() as session:
            assert set(session.exec(select(Batch.owner))) == {None}
