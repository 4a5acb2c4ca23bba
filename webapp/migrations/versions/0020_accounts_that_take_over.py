"""Accounts that take over from another one, pushes that were taken over

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString
_KEY = 'fk_channel_account_failover_id_channel_account'


def upgrade() -> None:
    with op.batch_alter_table('channel_account', schema=None) as batch_op:
        batch_op.add_column(sa.Column('failover_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f(_KEY), 'channel_account', ['failover_id'], ['id'])
    with op.batch_alter_table('push_plan', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('failover_template', _Text(length=100), nullable=False, server_default='')
        )
    op.create_table(
        'push_failover',
        sa.Column('push_id', sa.Integer(), nullable=False),
        sa.Column('account_id', sa.Integer(), nullable=False),
        sa.Column('target', _Text(length=500), nullable=False),
        sa.Column('template', _Text(length=100), nullable=False),
        sa.Column('moved_at', core.database.UtcDateTime(), nullable=True),
        sa.Column('reason', _Text(length=500), nullable=False),
        sa.ForeignKeyConstraint(['push_id'], ['push.id'], name=op.f('fk_push_failover_push_id_push')),
        sa.ForeignKeyConstraint(
            ['account_id'], ['channel_account.id'], name=op.f('fk_push_failover_account_id_channel_account')
        ),
        sa.PrimaryKeyConstraint('push_id', name=op.f('pk_push_failover')),
    )


def downgrade() -> None:
    op.drop_table('push_failover')
    with op.batch_alter_table('push_plan', schema=None) as batch_op:
        batch_op.drop_column('failover_template')
    with op.batch_alter_table('channel_account', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f(_KEY), type_='foreignkey')
        batch_op.drop_column('failover_id')
