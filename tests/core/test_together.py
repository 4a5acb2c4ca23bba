"""core.together: who comes while another one commits goes with the next, and nobody is hurt by another's failure."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.database import Database
from core.together import Together
from institution.models import Staff

PEOPLE, NOW, BEGAN = 24, datetime(2026, 11, 26, tzinfo=UTC), threading.Event()


def _add(session: Session, names: Sequence[str]) -> list[str]:
    """Writes accounts; "refused" is refused after the others were written, "ended" ends its thread."""
    for name in names:
        session.add(Staff(login=name, name=name, created_at=NOW))
        session.flush()
    if "refused" in names:
        raise LookupError
    if "ended" in names:
        BEGAN.set()
        time.sleep(0.2)
        raise SystemExit
    return [name.upper() for name in names]


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


def _race(together: Together[str, str], names: Sequence[str]) -> list[str | BaseException]:
    ready = threading.Barrier(len(names))

    def one(name: str) -> str | BaseException:
        ready.wait()
        try:
            return together.do(name)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(one, names))


def test_what_comes_in_the_same_moment_is_committed_together(
    database: Database, commits: list[float]
) -> None:
    names = [f"p{number:02}" for number in range(PEOPLE)]
    answers = _race(Together(database, _add), names)
    assert answers == [name.upper() for name in names], "each has its own answer"
    assert _logins(database) == names
    assert len(commits) <= 3, "the first alone or with some, then the rest"


def test_each_is_answered_when_it_is_committed(database: Database) -> None:
    together = Together(database, _add)

    def one(number: int) -> bool:
        together.do(f"p{number:02}")
        return f"p{number:02}" in _logins(database)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(PEOPLE)))


def test_who_is_refused_takes_nothing_from_the_others(database: Database, commits: list[float]) -> None:
    names = [f"p{number:02}" for number in range(6)]
    answers = _race(Together(database, _add), [*names[:3], "refused", "p00", *names[3:]])
    assert isinstance(answers[3], LookupError)
    assert sum(isinstance(one, IntegrityError) for one in (answers[0], answers[4])) == 1, (
        "one of two has the name"
    )
    assert _logins(database) == names, "all others are there, of the refused one nothing"


def test_a_thread_that_is_ended_in_between_leaves_nobody_waiting(database: Database) -> None:
    together = Together(database, _add)

    def lead() -> None:
        with pytest.raises(SystemExit):
            together.do("ended")

    leader = threading.Thread(target=lead)
    leader.start()
    BEGAN.wait()
    assert together.do("after") == "AFTER"
    leader.join(5)
    assert not leader.is_alive() and _logins(database) == ["after"]
