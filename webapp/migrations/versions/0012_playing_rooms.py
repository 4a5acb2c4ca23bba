"""What is remembered of a play of an escape room

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'room_trace',
        sa.Column('play', sqlmodel.sql.sqltypes.AutoString(length=22), nullable=False),
        sa.Column('lock', sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column('what', sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column('nth', sa.Integer(), nullable=False),
        sa.Column('at', core.database.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('play', 'lock', 'what', name=op.f('pk_room_trace')),
        sa.UniqueConstraint('play', 'lock', 'nth', name='room_trace_order'),
    )
    with op.batch_alter_table('room_trace', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_room_trace_at'), ['at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('room_trace', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_room_trace_at'))
    op.drop_table('room_trace')
