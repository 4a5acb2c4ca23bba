"""The migrations make exactly the tables and triggers that the code declares, on an empty database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel

from core.database import Database
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


def test_migrations_make_what_the_code_declares(empty: Database, database: Database) -> None:
    assert not migrate.is_current(empty)
    assert migrate.upgrade(empty)
    assert migrate.is_current(empty)
    assert not migrate.upgrade(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    assert _triggers(empty) == _triggers(database) != set()
