"""Reports by mail: subscriptions, their readers, what became of each; letters that are to arrive once

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('letter', schema=None) as batch_op:
        batch_op.add_column(sa.Column('once', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('handing_at', core.database.UtcDateTime(timezone=True), nullable=True))

    op.create_table('report_subscription',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
    sa.Column('outlet_code', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('span', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('by', sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
    sa.Column('compare', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('filters', sqlmodel.sql.sqltypes.AutoString(length=500), nullable=False),
    sa.Column('rhythm', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('weekday', sa.Integer(), nullable=False),
    sa.Column('month_day', sa.Integer(), nullable=False),
    sa.Column('workdays', sa.Boolean(), nullable=False),
    sa.Column('days_after', sa.Integer(), nullable=False),
    sa.Column('hour', sa.Integer(), nullable=False),
    sa.Column('locale', sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('since', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('made_by', sa.Integer(), nullable=True),
    sa.Column('made_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('changed_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['made_by'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('report_subscription', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_report_subscription_outlet_code'), ['outlet_code'], unique=False)
        batch_op.create_index(batch_op.f('ix_report_subscription_state'), ['state'], unique=False)

    op.create_table('report_recipient',
    sa.Column('subscription_id', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('added_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['subscription_id'], ['report_subscription.id'], ),
    sa.PrimaryKeyConstraint('subscription_id', 'staff_id')
    )
    with op.batch_alter_table('report_recipient', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_report_recipient_staff_id'), ['staff_id'], unique=False)

    op.create_table('report_delivery',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('subscription_id', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('period_key', sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
    sa.Column('first', sa.Date(), nullable=False),
    sa.Column('last', sa.Date(), nullable=False),
    sa.Column('campaign', sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
    sa.Column('due_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('late', sa.Boolean(), nullable=False),
    sa.Column('missed', sa.Integer(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('claim', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('claimed_until', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
    sa.Column('parts', sqlmodel.sql.sqltypes.AutoString(length=500), nullable=False),
    sa.Column('letter_id', sa.Integer(), nullable=True),
    sa.Column('made_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('settled_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['subscription_id'], ['report_subscription.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('subscription_id', 'staff_id', 'period_key')
    )
    with op.batch_alter_table('report_delivery', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_report_delivery_state'), ['state'], unique=False)
        batch_op.create_index(batch_op.f('ix_report_delivery_subscription_id'), ['subscription_id'], unique=False)


def downgrade() -> None:
    op.drop_table('report_delivery')
    op.drop_table('report_recipient')
    op.drop_table('report_subscription')
    with op.batch_alter_table('letter', schema=None) as batch_op:
        batch_op.drop_column('handing_at')
        batch_op.drop_column('once')
