"""The audit log: written with what it tells of, in one unbroken chain, by many at once, and never changed."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session as AnySession
from sqlmodel import Session, col, select, text

from core.database import Database
from institution import audit, audit_chain
from institution.audit import Actor
from institution.audit_models import AuditHead, AuditRecord

EDITED = "test.edit"
audit.declare({EDITED: "修改"})


def write(database: Database, count: int = 1, **more: object) -> None:
    for number in range(count):
        with database.transaction() as session:
            audit.record(session, EDITED, "test", number, after={"name": f"甲{number}"}, **more)  # type: ignore[arg-type]


def records(database: Database) -> list[AuditRecord]:
    with database.reading() as session:
        return list(session.exec(select(AuditRecord).order_by(col(AuditRecord.id))))


def test_a_record_says_who_what_and_only_what_differs(database: Database) -> None:
    before = {"name": "甲", "phone": "1", "tags": {"b", "a"}}
    with audit.acting(Actor(7, "林编辑", "desk", "192.0.2.1")), database.transaction() as session:
        audit.record(
            session, EDITED, "test", 42, before=before, after=before | {"name": "乙"}, outlet_code="33",
            note=" 更\x00名 ",
        )  # fmt: skip
    (one,) = records(database)
    assert (one.id, one.actor_id, one.actor, one.via, one.address) == (1, 7, "林编辑", "desk", "192.0.2.1")
    assert (one.kind, one.subject, one.outlet_code, one.note) == ("test", "42", "33", "更名")
    assert (one.before, one.after) == ({"name": "甲"}, {"name": "乙"})
    assert one.previous == "" and len(one.hash) == 64


def test_an_action_nobody_declared_is_a_mistake(database: Database) -> None:
    with pytest.raises(ValueError, match="undeclared"), database.transaction() as session:
        audit.record(session, "test.unheard", "test", 1)


def test_what_was_rolled_back_leaves_nothing_and_no_gap(database: Database) -> None:
    write(database)
    with pytest.raises(RuntimeError), database.transaction() as session:
        audit.record(session, EDITED, "test", "lost")
        audit.settle(session)
        raise RuntimeError
    with database.reading() as session:
        audit.record(session, EDITED, "test", "only read")
    with database.transaction() as session:
        audit.record(session, EDITED, "test", "outer")
        with pytest.raises(RuntimeError), session.begin_nested():
            audit.record(session, EDITED, "test", "lost too")
            with session.begin_nested():
                audit.record(session, EDITED, "test", "and this")
            raise RuntimeError
        with session.begin_nested():
            audit.record(session, EDITED, "test", "inner")
    assert [(one.id, one.subject) for one in records(database)] == [(1, "0"), (2, "outer"), (3, "inner")]
    assert audit_chain.verify(database).fault is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_record SET note = 'x'",
        "DELETE FROM audit_record",
        "UPDATE audit_head SET hash = 'x'",
        "UPDATE audit_head SET last = 0",
        "DELETE FROM audit_head",
    ],
)
def test_the_database_refuses_to_change_what_was_written(database: Database, statement: str) -> None:
    write(database)
    with pytest.raises(DBAPIError, match="append-only"), database.transaction() as session:
        session.connection().execute(text(statement))


def test_postgresql_refuses_to_empty_the_log(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has no TRUNCATE")
    for table in ("audit_record", "audit_head"):
        with pytest.raises(DBAPIError, match="append-only"), database.transaction() as session:
            session.connection().execute(text(f"TRUNCATE {table}"))


def _race(database: Database, threads: int, each: int) -> list[DBAPIError]:
    """Many write at once; returns what went wrong."""
    start, wrong = threading.Barrier(threads), []

    def run() -> None:
        start.wait()
        try:
            write(database, each)
        except DBAPIError as error:
            wrong.append(error)

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return wrong


def test_eight_write_at_once_and_the_chain_is_whole(database: Database) -> None:
    assert _race(database, 8, 12) == []
    found = audit_chain.verify(database)
    assert found.fault is None and found.count == 96
    assert [one.id for one in records(database)] == list(range(1, 97))


@pytest.fixture
def unguarded() -> Iterator[None]:
    """The control: the head is read without holding it, and what others write is not waited for."""

    def settle(session: AnySession) -> None:
        for _within, made in session.info.pop("audit_waiting", []):
            with Session(session.get_bind().engine) as other:
                head = other.exec(select(AuditHead)).one()
            made.update(id=head.last + 1, previous=head.hash)
            made["hash"] = audit.digest(made)
            session.add(AuditRecord(**made))
            session.flush()
            head.last, head.hash = made["id"], made["hash"]
            session.merge(head)

    event.remove(AnySession, "before_commit", audit.settle)
    event.listen(AnySession, "before_commit", settle)
    yield
    event.remove(AnySession, "before_commit", settle)
    event.listen(AnySession, "before_commit", audit.settle)


def test_without_holding_the_head_the_same_race_breaks(database: Database, unguarded: None) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite lets one write at a time, whatever is held")
    assert _race(database, 8, 12)


def test_a_verb_that_writes_on_after_its_record_locks_nobody_up(database: Database) -> None:
    """Two bulk acts that touch the same rows in the same order, with a record after each row."""
    with database.transaction() as session:
        session.connection().execute(text("CREATE TABLE thing (id INTEGER PRIMARY KEY, value INTEGER)"))
        session.connection().execute(text("INSERT INTO thing VALUES (1, 0), (2, 0)"))
    begun, wrong = threading.Barrier(2), []

    def act(order: tuple[int, int]) -> None:
        begun.wait()
        try:
            for _round in range(10):
                with database.transaction() as session:
                    audit.record(session, EDITED, "thing", order[0])
                    statement = text("UPDATE thing SET value = value + 1 WHERE id = :id")
                    for number in (1, 2):
                        session.connection().execute(statement, {"id": number})
                        audit.record(session, EDITED, "thing", number)
        except DBAPIError as error:
            wrong.append(error)

    workers = [threading.Thread(target=act, args=(order,)) for order in ((1, 2), (2, 1))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == [] and audit_chain.verify(database).count == 60
