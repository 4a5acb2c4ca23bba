"""Scans make one arrival, in whatever order phones come home; refusals have names; seats stay what they are."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import Session, col, delete, select

from campaign.checkin import doors, guest_list, scanning
from campaign.checkin.models import Door, Scan
from campaign.checkin.scanning import Act
from campaign.events.models import Occurrence
from campaign.registration import changing, occasions
from campaign.registration.models import CONFIRMED, HOLDING, RegisteredPerson, Registration
from core.database import Database
from core.errors import Invalid
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from tests import factories
from tests.campaign.registration import making


@dataclass
class Scene:
    """An occurrence of four seats with a party of two, one more person, and somebody who waits."""

    database: Database
    vault: Vault
    where: Occurrence
    door: Door
    key: str
    begin: datetime

    def apply(self, *acts: Act, at: datetime | None = None) -> dict[str, str]:
        now = at or max((one.at for one in acts), default=self.begin)
        with self.database.transaction() as session:
            return scanning.apply(session, session.get_one(Door, self.door.id), acts, now)

    def people(self) -> list[RegisteredPerson]:
        with self.database.reading() as session:
            return list(session.exec(select(RegisteredPerson).order_by(col(RegisteredPerson.id))))

    def inside(self) -> dict[int, datetime]:
        return {one.id or 0: one.arrived_at for one in self.people() if one.arrived_at}


def _plant(session: Session, vault: Vault, now: datetime, by: int) -> tuple[Occurrence, Door, str]:
    where = making.occurrence(session, now, capacity=3)
    for number, size in ((1, 2), (2, 1), (3, 1)):
        making.party(session, vault, where, number, size, now=now + timedelta(seconds=number))
    door, key = doors.make(session, where, label="东门", by=by, now=now)
    return where, door, key


@pytest.fixture
def scene(database: Database, settings: Settings, now: datetime) -> Scene:
    if database.is_sqlite:  # what is tested here is no crash
        event.listen(database.engine, "connect", lambda made, _: made.execute("PRAGMA synchronous=OFF"))
    vault = Vault(Keys(load_secret(settings)))
    with database.transaction() as session:
        by = factories.cast(session, now)[factories.EDITOR].id or 0
        where, door, key = _plant(session, vault, now, by)
    return Scene(database, vault, where, door, key, now + timedelta(days=3))


def _act(nonce: str, act: str, at: datetime, person: int = 0, **more: Any) -> Act:
    return Act(nonce, act, at, person, **more)


def test_a_repeat_makes_one_record(scene: Scene) -> None:
    one = _act("nonce-0001", "arrive", scene.begin, 1)
    assert scene.apply(one) == scene.apply(one) == {"nonce-0001": "in"}
    assert scene.apply(_act("nonce-0002", "arrive", scene.begin + timedelta(minutes=1), 1)) == {
        "nonce-0002": "again"
    }
    assert scene.inside() == {1: scene.begin}
    with scene.database.reading() as session:
        assert len(session.exec(select(Scan)).all()) == 2


def test_companions_come_one_by_one_and_can_be_undone(scene: Scene) -> None:
    at = scene.begin
    scene.apply(_act("nonce-0001", "arrive", at, 1), _act("nonce-0002", "arrive", at, 2))
    assert scene.apply(_act("nonce-0003", "undo", at + timedelta(seconds=5), 2)) == {"nonce-0003": "out"}
    assert list(scene.inside()) == [1]
    assert scene.apply(_act("nonce-0004", "undo", at + timedelta(seconds=9), 2)) == {"nonce-0004": "not_in"}


def test_refusals_have_names(scene: Scene, now: datetime) -> None:
    with scene.database.transaction() as session:
        other = making.occurrence(session, now, capacity=1, code="otherone")
        making.party(session, scene.vault, other, 9, now=now)
    said = scene.apply(
        _act("nonce-wait", "arrive", scene.begin, 4),
        _act("nonce-other", "arrive", scene.begin, 5),
        _act("nonce-none", "arrive", scene.begin, 999),
        _act("nonce-full", "walk_in", scene.begin, adults=4),
    )
    assert said == {
        "nonce-wait": "waiting", "nonce-other": "unknown", "nonce-none": "unknown", "nonce-full": "full",
    }  # fmt: skip
    assert scene.inside() == {}
    with scene.database.transaction() as session:
        occasions.call_off(session, scene.where.id or 0, "停电", scene.begin)
    assert scene.apply(_act("nonce-off", "arrive", scene.begin, 1)) == {"nonce-off": "called_off"}


def test_walk_ins_take_the_places_of_those_who_did_not_come_and_no_more(scene: Scene) -> None:
    at = scene.begin
    assert scene.apply(_act("nonce-0001", "walk_in", at, adults=1, minors=1)) == {"nonce-0001": "in"}
    assert scene.apply(_act("nonce-0002", "walk_in", at, adults=2)) == {"nonce-0002": "full"}
    brought = _act("nonce-0002", "walk_in", at, adults=2, inside=True)  # its answer came too late
    assert scene.apply(brought) == scene.apply(brought) == {"nonce-0002": "over"}
    assert len(scene.inside()) == 4
    with scene.database.reading() as session:
        occurrence = session.get_one(Occurrence, scene.where.id)
        held = session.exec(select(Registration).where(col(Registration.state).in_(HOLDING))).all()
        assert sum(one.size for one in held) == occurrence.taken <= occurrence.capacity


def test_a_walk_in_that_was_a_mistake_gives_its_seat_back(scene: Scene) -> None:
    with scene.database.transaction() as session:
        changing.leave(
            session, 1, scene.begin - timedelta(hours=1)
        )  # two seats: one is offered to who waits, one is free
    assert scene.apply(_act("nonce-0001", "walk_in", scene.begin, adults=1)) == {"nonce-0001": "in"}
    newest = scene.people()[-1].id or 0
    scene.apply(_act("nonce-0002", "undo", scene.begin + timedelta(seconds=1), newest))
    with scene.database.reading() as session:
        assert session.get_one(Occurrence, scene.where.id).free == 1


def test_who_was_offered_a_place_and_comes_has_said_yes(scene: Scene) -> None:
    with scene.database.transaction() as session:
        changing.leave(session, 2, scene.begin - timedelta(hours=1))
    assert scene.apply(_act("nonce-0001", "arrive", scene.begin, 4)) == {"nonce-0001": "in"}
    with scene.database.reading() as session:
        assert changing.get(session, 3).state == CONFIRMED


ACTS = st.lists(
    st.tuples(st.sampled_from(["arrive", "undo"]), st.integers(1, 3), st.integers(0, 60)),
    min_size=1,
    max_size=12,
)


@given(acts=ACTS, seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_two_phones_that_come_home_in_any_order_give_the_same_list(
    scene: Scene, acts: list[tuple[str, int, int]], seed: int
) -> None:
    made = [
        _act(f"nonce-{number:04}", act, scene.begin + timedelta(seconds=at), person)
        for number, (act, person, at) in enumerate(acts)
    ]
    later, chance = scene.begin + timedelta(hours=2), random.Random(seed)

    def outcome(batches: Iterator[list[Act]]) -> dict[int, datetime]:
        with scene.database.transaction() as session:
            session.execute(delete(Scan))
            for one in session.exec(select(RegisteredPerson)):
                one.arrived_at = None
        for batch in batches:
            scene.apply(*batch, at=later)
        return scene.inside()

    wanted = outcome(iter([made]))
    mixed = [*made, *chance.sample(made, len(made) // 2)]  # some are sent twice
    chance.shuffle(mixed)
    size = chance.randint(1, 4)
    assert outcome(mixed[start : start + size] for start in range(0, len(mixed), size)) == wanted
    told = {}  # and by hand: the last act of each person decides
    for one in sorted(made, key=lambda each: (each.at, each.nonce)):
        told[one.person] = one.act
    assert set(wanted) == {person for person, act in told.items() if act == "arrive"}


@pytest.mark.parametrize(
    "line",
    [
        {}, {"nonce": "short", "act": "arrive", "at": "2026-09-18T06:30:00+00:00"},
        {"nonce": "nonce-0001", "act": "dance", "at": "2026-09-18T06:30:00+00:00"},
        {"nonce": "nonce-0001", "act": "walk_in", "at": "2026-09-18T06:30:00+00:00", "adults": 0},
        {"nonce": "nonce-0001", "act": "walk_in", "at": "2026-09-18T06:30:00+00:00", "adults": 10**6},
        {"nonce": "nonce-0001", "act": "arrive", "at": "yesterday"},
        {"nonce": "nonce-0001", "act": "arrive", "at": "2026-09-18T06:30:00+00:00", "person": "1"},
        {"nonce": "nonce-0001", "act": "arrive", "at": "2026-09-18T06:30:00"},
        "x", None,
    ],
)  # fmt: skip
def test_what_is_no_act_is_refused(line: object, now: datetime) -> None:
    with pytest.raises(Invalid):
        scanning.read([line], now)


def test_a_door_sees_the_minimum_and_only_until_it_is_shut(scene: Scene, settings: Settings) -> None:
    with scene.database.reading() as session:
        found = guest_list.guest_list(session, scene.vault, scene.where.id or 0, settings.zone, scene.begin)
    party = found.parties[0]
    assert (party.tail, [one.name for one in party.people]) == ("0001", ["张*", "同**"])
    assert "13800000001" not in str(found.as_json()) and found.parties[2].people == ()
    with scene.database.transaction() as session:
        assert doors.opened(session, scene.key, scene.begin).id == scene.door.id
        for key, at in (
            ("x", scene.begin),
            ("", scene.begin),
            (scene.key, scene.begin + timedelta(hours=14)),
        ):
            with pytest.raises(doors.Shut):
                doors.opened(session, key, at)
        doors.end(session, scene.door.id or 0, scene.begin)
        with pytest.raises(doors.Shut):
            doors.opened(session, scene.key, scene.begin)
