"""`kill -9` of the process that pushes by calls: nobody is skipped, nobody is sent to twice where the platform
recognises keys, and elsewhere one call for each kill is in doubt, no more.

The stand-in itself kills the process while a call is in its hands, before or after the call took effect.
"""

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from sqlmodel import select

from campaign import audience
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from scheduler.models import Delivery, DeliveryState
from scheduler.sandbox.core import Sandbox
from tests.scheduler.platform import Platform, served
from tests.scheduler.receivers import Inbox
from tests.scheduler.test_kill import THREADS, Killer, _count, _counted, _each_once, _keys_in, _prepare

CALL = 20


@dataclass
class Scene:
    """A platform that kills at the chosen calls."""

    settings: Settings
    database: Database
    seed: int
    people: int
    kills: int
    platform: Platform = field(default_factory=Platform)

    def run(self, vault: Vault, **channel: object) -> Killer:
        """Push until all are settled."""
        chance, calls = random.Random(self.seed), self.people // CALL
        points = dict.fromkeys(sorted(chance.sample(range(2, calls - 2), self.kills)), "")
        points = {number: chance.choice(["before", "after"]) for number in points}
        made: dict[str, object] = {"batch_size": 5 * CALL, "call_size": CALL, **channel}
        killer = Killer(self.settings, Inbox(), {}, more={"calls": made})

        def at(moment: str, number: int) -> None:
            if points.get(number) == moment:
                killer.kill()
                if moment == "before":
                    raise ConnectionAbortedError("the caller is dead")

        before = self.platform.before

        def first(number: int) -> None:
            before(number)
            at("before", number)

        self.platform.before = first
        self.platform.after = lambda number: at("after", number)
        sandbox = Sandbox()
        sandbox.add(self.platform)
        with served(sandbox) as url:
            _prepare(self.database, vault, self.people, target=url)
            killer.run(self.database, early=1)
        assert killer.kills >= self.kills
        return killer


def _with_keys(scene: Scene, vault: Vault) -> None:
    scene.run(vault)
    assert _count(scene.database) == {DeliveryState.sent: scene.people}
    assert len(scene.platform.reached) == scene.people and set(scene.platform.reached.values()) == {1}
    sets: dict[str, set[tuple[str, ...]]] = {}
    for key, to in scene.platform.calls:
        sets.setdefault(key, set()).add(to)
    assert {len(one) for one in sets.values()} == {1}, (
        "a key stands for the same recipients whenever it is sent"
    )
    assert max(Counter(key for key, _to in scene.platform.calls).values()) > 1, (
        "the kills did hit calls in flight"
    )
    assert _each_once(_counted(scene.settings), _keys_in(scene.database, DeliveryState.sent))


def _without_keys(scene: Scene, vault: Vault) -> None:
    scene.platform.forgetful = True
    killer = scene.run(vault, idempotent=False)
    counts = _count(scene.database)
    assert set(counts) == {DeliveryState.sent, DeliveryState.uncertain}
    assert sum(counts.values()) == scene.people, "nobody is skipped"
    assert 1 <= counts[DeliveryState.uncertain] <= CALL * THREADS * killer.kills, (
        "a call of each thread that died"
    )
    assert set(scene.platform.reached.values()) == {1}, "nobody got two"
    assert len(scene.platform.reached) >= counts[DeliveryState.sent]


def test_each_call_takes_effect_once(settings: Settings, database: Database, vault: Vault) -> None:
    _with_keys(Scene(settings, database, 7, 400, 2), vault)


def test_without_keys_one_call_for_each_kill_is_in_doubt(
    settings: Settings, database: Database, vault: Vault
) -> None:
    _without_keys(Scene(settings, database, 11, 400, 2), vault)


@pytest.mark.slow
@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize("seed", range(10))
def test_many_kills(settings: Settings, database: Database, vault: Vault, seed: int, keys: bool) -> None:
    (_with_keys if keys else _without_keys)(Scene(settings, database, seed, 20_000, 20), vault)


def test_who_refuses_during_a_push_is_in_no_later_batch(
    settings: Settings, database: Database, vault: Vault
) -> None:
    scene = Scene(settings, database, 13, 1000, 1)

    def refuse(number: int) -> None:
        if number == 2:  # the last hundred are in batches that nobody has begun
            with database.transaction() as session:
                for place in range(901, 1001):
                    index = vault.index("webhook", f"u{place}")
                    audience.refuse(session, "webhook", index, via="link", now=clock.now())

    scene.platform.before = refuse
    scene.run(vault)
    assert _count(database) == {DeliveryState.sent: 900, DeliveryState.refused: 100}
    assert not {f"u{place}" for place in range(901, 1001)} & set(scene.platform.reached)
    with database.reading() as session:
        assert len(list(session.exec(select(Delivery.id)))) == 1000


def test_control_claiming_keys_that_nobody_recognises_doubles(
    settings: Settings, database: Database, vault: Vault
) -> None:
    scene = Scene(settings, database, 6, 200, 2)  # both die after the call took effect
    scene.platform.forgetful = True
    scene.run(vault, idempotent=True)
    assert max(scene.platform.reached.values()) > 1
