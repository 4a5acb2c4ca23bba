"""Many people race for few places, over HTTP against a running site; with a control that sells too many."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlmodel import Session, col, select

from campaign.events.models import Occurrence
from campaign.registration import changing, seats, waiting_list
from campaign.registration.models import CONFIRMED, HOLDING, WAITING, Registration
from campaign.registration.registering import Asked
from campaign.registration.seats import Place
from campaign.registration.work import Doorkeeper
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.together import Together
from tests import servers
from tests.campaign.registration import making
from webapp.runtime import Runtime, build
from webapp.wsgi import compose

PEOPLE, SEATS = 60, 10


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    made = build(settings.model_copy(update={"registration_bits": 0, "rate_storage": ""}))
    yield made
    made.close()


@pytest.fixture
def port(runtime: Runtime) -> Iterator[int]:
    free = servers.free_port()
    with servers.listening(compose(runtime), free):
        yield free


@pytest.fixture
def where(runtime: Runtime) -> Occurrence:
    with runtime.service(Database).transaction() as session:
        return making.occurrence(session, clock.now(), capacity=SEATS)


def _race(runtime: Runtime, port: int, where: Occurrence, sizes: Callable[[int], int]) -> list[int]:
    keeper = runtime.service(Doorkeeper)

    def one(number: int) -> int:
        form = {
            "name": f"赛跑{number}", "phone": f"137{number:08d}", "agreed": "1",
            "minors": str(sizes(number) - 1), "challenge": keeper.challenge(where.id or 0, clock.now()),
        }  # fmt: skip
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", where.url, urlencode(form), kind)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    with ThreadPoolExecutor(24) as pool:
        return list(pool.map(one, range(PEOPLE)))


def _rows(session: Session, where: Occurrence) -> list[Registration]:
    query = select(Registration).where(Registration.occurrence_id == where.id)
    return list(session.exec(query.order_by(col(Registration.joined_at))))


def _check(session: Session, where: Occurrence) -> None:
    rows = _rows(session, where)
    now = session.get_one(Occurrence, where.id)
    held = sum(one.size for one in rows if one.state in HOLDING)
    assert held == now.taken <= now.capacity
    assert not [one for one in rows if one.state == WAITING and one.size <= now.capacity - held]


def test_people_who_race_get_each_seat_once(runtime: Runtime, port: int, where: Occurrence) -> None:
    assert set(_race(runtime, port, where, lambda number: 1 + number % 3)) == {303}
    with runtime.service(Database).reading() as session:
        _check(session, where)
        assert len(_rows(session, where)) == PEOPLE


def test_seats_that_come_free_while_people_race_go_on(runtime: Runtime, port: int, where: Occurrence) -> None:
    """Half of those who have a place leave it, while others register, and offers end."""
    database = runtime.service(Database)
    with database.transaction() as session:
        for number in range(SEATS):
            making.party(session, runtime.service(Vault), where, number, now=clock.now())
    ended = threading.Event()

    def leave() -> None:
        for number in range(1, SEATS, 2):
            with database.transaction() as session:
                changing.leave(session, number, clock.now())
            time.sleep(0.01)

    def lapse() -> None:
        while not ended.is_set():
            with database.transaction() as session:
                waiting_list.lapse_due(session, where.id or 0, clock.now() + timedelta(days=2))
            time.sleep(0.02)

    others = [threading.Thread(target=leave), threading.Thread(target=lapse)]
    for thread in others:
        thread.start()
    _race(runtime, port, where, lambda number: 1 + number % 2)
    others[0].join()
    ended.set()
    others[1].join()
    with database.reading() as session:
        _check(session, where)


def test_one_number_that_races_itself_has_one_place(runtime: Runtime, port: int, where: Occurrence) -> None:
    keeper = runtime.service(Doorkeeper)

    def one(_number: int) -> int:
        form = {
            "name": "急性子", "phone": "13700000001", "agreed": "1", "minors": "0",
            "challenge": keeper.challenge(where.id or 0, clock.now()),
        }  # fmt: skip
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", where.url, urlencode(form), kind)
        status = connection.getresponse().status
        connection.close()
        return status

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(one, range(24)))
    assert sorted(answers)[0] == 303 and answers.count(303) == 1 and set(answers) == {303, 409}
    with runtime.service(Database).reading() as session:
        assert [one.state for one in _rows(session, where)] == [CONFIRMED]


def test_looking_before_the_row_is_held_sells_too_many(
    runtime: Runtime, port: int, where: Occurrence, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the guard is away, the free seats are read first and believed afterwards."""
    usual, database, seen = seats.places, runtime.service(Database), threading.local()

    def alone(self: Together[Asked, int], asked: Asked) -> int:
        with database.reading() as session:
            seen.places = usual(session.connection(), [asked.occurrence_id])
        time.sleep(0.02)
        with database.transaction() as session:
            return self._write(session, [asked])[0]

    def take(session: Session, occurrence: Place, size: int, _chosen: object) -> bool:
        making.seize(session, occurrence.id, size)
        return True

    monkeypatch.setattr(Together, "do", alone)
    monkeypatch.setattr(seats, "places", lambda _link, _numbers: seen.places)
    monkeypatch.setattr(seats, "take", take)
    _race(runtime, port, where, lambda _number: 1)
    with runtime.service(Database).reading() as session:
        assert sum(one.size for one in _rows(session, where) if one.state in HOLDING) > SEATS
