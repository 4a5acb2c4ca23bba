"""The index of deliveries that went wrong names its states one by one: a list cost half of settling a row

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op


revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_LIST = "state NOT IN ('queued', 'sending', 'sent')"
_ONE_BY_ONE = "state <> 'queued' AND state <> 'sending' AND state <> 'sent'"


def upgrade() -> None:
    _index(_ONE_BY_ONE)


def downgrade() -> None:
    _index(_LIST)


def _index(where: str) -> None:
    op.drop_index("delivery_trouble", table_name="delivery")
    op.create_index(
        "delivery_trouble",
        "delivery",
        ["push_id", "state"],
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
