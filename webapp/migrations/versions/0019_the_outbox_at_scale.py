"""The outbox at scale: indexes in the order of writing, a call that is marked once, figures of settled batches

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op


revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

# The first tables gave their constraints no names: SQLite goes by a convention, PostgreSQL has what 0016 gave it.
_NAMES = {'uq': 'uq_%(table_name)s_%(column_0_N_name)s'}
_TROUBLED = sa.text("state NOT IN ('queued', 'sending', 'sent')")
_FIGURES = ('failed', 'refused', 'uncertain', 'cancelled')


def upgrade() -> None:
    op.add_column('push_batch', sa.Column('sending', sa.Integer(), nullable=True))
    op.add_column('push_batch', sa.Column('sent', sa.Integer(), nullable=True))
    for name in _FIGURES:
        op.add_column('push_batch', sa.Column(name, sa.Integer(), nullable=False, server_default='0'))
    with op.batch_alter_table('delivery', schema=None, naming_convention=_NAMES) as batch_op:
        batch_op.drop_index('delivery_batch')
        batch_op.drop_index('delivery_push')
        batch_op.drop_constraint(batch_op.f('uq_delivery_address_index_push_id'), type_='unique')
    op.create_index('delivery_batch', 'delivery', ['batch_id', 'call'], unique=False)
    op.create_index(
        'delivery_trouble', 'delivery', ['push_id', 'state'], unique=False,
        sqlite_where=_TROUBLED, postgresql_where=_TROUBLED,
    )


def downgrade() -> None:
    op.drop_index('delivery_trouble', table_name='delivery')
    op.drop_index('delivery_batch', table_name='delivery')
    with op.batch_alter_table('delivery', schema=None, naming_convention=_NAMES) as batch_op:
        batch_op.create_unique_constraint(
            batch_op.f('uq_delivery_address_index_push_id'), ['address_index', 'push_id']
        )
        batch_op.create_index('delivery_push', ['push_id', 'state'], unique=False)
        batch_op.create_index('delivery_batch', ['batch_id', 'state'], unique=False)
    for name in ('sent', *_FIGURES, 'sending'):  # each by itself: the table cannot be written anew, rows hold on to it
        op.drop_column('push_batch', name)
