"""Alembic's entry: migrations run on the engine handed in by `webapp.migrate`."""

from alembic import context
from sqlmodel import SQLModel

from webapp import tables  # noqa: F401  (all tables register themselves)

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(
        connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, compare_type=True
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
