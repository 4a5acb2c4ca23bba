"""The migrations make exactly the tables and triggers that the code declares, and keep what is under way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from core import clock
from core.database import Database
from scheduler import pushes, settling
from tests import servers
from webapp import migrate, tables  # noqa: F401  (all tables register themselves)


@pytest.fixture
def empty(engine_kind: str, database_template: servers.Template, tmp_path: Path) -> Iterator[Database]:
    """A database with nothing in it."""
    if engine_kind == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
        yield database
        database.close()
        return
    with database_template.copy(tmp_path) as url:
        database = Database(url)
        with database.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        yield database
        database.close()


def _triggers(database: Database) -> set[str]:
    sql = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if database.is_sqlite
        else "SELECT DISTINCT trigger_name FROM information_schema.triggers"
    )
    with database.engine.connect() as connection:
        return {str(row[0]) for row in connection.execute(text(sql))}


def _by_their_keys(database: Database) -> set[str]:
    sql = "SELECT name FROM sqlite_master WHERE sql LIKE '%WITHOUT ROWID%'"
    with database.engine.connect() as connection:
        return {str(name) for (name,) in connection.execute(text(sql))}


def test_migrations_make_what_the_code_declares(empty: Database, database: Database) -> None:
    assert not migrate.is_current(empty)
    assert migrate.upgrade(empty)
    assert migrate.is_current(empty)
    assert not migrate.upgrade(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    assert _triggers(empty) == _triggers(database) != set()
    if database.is_sqlite:
        assert _by_their_keys(empty) == _by_their_keys(database) != set()


def test_who_stands_in_a_list_or_a_group_stays_when_links_are_kept_by_their_keys(empty: Database) -> None:
    command.upgrade(migrate.config(empty), "0033")
    with empty.engine.begin() as connection:
        for statement in _LINKED.split(";\n"):
            connection.execute(text(statement))
    for step in (command.upgrade, command.downgrade):
        step(migrate.config(empty), "0034" if step is command.upgrade else "0033")
        with empty.engine.begin() as connection:
            assert connection.execute(text("SELECT list_id, contact_id FROM contact_member")).all() == [
                (7, 5)
            ]
            assert connection.execute(text("SELECT contact_id, name FROM contact_group")).all() == [
                (5, "elders")
            ]
        for again in ("contact_member VALUES (7, 5)", "contact_group VALUES (5, 'elders')"):
            with pytest.raises(IntegrityError), empty.engine.begin() as connection:
                connection.execute(text(f"INSERT INTO {again}"))


def test_a_push_under_way_survives_the_new_outbox(empty: Database) -> None:
    command.upgrade(migrate.config(empty), "0017")
    with empty.engine.begin() as connection:
        for statement in _UNDER_WAY.split(";\n"):
            connection.execute(text(statement))
    migrate.upgrade(empty)
    with empty.reading() as session:
        assert pushes.progress(session, 1, clock.now()).counts == {"sent": 1, "queued": 1}
        assert [row.id for row in pushes.troubles(session, 1)] == [2], "in a call that is in doubt, as before"
        assert [one.call for one in settling.waiting(session, 1)] == [7]
    with pytest.raises(IntegrityError), empty.engine.begin() as connection:
        connection.execute(text("UPDATE delivery SET contact_id = 1"))
    command.downgrade(migrate.config(empty), "0017")


_AT = "'2026-09-15 07:00:00.000000'"
_LINKED = f"""
INSERT INTO contact_list (id, name, outlet_code, demo, created_at, updated_at) VALUES (7, 'l', '', FALSE, {_AT}, {_AT});
INSERT INTO contact (id, identity, holder_code, name_sealed, email_sealed, phone_sealed, webhook_sealed, outlet_code, province,
 language, created_at, updated_at) VALUES (5, 'i', '', '', '', '', '', '', '', '', {_AT}, {_AT});
INSERT INTO contact_member (list_id, contact_id) VALUES (7, 5);
INSERT INTO contact_group (contact_id, name) VALUES (5, 'elders')"""
_UNDER_WAY = f"""
INSERT INTO push_plan (id, name, piece_key, subject, body, channel, campaign, outlet_code, first_at, rule, stale_hours, state,
 approval, reason, created_at, updated_at, summary, template, parameters, off_days)
 VALUES (1, 'p', '', '', '', 'webhook', '', '', '', '', 6, 'ended', '', '', {_AT}, {_AT}, '', '', '[]', '');
INSERT INTO push (id, plan_id, due_at, state, reason, piece_key, subject, body, channel, outlet_code, target, campaign, total,
 no_address, no_consent, refused, created_at, cut_after, whole, tried, misses, capped, summary, template, parameters)
 VALUES (1, 1, {_AT}, 'running', '', '', '', '', 'webhook', '', '', '', 2, 0, 0, 0, {_AT}, 2, TRUE, 0, 0, 0, '', '', '[]');
INSERT INTO push_batch (id, "key", push_id, number, size, channel, state, not_before, attempts, reason, rounds, counted, calls)
 VALUES (1, 'b', 1, 1, 2, 'webhook', 'queued', {_AT}, 1, '', 0, 0, 7);
INSERT INTO delivery (id, "key", push_id, batch_id, contact_id, address_index, outlet_code, state, attempts, reason, reference,
 "call") VALUES (1, 'k1', 1, 1, 1, 'a1', '', 'sent', 1, '', 'r', 6);
INSERT INTO delivery (id, "key", push_id, batch_id, contact_id, address_index, outlet_code, state, attempts, reason, reference,
 "call") VALUES (2, 'k2', 1, 1, 2, 'a2', '', 'queued', 1, 'doubt', '', 7)"""
