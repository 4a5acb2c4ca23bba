"""Accounts and plans of the demo institution, to be told from one's own

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op


revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ('channel_account', 'push_plan'):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column('demo', sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for table in ('channel_account', 'push_plan'):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column('demo')
