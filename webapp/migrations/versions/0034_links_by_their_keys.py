"""Tables of nothing but links stand by their keys on SQLite, once instead of twice

Revision ID: 0034
Revises: 0033
"""

from alembic import op


revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

TABLES = ("contact_group", "contact_member", "contact_import_member")


def _made_anew(**kind: bool) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in TABLES:
            with op.batch_alter_table(table, recreate="always", table_kwargs=kind):
                pass


def upgrade() -> None:
    _made_anew(sqlite_with_rowid=False)


def downgrade() -> None:
    _made_anew()
