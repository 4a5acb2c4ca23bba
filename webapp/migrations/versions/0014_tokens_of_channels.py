"""Access tokens that all workers share

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'channel_token',
        sa.Column('account', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('sealed', sqlmodel.sql.sqltypes.AutoString(length=4000), nullable=False),
        sa.Column('expires_at', core.database.UtcDateTime(), nullable=True),
        sa.Column('round', sa.Integer(), nullable=False),
        sa.Column('owner', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column('lease_until', core.database.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint('account', name=op.f('pk_channel_token')),
    )


def downgrade() -> None:
    op.drop_table('channel_token')
