"""Pushes cut page by page, calls with many recipients, quotas shared by all workers

Revision ID: 0016
Revises: 0013
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0016'
down_revision = '0013'
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString
# The first tables gave their constraints no names: SQLite goes by a convention, PostgreSQL made up its own.
_NAMES = {'uq': 'uq_%(table_name)s_%(column_0_N_name)s'}


def _old(dialect: str) -> str:
    return 'uq_delivery_push_id_address_index' if dialect == 'sqlite' else 'delivery_push_id_address_index_key'


def upgrade() -> None:
    with op.batch_alter_table('push', schema=None) as batch_op:
        for name in ('cut_after', 'tried', 'misses'):
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('whole', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE push SET whole = TRUE WHERE state NOT IN ('cutting', 'overtaken')")
    with op.batch_alter_table('push_batch', schema=None) as batch_op:
        batch_op.add_column(sa.Column('calls', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('account_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f('fk_push_batch_account_id_channel_account'), 'channel_account', ['account_id'], ['id']
        )
    with op.batch_alter_table('delivery', schema=None, naming_convention=_NAMES) as batch_op:
        batch_op.add_column(sa.Column('call', sa.Integer(), nullable=True))
        batch_op.drop_index('delivery_address')
        batch_op.drop_constraint(batch_op.f(_old(op.get_bind().dialect.name)), type_='unique')
        batch_op.create_unique_constraint(
            batch_op.f('uq_delivery_address_index_push_id'), ['address_index', 'push_id']
        )
    op.create_table(
        'push_quota',
        sa.Column('name', _Text(length=80), nullable=False),
        sa.Column('taken', _Text(), nullable=False),
        sa.PrimaryKeyConstraint('name', name=op.f('pk_push_quota')),
    )


def downgrade() -> None:
    op.drop_table('push_quota')
    with op.batch_alter_table('delivery', schema=None, naming_convention=_NAMES) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_delivery_address_index_push_id'), type_='unique')
        batch_op.create_unique_constraint(
            batch_op.f(_old(op.get_bind().dialect.name)), ['push_id', 'address_index']
        )
        batch_op.create_index('delivery_address', ['address_index'], unique=False)
        batch_op.drop_column('call')
    with op.batch_alter_table('push_batch', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_push_batch_account_id_channel_account'), type_='foreignkey')
        batch_op.drop_column('account_id')
        batch_op.drop_column('calls')
    with op.batch_alter_table('push', schema=None) as batch_op:
        for name in ('whole', 'misses', 'tried', 'cut_after'):
            batch_op.drop_column(name)
