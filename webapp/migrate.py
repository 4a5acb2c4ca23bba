"""The relational schema brought up to date; the migrations lie beside this module."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from core.database import Database


def config(database: Database) -> Config:
    """Alembic set up for this database, with no ini file."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    settings.attributes["engine"] = database.engine
    return settings


def upgrade(database: Database) -> bool:
    """Apply the migrations that are missing; True when there were any."""
    if is_current(database):
        return False
    command.upgrade(config(database), "head")
    return True


def is_current(database: Database) -> bool:
    """Whether the database has every migration."""
    head = ScriptDirectory.from_config(config(database)).get_current_head()
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head
