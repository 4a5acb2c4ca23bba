"""core.together: who comes while another one commits goes with the next, and nobody is hurt by another's failure."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.database import Database
from core.together import Together
from institution.models import Staff

PEOPLE = 24


def _adding(login: str, now: datetime) -> Callable[[Session], str]:
    def add(session: Session) -> str:
        session.add(Staff(login=login, name=login, created_at=now))
        session.flush()
        return login

    return add


def _logins(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.exec(select(Staff.login).order_by(col(Staff.login))))


@pytest.fixture
def commits(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times of commits, each of which takes long enough for all others to come."""
    seen: list[float] = []
    usual = database.transaction

    @contextmanager
    def slow() -> Iterator[Session]:
        with usual() as session:
            yield session
            time.sleep(0.1)
        seen.append(time.monotonic())

    monkeypatch.setattr(database, "transaction", slow)
    return seen


def _race(together: Together, verbs: list[Callable[[Session], str]]) -> list[str | BaseException]:
    ready = threading.Barrier(len(verbs))

    def one(number: int) -> str | BaseException:
        ready.wait()
        try:
            return together.do(verbs[number], order=number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(one, range(len(verbs))))


def test_what_comes_in_the_same_moment_is_committed_together(
    database: Database, commits: list[float], now: datetime
) -> None:
    names = [f"p{number:02}" for number in range(PEOPLE)]
    answers = _race(Together(database), [_adding(name, now) for name in names])
    assert answers == names == _logins(database), "each has its own answer, and is there"
    assert len(commits) <= 3, "the first alone or with some, then the rest"


def test_each_is_answered_when_it_is_committed(database: Database, now: datetime) -> None:
    together = Together(database)

    def one(number: int) -> bool:
        together.do(_adding(f"p{number:02}", now))
        return f"p{number:02}" in _logins(database)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(PEOPLE)))


def test_who_is_refused_takes_nothing_from_the_others(
    database: Database, commits: list[float], now: datetime
) -> None:
    names = [f"p{number:02}" for number in range(6)]
    verbs = [_adding(name, now) for name in names]

    def broken(session: Session) -> str:
        _adding("half", now)(session)
        raise LookupError("refused after it wrote")

    answers = _race(Together(database), [*verbs[:3], broken, _adding("p00", now), *verbs[3:]])
    assert isinstance(answers[3], LookupError)
    firsts = [answers[0], answers[4]]
    assert sum(isinstance(one, IntegrityError) for one in firsts) == 1, "two of the same name: one has it"
    assert _logins(database) == names, "all others are there, of the refused one nothing"


def test_rows_are_taken_in_one_order(database: Database, commits: list[float]) -> None:
    seen: list[int] = []

    def verb(number: int) -> Callable[[Session], str]:
        def note(_session: Session) -> str:
            seen.append(number)
            return ""

        return note

    _race(Together(database), [verb(number) for number in range(8)])
    first = seen.index(max(seen)) if seen[0] else 0
    assert len(seen) == 8 and seen[first + 1 :] == sorted(seen[first + 1 :])


def test_a_thread_that_is_ended_in_between_leaves_nobody_waiting(database: Database, now: datetime) -> None:
    together, began = Together(database), threading.Event()

    def ended(_session: Session) -> str:
        began.set()
        time.sleep(0.2)
        raise SystemExit

    def lead() -> None:
        with pytest.raises(SystemExit):
            together.do(ended)

    leader = threading.Thread(target=lead)
    leader.start()
    began.wait()
    assert together.do(_adding("after", now)) == "after"
    leader.join(5)
    assert not leader.is_alive() and _logins(database) == ["after"]
