"""Threads of one process write to SQLite in turn: nobody finds it busy, and a turn ends whatever happens."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from core.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'turns.db'}")
    with made.transaction() as session:
        session.execute(text("CREATE TABLE counter (value INTEGER)"))
        session.execute(text("INSERT INTO counter VALUES (0)"))
    return made


def _add(database: Database) -> None:
    with database.transaction() as session:
        (value,) = session.execute(text("SELECT value FROM counter")).one()
        session.execute(text("UPDATE counter SET value = :value"), {"value": value + 1})


def _value(database: Database) -> int:
    with database.reading() as session:
        return int(session.execute(text("SELECT value FROM counter")).scalar_one())


def test_threads_that_write_lose_nothing(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _number: _add(database), range(80)))
    assert _value(database) == 80


def test_a_turn_ends_with_an_error_too(database: Database) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), database.transaction() as session:
            session.execute(text("UPDATE counter SET value = 99"))
            raise ZeroDivisionError
    _add(database)
    assert _value(database) == 1


def test_who_reads_waits_for_nobody(database: Database) -> None:
    begun, done = threading.Event(), threading.Event()

    def write() -> None:
        with database.transaction() as session:
            session.execute(text("UPDATE counter SET value = 5"))
            begun.set()
            done.wait(10)

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait(10)
    assert _value(database) == 0
    done.set()
    thread.join()
    assert _value(database) == 5
