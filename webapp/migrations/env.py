"""Alembic's entry: migrations run on the engine handed in by `webapp.migrate`."""

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from webapp import tables  # noqa: F401  (all tables register themselves)


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, compare_type=True
    )
    with context.begin_transaction():
        context.run_migrations()


def _migrate_sqlite(connection: Connection) -> None:
    """SQLite writes a table anew to change it, and would not let the old one go while rows of others name it. So names
    are looked at once, at the end (sqlite.org/lang_altertable.html, section 7); it can be said only outside of a
    transaction."""
    driver = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
    try:
        _migrate(connection)
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if lost:
            connection.rollback()
            raise RuntimeError(f"a migration would leave rows that name what is gone: {lost[:5]}")
        connection.commit()
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys=ON")  # type: ignore[union-attr]


engine = context.config.attributes["engine"]
with engine.connect() as connection:
    if connection.dialect.name == "sqlite":
        _migrate_sqlite(connection)
    else:
        _migrate(connection)
    connection.commit()
