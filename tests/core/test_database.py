"""core.database: transactions commit, roll back, and two writers never overtake each other."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, insert, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import QueuePool
from sqlmodel import Session, SQLModel, col, select

from core import database as databases
from core.database import Database, Prepared
from institution.models import Staff

STAFF = SQLModel.metadata.tables["staff"]
BY_LOGIN = Prepared(
    select(Staff.name, Staff.active, Staff.created_at, Staff.signed_in_at)
    .where(col(Staff.login) == bindparam("login"))
    .where(col(Staff.second_factor_step) == 0)
)
RENAME = Prepared(
    update(STAFF).where(STAFF.c.login == bindparam("whose")).values(name=bindparam("new")),
)
ADD = Prepared(
    insert(STAFF).values(
        {
            name: bindparam(name)
            for name in (
                "login", "name", "must_change_password", "active", "system", "demo", "second_factor_step", "created_at",
            )
        }
    )
)  # fmt: skip


def _account(login: str, now: datetime) -> Staff:
    return Staff(login=login, name=login, created_at=now)


def test_a_transaction_commits_and_an_error_rolls_back(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        session.add(_account("kept", now))
    with pytest.raises(RuntimeError), database.transaction() as session:
        session.add(_account("lost", now))
        session.flush()
        raise RuntimeError
    with database.reading() as session:
        assert [row.login for row in session.exec(select(Staff))] == ["kept"]


def test_times_come_back_aware_and_in_utc(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        session.add(_account("a", now))
    with database.reading() as session:
        assert session.exec(select(Staff)).one().created_at == now
    with pytest.raises(Exception, match="naive"), database.transaction() as session:
        session.add(_account("b", datetime(2026, 1, 1)))  # noqa: DTZ001
        session.flush()


def _raise_count(session: Session) -> None:
    account = session.exec(select(Staff).with_for_update()).one()
    account.second_factor_step += 1
    session.add(account)


def test_two_writers_do_not_lose_an_update(database: Database) -> None:
    with database.transaction() as session:
        session.add(_account("a", datetime.now(UTC)))

    def work() -> None:
        for _ in range(25):
            with database.transaction() as session:
                _raise_count(session)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.exec(select(Staff)).one().second_factor_step == 100


# statements put together once


def _fields(login: str, now: datetime) -> dict[str, object]:
    return _account(login, now).model_dump(exclude={"id"})


def _ask(database: Database, login: str) -> list[tuple[object, ...]]:
    return database.ask(BY_LOGIN, {"login": login})


def test_a_prepared_statement_keeps_the_types_of_its_columns(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        assert ADD.on(session.connection(), _fields("a", now), _fields("b", now)) == []
        assert ADD.on(session.connection(), _fields("c", now)) == []
    for login in ("a", "b", "c"):
        assert _ask(database, login) == [(login, True, now, None)]
    assert _ask(database, "d") == []
    with database.reading() as session:
        assert [one.created_at for one in session.exec(select(Staff))] == [now, now, now]
    with pytest.raises(ValueError, match="naive"), database.transaction() as session:
        ADD.on(session.connection(), _fields("e", datetime(2026, 1, 1)))  # noqa: DTZ001


def test_a_prepared_statement_belongs_to_its_transaction(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        session.add(_account("a", now))
    with pytest.raises(RuntimeError), database.transaction() as session:
        RENAME.on(session.connection(), {"whose": "a", "new": "other"})
        assert BY_LOGIN.on(session.connection(), {"login": "a"})[0][0] == "other"
        assert _ask(database, "a")[0][0] == "a"
        raise RuntimeError
    assert _ask(database, "a")[0][0] == "a"
    with database.transaction() as session:
        RENAME.on(session.connection(), {"whose": "a", "new": "other"})
    assert _ask(database, "a")[0][0] == "other"


def test_errors_of_a_prepared_statement_are_those_of_any_other(database: Database, now: datetime) -> None:
    with pytest.raises(IntegrityError), database.transaction() as session:
        ADD.on(session.connection(), _fields("a", now), _fields("a", now))
    assert _ask(database, "a") == []
    with pytest.raises(KeyError, match="login"):
        database.ask(BY_LOGIN, {})


def _taken(database: Database) -> int:
    assert isinstance(database.engine.pool, QueuePool)
    return database.engine.pool.checkedout()


def test_reading_takes_a_connection_only_when_asked_something(database: Database) -> None:
    with database.reading() as session:
        assert _taken(database) == 0
        session.exec(select(Staff)).all()
        assert _taken(database) == 1
    _ask(database, "a")
    assert _taken(database) == 0


def test_a_reader_takes_no_write_lock(database: Database, now: datetime) -> None:
    with database.reading() as session, database.transaction() as other:
        other.add(_account("a", now))
        other.flush()
        assert session.exec(select(Staff)).all() == []
        assert _ask(database, "a") == []


def test_a_question_without_values_is_asked_too(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        session.add(_account("one", now))
    assert database.ask(Prepared(select(Staff.login)), {}) == [("one",)]


def _end_all_others(database: Database) -> None:
    """What a restart of the server does to the connections that wait in the pool."""
    ended = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid != pg_backend_pid()"
    )
    other = Database(database.url)
    with other.reading() as session:
        session.connection().execute(text(ended))
    other.close()


def test_a_connection_that_was_idle_is_asked_whether_it_stands(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_sqlite:
        pytest.skip("the connections of SQLite cannot be cut")
    monkeypatch.setattr(databases, "_IDLE_SECONDS", 0)
    with database.transaction() as session:
        session.connection().execute(text("SELECT 1"))
    _end_all_others(database)
    with database.transaction() as session:
        assert session.connection().execute(text("SELECT 1")).scalar_one() == 1


def test_without_asking_it_would_be_noticed_and_only_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control; and the pool forgets all that were cut with the first one."""
    if database.is_sqlite:
        pytest.skip("the connections of SQLite cannot be cut")
    monkeypatch.setattr(databases, "_IDLE_SECONDS", 3600)
    with database.reading() as first, database.reading() as second:
        for session in (first, second):
            session.connection().execute(text("SELECT 1"))
    _end_all_others(database)
    with pytest.raises(DBAPIError), database.reading() as session:
        session.connection().execute(text("SELECT 1"))
    with database.reading() as session:
        assert session.connection().execute(text("SELECT 1")).scalar_one() == 1
