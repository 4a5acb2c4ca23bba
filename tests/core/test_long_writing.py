"""A writer of very many rows beside all others: taking turns, its log carried into the file while it goes on."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.database import Database
from core.long_writing import long_writing


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'long.db'}")
    yield made
    made.close()


def table(database: Database) -> None:
    with database.transaction() as session:
        session.connection().execute(text("CREATE TABLE number (value INTEGER, filling TEXT)"))


def put(database: Database, value: int, filling: str = "") -> None:
    with database.transaction() as session:
        values = {"value": value, "filling": filling}
        session.connection().execute(text("INSERT INTO number VALUES (:value, :filling)"), values)


def many(database: Database, first: int) -> None:
    for n in range(40):
        put(database, first + n)


def values(database: Database) -> list[int]:
    with database.reading() as session:
        return [int(one) for (one,) in session.connection().execute(text("SELECT value FROM number"))]


def pragma(database: Database, name: str) -> Any:
    with database.reading() as session:
        return session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()


def test_others_write_between_its_transactions_and_nothing_is_lost(database: Database) -> None:
    table(database)
    try:
        with long_writing(database) as large:
            others = [threading.Thread(target=many, args=(database, first)) for first in (1_000, 2_000)]
            for one in others:
                one.start()
            for n in range(80):
                put(large, n)
            for one in others:
                one.join()
        assert sorted(values(database)) == [*range(80), *range(1_000, 1_040), *range(2_000, 2_040)]
    finally:
        with database.transaction() as session:
            session.connection().execute(text("DROP TABLE number"))


def test_who_writes_waits_for_the_long_one(sqlite: Database) -> None:
    table(sqlite)
    done = threading.Event()

    def write() -> None:
        put(sqlite, 2)
        done.set()

    other = threading.Thread(target=write)
    with long_writing(sqlite) as large:
        assert large.turns is sqlite.turns, "in one queue, without looking again and again"
        with large.transaction() as session:
            session.connection().execute(text("INSERT INTO number VALUES (1, '')"))
            other.start()
            assert not done.wait(0.3)
        assert done.wait(10)
    other.join()
    assert values(sqlite) == [1, 2]


def test_what_it_writes_comes_from_the_log_into_the_file_meanwhile(sqlite: Database) -> None:
    table(sqlite)
    file = Path(str(sqlite.engine.url.database))
    with long_writing(sqlite) as large:
        assert pragma(large, "cache_size") < pragma(sqlite, "cache_size")  # in KiB where it is below zero
        for n in range(20):
            put(large, n, "x" * 200_000)  # far fewer pages than the log may hold before the writer carries it
        end = time.monotonic() + 10
        while file.stat().st_size < 3_000_000:
            assert time.monotonic() < end, "the thread carries nothing"
            time.sleep(0.02)
    assert sorted(values(sqlite)) == list(range(20))
    assert pragma(sqlite, "wal_autocheckpoint") == 1_000, "nobody else's connection is changed"
