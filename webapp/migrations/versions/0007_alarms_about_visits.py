"""Alarms about visits

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('reach_watch',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('watched_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('raised', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('day')
    )
    op.create_table('reach_alarm',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('level', sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False),
    sa.Column('outlet_code', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('channel', sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False),
    sa.Column('first', sa.Date(), nullable=False),
    sa.Column('last', sa.Date(), nullable=False),
    sa.Column('expected', sa.BigInteger(), nullable=False),
    sa.Column('actual', sa.BigInteger(), nullable=False),
    sa.Column('under_id', sa.Integer(), nullable=True),
    sa.Column('found_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('over_on', sa.Date(), nullable=True),
    sa.Column('cause', sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
    sa.Column('quiet_until', sa.Date(), nullable=True),
    sa.Column('handled_by', sa.Integer(), nullable=True),
    sa.Column('handled_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['handled_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['under_id'], ['reach_alarm.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('level', 'outlet_code', 'channel', 'kind', 'first')
    )
    with op.batch_alter_table('reach_alarm', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reach_alarm_first'), ['first'], unique=False)
        batch_op.create_index(batch_op.f('ix_reach_alarm_handled_at'), ['handled_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_reach_alarm_outlet_code'), ['outlet_code'], unique=False)
        batch_op.create_index(batch_op.f('ix_reach_alarm_over_on'), ['over_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_reach_alarm_under_id'), ['under_id'], unique=False)

    op.create_table('reach_alarm_reader',
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('since', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('staff_id')
    )


def downgrade() -> None:
    op.drop_table('reach_alarm_reader')
    op.drop_table('reach_alarm')
    op.drop_table('reach_watch')
