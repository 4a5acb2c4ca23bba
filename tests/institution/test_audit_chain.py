"""Tampering is found and the first record named, whatever is changed; anchors find what the chain cannot."""

import gc
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlmodel import Session, col, select, text

from core.database import Database
from core.errors import Invalid
from institution import audit, audit_chain
from institution.audit_chain import ANCHORS
from institution.audit_models import AuditHead, AuditRecord

MADE = "test.make"
audit.declare({MADE: "新增"})
COUNT = 12
NOW = datetime(2026, 9, 15, 6, 30, tzinfo=UTC)
Tamper = Callable[[Session], None]


@pytest.fixture
def written(database: Database) -> Database:
    with database.transaction() as session:
        for number in range(COUNT):
            audit.record(session, MADE, "test", number, after={"name": f"甲{number}", "at": NOW})
    return database


def unguard(session: Session) -> None:
    """What somebody with the database's own password can do first."""
    connection = session.connection()
    for table, names in {
        "audit_record": ("audit_record_immutable", "audit_record_kept"),
        "audit_head": ("audit_head_moves_on", "audit_head_kept"),
    }.items():
        for name in names:
            on = "" if connection.dialect.name == "sqlite" else f" ON {table}"
            connection.execute(text(f"DROP TRIGGER {name}{on}"))


def sql(statement: str) -> Tamper:
    def tamper(session: Session) -> None:
        session.connection().execute(text(statement))

    return tamper


def changed(name: str, value: str) -> Tamper:
    return sql(f"UPDATE audit_record SET {name} = {value} WHERE id = 5")


def inserted(number: int) -> Tamper:
    def tamper(session: Session) -> None:
        one = session.get_one(AuditRecord, 5)
        fields = one.model_dump() | {"id": number}
        fields["hash"] = audit.digest({name: value for name, value in fields.items() if name != "hash"})
        session.execute(insert(AuditRecord), [fields])

    return tamper


def swapped(session: Session) -> None:
    for old, new in ((5, 99), (6, 5), (99, 6)):
        sql(f"UPDATE audit_record SET id = {new} WHERE id = {old}")(session)


def rewritten(begin: int, *, until: int = COUNT) -> Tamper:
    """A forger who knows how hashes are made: changes one record and computes all that follow anew."""

    def tamper(session: Session) -> None:
        rows = session.exec(
            select(AuditRecord).where(col(AuditRecord.id) >= begin).order_by(col(AuditRecord.id))
        )
        previous = session.get_one(AuditRecord, begin - 1).hash
        for one in list(rows)[: until - begin + 1]:
            one.note, one.previous = "伪造" if one.id == begin else one.note, previous
            previous = one.hash = audit.digest(one.model_dump(exclude={"hash"}))
        if until == COUNT:
            session.get_one(AuditHead, 1).hash = previous
        session.flush()

    return tamper


def shortened(session: Session) -> None:
    """The newest records taken away and the head set back: the chain that is left is whole."""
    sql("DELETE FROM audit_record WHERE id > 9")(session)
    head = session.get_one(AuditHead, 1)
    head.last, head.hash = 9, session.get_one(AuditRecord, 9).hash
    session.flush()


TAMPERED: dict[str, tuple[Tamper, int]] = {
    **{
        f"changed {name}": (changed(name, value), 5)
        for name, value in {
            "at": "'2020-01-01 00:00:00'", "actor": "'别人'", "actor_id": "77", "via": "'link'", "address": "'::1'",
            "action": "'x'", "kind": "'x'", "subject": "'x'", "outlet_code": "'x'", "before": "'{\"a\": 1}'",
            "after": "'{}'", "note": "'x'", "hash": "'x'",
        }.items()
    },
    "changed previous": (changed("previous", "'x'"), 5),
    "removed": (sql("DELETE FROM audit_record WHERE id = 5"), 5),
    "removed first": (sql("DELETE FROM audit_record WHERE id = 1"), 1),
    "removed newest": (sql("DELETE FROM audit_record WHERE id > 9"), 10),
    "all removed": (sql("DELETE FROM audit_record"), 1),
    "inserted at the end": (inserted(13), 13),
    "inserted before the first": (inserted(0), 0),
    "reordered": (swapped, 5),
    "rewritten alone": (rewritten(5, until=5), 6),
    "head changed": (sql("UPDATE audit_head SET hash = 'x'"), 12),
    "head set back": (sql("UPDATE audit_head SET last = 11"), 12),
    "head removed": (sql("DELETE FROM audit_head"), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_tampering_is_found_and_the_first_record_named(written: Database, name: str) -> None:
    tamper, number = TAMPERED[name]
    assert audit_chain.verify(written).fault is None
    with written.transaction() as session:
        unguard(session)
        tamper(session)
    fault = audit_chain.verify(written).fault
    assert fault is not None and fault.number == number
    assert str(number) in fault.sentence() or number == 0


def test_a_record_shows_by_itself_whether_it_hangs_on_the_one_before(written: Database) -> None:
    with written.transaction() as session:
        unguard(session)
        rewritten(5, until=5)(session)
    with written.reading() as session:
        whole = [
            audit_chain.is_whole(session, session.get_one(AuditRecord, number)) for number in (1, 5, 6, 7)
        ]
    assert whole == [True, True, False, True]


@pytest.mark.parametrize(("tamper", "number"), [(shortened, 12), (rewritten(5), 12)])
def test_what_leaves_the_chain_whole_is_found_by_an_anchor(
    written: Database, tmp_path: Path, tamper: Tamper, number: int
) -> None:
    assert audit_chain.anchor(written, tmp_path, NOW)
    with written.transaction() as session:
        unguard(session)
        tamper(session)
    assert audit_chain.verify(written).fault is None, "the control: the chain alone does not tell"
    fault = audit_chain.verify(written, audit_chain.anchors(tmp_path / ANCHORS).hashes).fault
    assert fault is not None and fault.number == number


def test_an_anchor_is_noted_once_an_hour_and_only_when_the_log_grew(
    database: Database, tmp_path: Path
) -> None:
    def write() -> None:
        with database.transaction() as session:
            audit.record(session, MADE, "test", 1)

    hour = timedelta(hours=1)
    assert not audit_chain.anchor(database, tmp_path, NOW)
    write()
    assert audit_chain.anchor(database, tmp_path, NOW)
    assert not audit_chain.anchor(database, tmp_path, NOW + hour)
    write()
    assert not audit_chain.anchor(database, tmp_path, NOW + hour / 2)
    assert audit_chain.anchor(database, tmp_path, NOW + hour)
    noted = audit_chain.anchors(tmp_path / ANCHORS)
    assert sorted(noted.hashes) == [1, 2] and noted.unreadable == []
    assert audit_chain.verify(database, noted.hashes).anchors == 2


def test_a_torn_line_is_told_and_the_next_note_stands_on_its_own(written: Database, tmp_path: Path) -> None:
    path = tmp_path / ANCHORS
    path.write_bytes(b'{"at": "2026-09-15T06:30:00+00:00", "numb')
    assert audit_chain.anchor(written, tmp_path, NOW)
    noted = audit_chain.anchors(path)
    assert list(noted.hashes) == [COUNT] and noted.unreadable == [1]
    with path.open("a") as file:
        file.write(json.dumps({"number": COUNT, "hash": "x"}) + "\n")
    with pytest.raises(Invalid, match="矛盾"):
        audit_chain.anchors(path)


def test_a_long_log_is_walked_in_bounded_memory(database: Database) -> None:
    def peak(count: int) -> int:
        with database.transaction() as session:
            for number in range(count):
                audit.record(session, MADE, "test", number, note="甲" * 400)
        gc.collect()  # what earlier tests left behind is not to be cleared away, and complained of, in the walk
        tracemalloc.start()
        assert audit_chain.verify(database).fault is None
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    first = peak(3_000)
    assert peak(9_000) < first * 1.5
