"""Showings are kept once, in their order, and never denser than one screen can show; reach does not count them."""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from campaign.base import screens, showings
from campaign.base.models import HallScreen
from campaign.base.screens import ScreenKeys
from core.database import Database
from core.errors import DomainError, Invalid, NotAllowed
from core.settings import Settings
from core.signing import Keys
from tests import factories
from tests.tracking.writing import WritePath
from tracking.attribution import PageKeys
from tracking.batches import Batches, OtherBody
from tracking.definition import FIRST
from tracking.spool import SpoolError

OUTLET, STEP = factories.OUTLET_A, timedelta(seconds=12)


@dataclass
class Hall:
    """A paired screen with the way from it into the spool."""

    database: Database
    path: WritePath
    batches: Batches
    screen: HallScreen
    now: datetime

    def body(self, *times: datetime, keys: PageKeys | None = None) -> bytes:
        """What the screen's script sends."""
        sealed = self.path.attributions.seal(keys or PageKeys("full-surrender", "c", OUTLET))
        return json.dumps({"shown": [[int(at.timestamp() * 1000), sealed] for at in times]}).encode()

    def take(self, key: str, *times: datetime) -> int:
        """Hand a batch in as the view does."""
        with self.database.reading() as session:
            screen = session.get_one(HallScreen, self.screen.id)
        found = showings.read(self.body(*times), OUTLET, self.path.attributions, self.now)
        return showings.take(self.database, self.batches, screen, key, found, now=self.now)

    def events(self) -> list[list[str]]:
        """The lines in the spool."""
        files = sorted(self.path.settings.spool_dir.rglob("*batch-*"))
        return [line.split("\t") for file in files for line in file.read_text("utf-8").splitlines()]


@pytest.fixture
def hall(tree: Database, settings: Settings, now: datetime) -> Hall:
    keys, path = Keys(b"of the tests"), WritePath(settings, now.timestamp())
    batches = Batches(
        database=tree, recorder=path.recorder, attributions=path.attributions, keys=keys, zone=settings.zone,
        clock=lambda: now,
    )  # fmt: skip
    with tree.transaction() as session:
        made = screens.make(session, OUTLET, "叫号区", by=None, now=now)
        screens.pair(session, OUTLET, made.code, ScreenKeys(keys), now=now)
    return Hall(tree, path, batches, made.screen, now)


def test_a_batch_is_kept_once_however_often_it_comes(hall: Hall) -> None:
    times = [hall.now - 3 * STEP, hall.now - 2 * STEP, hall.now - STEP]
    assert [hall.take("k", *times) for _ in range(3)] == [3, 3, 3]
    events = hall.events()
    assert len(events) == 3 and len({event[0] for event in events}) == 3
    kinds = {(e[3], e[4], e[5], e[6], e[7], e[8], e[9], e[10]) for e in events}
    assert kinds == {("shown", "1", "0", "c", "full-surrender", OUTLET, "screen", "screen")}
    with hall.database.reading() as session:
        assert session.get_one(HallScreen, hall.screen.id).showings == 3


def test_a_showing_is_no_reach_until_a_definition_names_it() -> None:
    assert showings.KIND not in FIRST.kinds


def test_a_batch_that_was_claimed_and_not_kept_is_finished_by_the_repeat(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: object) -> None:
        raise SpoolError

    with monkeypatch.context() as broken:
        broken.setattr(hall.path.spool, "deposit", full)
        with pytest.raises(SpoolError):
            hall.take("k", hall.now - STEP)
    assert hall.take("k", hall.now - STEP) == 1
    assert len(hall.events()) == 1


@pytest.mark.parametrize(
    "times",
    [
        [-24, -20],  # closer than a slide stands
        [-24, -24],
        [-12, -24],  # backwards
        [-60],  # not behind the last that was kept
        [-36 + 2],
    ],
)
def test_what_no_screen_can_show_is_refused(hall: Hall, times: list[int]) -> None:
    hall.take("first", hall.now - timedelta(seconds=36))
    with pytest.raises(Invalid):
        hall.take("k", *(hall.now + timedelta(seconds=one) for one in times))
    assert hall.take("good", hall.now - timedelta(seconds=20)) == 1, "a refused batch claims nothing"
    assert len(hall.events()) == 2


def test_times_are_near_and_keys_are_ours_and_of_this_outlet(hall: Hall) -> None:
    attributions, now = hall.path.attributions, hall.now
    other = PageKeys("p", "", factories.OUTLET_B)
    for body in (
        hall.body(now + timedelta(minutes=6)),
        hall.body(now - timedelta(days=15)),
        hall.body(now, keys=other),
        hall.body(now, keys=PageKeys("p")),
        hall.body(now).replace(b'", "', b'"').replace(b'"]', b'x"]'),
        hall.body(*[now] * (showings.MOST + 1)),
        b'{"shown": []}', b'{"shown": [[true, "x"]]}', b'{"shown": [[1e9, "x"]]}', b"[]", b"\xff", b"[" * 5000,
    ):  # fmt: skip
        with pytest.raises(Invalid):
            showings.read(body, OUTLET, attributions, now)
    assert len(showings.read(hall.body(now - timedelta(days=13), now), OUTLET, attributions, now)) == 2


def test_another_body_under_the_same_key_and_an_ended_screen_are_refused(hall: Hall) -> None:
    hall.take("k", hall.now - 3 * STEP)
    with pytest.raises(OtherBody):
        hall.take("k", hall.now - 2 * STEP)
    with hall.database.transaction() as session:
        screens.end(session, session.get_one(HallScreen, hall.screen.id), now=hall.now)
    with pytest.raises(NotAllowed):
        hall.take("k2", hall.now - STEP)
    assert len(hall.events()) == 1


def _race(hall: Hall) -> int:
    """Twelve at once, each with a key of its own, all with the same second: what a thief would try."""
    gate, kept = threading.Barrier(12), []

    def one(number: int) -> None:
        gate.wait()
        with suppress(DomainError):
            kept.append(hall.take(f"k{number}", hall.now - STEP))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(kept)


def test_of_many_that_race_for_the_same_second_one_is_kept(hall: Hall) -> None:
    assert _race(hall) == 1
    assert len(hall.events()) == 1


def test_without_the_order_the_race_counts_many(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the guard taken away, the same race inflates the count."""
    monkeypatch.setattr(showings, "in_order", lambda *_given: None)
    assert _race(hall) > 1
