"""core.database: transactions commit, roll back, and two writers never overtake each other."""

import threading
from datetime import UTC, datetime

import pytest
from sqlmodel import Session, select

from core.database import Database
from institution.models import Staff


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
