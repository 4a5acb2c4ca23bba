"""Calls with many recipients: fixed sets with keys of their own, sent again as they were or left in doubt."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlmodel import col, select

from campaign import audience
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from scheduler import pushes
from scheduler.calling import call_key
from scheduler.channels.base import Rate
from scheduler.jobs import Outgoing
from scheduler.models import Batch, Delivery, DeliveryState, Push, PushState
from scheduler.patience import Limits
from scheduler.sandbox.core import Fault, Sandbox
from tests.scheduler.audience_cast import activate, people, plan
from tests.scheduler.conftest import Clock
from tests.scheduler.platform import CallChannel, Platform, line_over, served
from tracking.attribution import Attributions
from tracking.recorder import Recorder
from tracking.spool import Spool


@dataclass
class Scene:
    """A line over the call channel, a platform that takes its calls, and people."""

    database: Database
    clock: Clock
    parts: dict[str, Any]
    sandbox: Sandbox
    platform: Platform
    url: str

    def line(self, **more: Any) -> Outgoing:
        """A line over the channel as told."""
        made = line_over(CallChannel(**{"timeout": (1.0, 0.3), **more}), **self.parts)
        self.vault = made.dispatcher.vault
        return made

    def push(self, line: Outgoing, count: int) -> int:
        """A push to so many people, cut."""
        with self.database.transaction() as session:
            made = plan(
                session, people(session, self.vault, count, self.clock.at), self.clock.at, target=self.url
            )
            activate(session, made, self.clock.at)
        self.clock.forward(hours=1)
        line.plan()
        with self.database.reading() as session:
            return session.exec(select(col(Push.id)).order_by(col(Push.id).desc())).first() or 0

    def states(self) -> Counter[str]:
        """How many recipients are in each state."""
        with self.database.reading() as session:
            return Counter(session.exec(select(Delivery.state)))


@pytest.fixture
def scene(settings: Settings, database: Database, keys: Keys, spool: Spool, clock: Clock) -> Iterator[Scene]:
    platform, sandbox = Platform(), Sandbox(clock=lambda: clock().timestamp())
    sandbox.add(platform)
    attributions = Attributions(keys)
    parts = {
        "settings": settings, "database": database, "keys": keys, "vault": Vault(keys),
        "attributions": attributions, "recorder": Recorder(spool, attributions, settings), "clock": clock,
        "limits": Limits(lease_seconds=60, most_attempts=3, backoff_first=10),
    }  # fmt: skip
    with served(sandbox) as url:
        yield Scene(database, clock, parts, sandbox, platform, url)


def test_a_push_goes_out_in_calls(scene: Scene) -> None:
    line = scene.line()
    push_id = scene.push(line, 125)
    line.run_once()
    assert scene.states() == {DeliveryState.sent: 125}
    assert sorted(len(to) for _key, to in scene.platform.calls) == [5] + [10] * 12
    assert set(scene.platform.reached.values()) == {1} and len(scene.platform.reached) == 125
    with scene.database.reading() as session:
        assert pushes.get(session, push_id).state == PushState.done
        batch = session.exec(select(Batch).order_by(col(Batch.number))).first()
        assert batch is not None and batch.calls == 10
        assert {call_key(batch.key, number) for number in range(1, 11)} <= {
            key for key, _to in scene.platform.calls
        }
        assert len(call_key(batch.key, 1)) == 32


def test_each_recipient_is_settled_by_what_the_platform_says_of_it(scene: Scene) -> None:
    says = {"u2": "refused", "u3": "busy", "u4": "doubt", "u5": "gone", "u6": "withdrawn"}
    line, scene.platform.says = scene.line(), says
    scene.push(line, 10)
    line.run_once()
    assert scene.states() == {
        DeliveryState.sent: 5, DeliveryState.failed: 2, DeliveryState.queued: 1, DeliveryState.uncertain: 1,
        DeliveryState.refused: 1,
    }  # fmt: skip
    with scene.database.reading() as session:
        closed = audience.closed_among(
            session, "webhook", [scene.vault.index("webhook", one) for one in says]
        )
    assert sorted(closed.values()) == ["gone", "withdrawn"]
    scene.platform.says = {}
    scene.clock.forward(seconds=30)
    line.run_once()
    assert scene.platform.calls[-1][1] == ("u3",), "who was busy is in a new call, alone"
    assert scene.platform.calls[-1][0] != scene.platform.calls[0][0]
    assert scene.states()[DeliveryState.sent] == 6


def test_a_call_in_doubt_is_sent_again_as_it_was(scene: Scene) -> None:
    line = scene.line()
    scene.push(line, 25)
    scene.sandbox.fail("calls", Fault("after"))
    line.run_once()
    assert scene.states() == {DeliveryState.queued: 25}, "after a doubt about the line nothing more is sent"
    scene.clock.forward(seconds=30)
    line.run_once()
    first, again, *_others = scene.platform.calls
    assert first == again and len(scene.platform.calls) == 4
    assert scene.states() == {DeliveryState.sent: 25} and set(scene.platform.reached.values()) == {1}


def test_a_call_in_doubt_without_keys_waits_for_a_person(scene: Scene) -> None:
    line, scene.platform.forgetful = scene.line(idempotent=False), True
    scene.push(line, 25)
    scene.sandbox.fail("calls", Fault("after"))
    line.run_once()
    assert scene.states() == {DeliveryState.uncertain: 10, DeliveryState.queued: 15}
    scene.clock.forward(seconds=30)
    line.run_once()
    assert scene.states() == {DeliveryState.uncertain: 10, DeliveryState.sent: 15}
    assert set(scene.platform.reached.values()) == {1}


def test_who_refuses_while_a_call_is_in_doubt_gets_nothing_more(scene: Scene) -> None:
    line = scene.line()
    scene.push(line, 20)
    scene.sandbox.fail("calls", Fault("before"))
    line.run_once()
    with scene.database.transaction() as session:
        audience.refuse(
            session, "webhook", scene.vault.index("webhook", "u3"), via="link", now=scene.clock.at
        )
        audience.refuse(
            session, "webhook", scene.vault.index("webhook", "u13"), via="link", now=scene.clock.at
        )
    scene.clock.forward(seconds=30)
    line.run_once()
    assert not {"u3", "u13"} & set(scene.platform.reached)
    assert scene.states() == {DeliveryState.uncertain: 10, DeliveryState.sent: 9, DeliveryState.refused: 1}


def test_a_limit_rests_the_push_until_there_is_room(scene: Scene) -> None:
    line = scene.line(rates=(Rate(3, 60),))
    scene.platform.limit = (3, 60)
    scene.push(line, 150)
    took = 0
    for _ in range(6):
        line.run_once()
        assert len(scene.platform.calls) - took <= 3
        took = len(scene.platform.calls)
        scene.clock.forward(seconds=59)
        assert line.run_once() == 0, "not a second too early"
        scene.clock.forward(seconds=1)
    assert took == 15 and scene.states() == {DeliveryState.sent: 150} and not scene.sandbox.breaches
    with scene.database.reading() as session:
        assert set(session.exec(select(Delivery.attempts))) == {1}, "waiting is no attempt"


def test_control_without_the_quota_the_limit_is_broken(scene: Scene) -> None:
    line = scene.line(rates=())
    scene.platform.limit = (3, 60)
    scene.push(line, 150)
    line.run_once()
    assert scene.sandbox.breaches


def test_an_address_that_had_its_share_holds_up_nobody_else(scene: Scene) -> None:
    line = scene.line(rates=(Rate(1, 3600, "address"),))
    scene.push(line, 10)
    line.run_once()
    scene.clock.forward(minutes=-40)
    with scene.database.transaction() as session:
        other = people(session, scene.vault, 12, scene.clock.at, name="新客户")
        activate(
            session, plan(session, other, scene.clock.at, target=scene.url, name="第二次"), scene.clock.at
        )
    scene.clock.forward(
        minutes=41
    )  # a minute after the first push: only the two new people may get something
    line.run_once()
    assert scene.states() == {DeliveryState.sent: 12, DeliveryState.queued: 10}
    scene.clock.forward(minutes=58)
    assert line.run_once() == 0
    scene.clock.forward(minutes=1, seconds=1)
    line.run_once()
    assert scene.states() == {DeliveryState.sent: 22}


def test_a_doubt_outlives_a_platform_that_is_busy_when_asked_again(scene: Scene) -> None:
    """A busy platform says nothing of the call before: a new call with another key would reach people twice."""
    line = scene.line()
    scene.push(line, 10)
    scene.sandbox.fail("calls", Fault("after"), Fault("status", 503))
    for _ in range(5):
        line.run_once()
        scene.clock.forward(minutes=2)
    assert len({key for key, _to in scene.platform.calls}) == 1
    assert set(scene.platform.reached.values()) == {1} and len(scene.platform.reached) == 10
