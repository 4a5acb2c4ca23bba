"""Calls take turns: twice as many threads as calls on their way, and what is begun before its turn stays true."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlmodel import col, select

from campaign import audience
from scheduler import rounds
from scheduler.channels.base import Rate
from scheduler.models import Batch, Delivery, DeliveryState, Push, PushState
from tests.scheduler.platform import CallChannel, line_over
from tests.scheduler.test_calls import Scene, scene

__all__ = ["scene"]


def _until(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.01)


class _OnTheirWay:
    """How many calls are on their way at a time, told by the platform."""

    def __init__(self) -> None:
        self.most = self._now = 0
        self._lock = threading.Lock()

    def arrive(self, _number: int) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.03)

    def leave(self, _number: int) -> None:
        with self._lock:
            self._now -= 1


@pytest.mark.parametrize("turns", [2, 9])
def test_no_more_calls_are_on_their_way_than_there_are_turns(scene: Scene, turns: int) -> None:
    """With nine turns (the control) the four threads call as they like."""
    seen = _OnTheirWay()
    scene.platform.before, scene.platform.after = seen.arrive, seen.leave
    line = line_over(CallChannel(batch_size=10), threads=2, **scene.parts)
    scene.vault = line.dispatcher.vault
    push_id = scene.push(line, 240)
    for _ in range(turns - 2):
        line.dispatcher.slots["webhook"].release()
    line.dispatch()

    def done() -> bool:
        line.dispatch()
        with scene.database.reading() as session:
            return session.get_one(Push, push_id).state == PushState.done

    try:
        _until(done, "the push was not done")
    finally:
        line.stop()
    assert scene.states() == {DeliveryState.sent: 240} and set(scene.platform.reached.values()) == {1}
    assert (seen.most <= 2) == (turns == 2)


@contextmanager
def _before_its_turn(scene: Scene, channel: CallChannel) -> Iterator[None]:
    """A push to ten is being sent by a call whose turn comes at the end of the block."""
    line = line_over(channel, threads=1, **scene.parts)
    scene.vault = line.dispatcher.vault
    scene.push(line, 10)
    turn = line.dispatcher.slots["webhook"]
    turn.acquire()
    sending = threading.Thread(target=line.run_once)
    sending.start()
    try:
        yield
    finally:
        turn.release()
        sending.join(20)


@pytest.mark.parametrize("fresh", [0.2, 60.0])
def test_a_call_that_waits_long_for_its_turn_is_begun_anew(
    scene: Scene, fresh: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who says no meanwhile gets nothing; a call that is believed for a minute (the control) goes as it was begun."""
    monkeypatch.setattr(rounds, "FRESH", fresh)

    def begun() -> bool:
        with scene.database.reading() as session:
            return session.exec(select(Batch.sending)).one() == 1

    with _before_its_turn(scene, CallChannel()):
        _until(begun, "the call was not begun before its turn")
        with scene.database.transaction() as session:
            index = scene.vault.index("webhook", "u3")
            audience.refuse(session, "webhook", index, via="link", now=scene.clock.at)
        time.sleep(0.3)
        assert not scene.platform.calls
    assert len(scene.platform.calls) == 1
    anew = fresh < 1
    assert ("u3" in scene.platform.reached) == (not anew)
    assert scene.states()[DeliveryState.refused] == anew


def test_a_platform_that_knows_no_keys_is_called_right_after_the_call_is_begun(scene: Scene) -> None:
    with _before_its_turn(scene, CallChannel(idempotent=False)):
        time.sleep(0.5)
        with scene.database.reading() as session:
            claimed, in_hand = session.exec(select(Batch.owner, Batch.sending)).one()
    assert claimed is not None and in_hand is None, "begun before its turn, it would be in doubt for nothing"
    assert scene.states() == {DeliveryState.sent: 10}


def test_a_place_that_is_used_a_moment_later_still_keeps_the_limit(scene: Scene) -> None:
    line = scene.line(rates=(Rate(100, 60),))
    scene.platform.limit = (100, 60)
    scene.push(line, 1010)
    line.run_once()
    assert len(scene.platform.calls) == 100
    scene.clock.forward(seconds=60)
    assert line.run_once() == 0, "the last call may have gone a second after its place was taken"
    scene.clock.forward(seconds=1)
    line.run_once()
    assert len(scene.platform.calls) == 101 and not scene.sandbox.breaches
    with scene.database.reading() as session:
        assert not session.exec(select(Delivery).where(col(Delivery.state) != DeliveryState.sent)).all()
