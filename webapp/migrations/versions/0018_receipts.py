"""Receipts: the address of each account, what came too early, what receipts add up to, what is counted back

Revision ID: 0018
Revises: 0017
"""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString
_Time = core.database.UtcDateTime
_Serial = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def _number(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=False, server_default='0')


def upgrade() -> None:
    op.create_table(
        'channel_hook',
        sa.Column('account_id', sa.Integer(), nullable=False),
        sa.Column('token', _Text(length=64), nullable=False),
        sa.Column('made_at', _Time(), nullable=False),
        sa.Column('heard_at', _Time(), nullable=True),
        sa.Column('day', sa.Date(), nullable=True),
        _number('today'),
        _number('refused'),
        sa.Column('refused_at', _Time(), nullable=True),
        sa.Column('refusal', _Text(length=200), nullable=False, server_default=''),
        sa.Column('poll_at', _Time(), nullable=True),
        sa.Column('poll_owner', _Text(length=32), nullable=False, server_default=''),
        sa.Column('poll_until', _Time(), nullable=True),
        sa.Column('polled_at', _Time(), nullable=True),
        sa.Column('fault', _Text(length=500), nullable=False, server_default=''),
        sa.Column('cursor', sa.BigInteger(), nullable=False, server_default='0'),
        sa.ForeignKeyConstraint(['account_id'], ['channel_account.id'], name=op.f('fk_channel_hook_account_id_channel_account')),
        sa.PrimaryKeyConstraint('account_id', name=op.f('pk_channel_hook')),
        sa.UniqueConstraint('token', name=op.f('uq_channel_hook_token')),
    )
    op.create_index(op.f('ix_channel_hook_poll_at'), 'channel_hook', ['poll_at'], unique=False)
    op.create_table(
        'kept_receipt',
        sa.Column('id', _Serial, nullable=False),
        sa.Column('account_id', sa.Integer(), nullable=False),
        sa.Column('reference', _Text(length=200), nullable=False),
        sa.Column('address_index', _Text(length=64), nullable=False),
        sa.Column('key', _Text(length=64), nullable=True),
        sa.Column('what', _Text(length=16), nullable=False),
        sa.Column('reason', _Text(length=500), nullable=False),
        sa.Column('closes', _Text(length=16), nullable=False),
        sa.Column('counts', sa.JSON(), nullable=False),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('kept_at', _Time(), nullable=False),
        sa.Column('not_before', _Time(), nullable=False),
        sa.ForeignKeyConstraint(['account_id'], ['channel_account.id'], name=op.f('fk_kept_receipt_account_id_channel_account')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_kept_receipt')),
        sa.UniqueConstraint('account_id', 'reference', 'address_index', 'what', name='kept_receipt_once'),
    )
    op.create_index(op.f('ix_kept_receipt_not_before'), 'kept_receipt', ['not_before'], unique=False)
    op.create_table(
        'push_received',
        sa.Column('push_id', sa.Integer(), nullable=False),
        *(_number(name) for name in ('arrived', 'failed', 'opened', 'cleared')),
        sa.ForeignKeyConstraint(['push_id'], ['push.id'], name=op.f('fk_push_received_push_id_push')),
        sa.PrimaryKeyConstraint('push_id', name=op.f('pk_push_received')),
    )
    op.create_table(
        'push_tally',
        sa.Column('push_id', sa.Integer(), nullable=False),
        sa.Column('reference', _Text(length=200), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ('total', 'filtered', 'reached', 'failed', 'shown', 'clicked')),
        sa.Column('at', _Time(), nullable=False),
        sa.ForeignKeyConstraint(['push_id'], ['push.id'], name=op.f('fk_push_tally_push_id_push')),
        sa.PrimaryKeyConstraint('push_id', 'reference', name=op.f('pk_push_tally')),
    )
    op.create_table(
        'reach_correction',
        sa.Column('delivery_id', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('batch', _Text(length=40), nullable=False),
        sa.Column('done', sa.Boolean(), nullable=False),
        sa.Column('at', _Time(), nullable=False),
        sa.PrimaryKeyConstraint('delivery_id', name=op.f('pk_reach_correction')),
    )
    op.create_index(op.f('ix_reach_correction_batch'), 'reach_correction', ['batch'], unique=False)
    op.create_index(op.f('ix_reach_correction_done'), 'reach_correction', ['done'], unique=False)
    _standing()
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.add_column(sa.Column('arrived_at', _Time(), nullable=True))
        batch_op.add_column(sa.Column('opened_at', _Time(), nullable=True))
    _give_addresses()


def _standing() -> None:
    """Sources that bring their numbers in by themselves."""
    op.create_table(
        'reach_standing',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('source', _Text(length=20), nullable=False),
        sa.Column('subject', _Text(length=60), nullable=False),
        sa.Column('outlet_code', _Text(length=32), nullable=False),
        sa.Column('state', _Text(length=12), nullable=False),
        sa.Column('terms', sa.JSON(), nullable=False),
        sa.Column('title', _Text(length=200), nullable=False),
        sa.Column('asked_by', sa.Integer(), nullable=False),
        sa.Column('asked_at', _Time(), nullable=False),
        sa.Column('next_at', _Time(), nullable=True),
        sa.Column('last_day', sa.Date(), nullable=True),
        sa.Column('brought_at', _Time(), nullable=True),
        sa.Column('fault', _Text(length=500), nullable=False),
        sa.Column('batches', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['asked_by'], ['staff.id'], name=op.f('fk_reach_standing_asked_by_staff')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_reach_standing')),
        sa.UniqueConstraint('source', 'subject', name='reach_standing_subject'),
    )
    op.create_index(op.f('ix_reach_standing_outlet_code'), 'reach_standing', ['outlet_code'], unique=False)
    op.create_index(op.f('ix_reach_standing_next_at'), 'reach_standing', ['next_at'], unique=False)
    key = sa.ForeignKeyConstraint(
        ['standing_id'], ['reach_standing.id'], name=op.f('fk_reach_standing_sum_standing_id_reach_standing')
    )
    op.create_table(
        'reach_standing_sum',
        sa.Column('standing_id', sa.Integer(), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('kind', _Text(length=20), nullable=False),
        sa.Column('piece', _Text(length=80), nullable=False),
        sa.Column('quantity', sa.BigInteger(), nullable=False),
        key,
        sa.PrimaryKeyConstraint('standing_id', 'day', 'kind', 'piece', name=op.f('pk_reach_standing_sum')),
    )
    other = sa.ForeignKeyConstraint(
        ['standing_id'], ['reach_standing.id'], name=op.f('fk_reach_standing_batch_standing_id_reach_standing')
    )
    op.create_table(
        'reach_standing_batch',
        sa.Column('standing_id', sa.Integer(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('lines', sa.LargeBinary(), nullable=False),
        sa.Column('made_at', _Time(), nullable=False),
        sa.Column('done', sa.Boolean(), nullable=False),
        other,
        sa.PrimaryKeyConstraint('standing_id', 'number', name=op.f('pk_reach_standing_batch')),
    )
    op.create_index(op.f('ix_reach_standing_batch_done'), 'reach_standing_batch', ['done'], unique=False)


def _give_addresses() -> None:
    """Every account there is gets an address."""
    hook = sa.table(
        'channel_hook', sa.column('account_id'), sa.column('token'), sa.column('made_at', _Time()),
        sa.column('poll_at', _Time()),
    )
    now = datetime.now(UTC)
    accounts = op.get_bind().execute(sa.text('SELECT id FROM channel_account')).scalars().all()
    rows = [
        {'account_id': number, 'token': secrets.token_urlsafe(32), 'made_at': now, 'poll_at': now}
        for number in accounts
    ]
    if rows:
        op.bulk_insert(hook, rows)


def downgrade() -> None:
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_column('opened_at')
        batch_op.drop_column('arrived_at')
    for name in ('reach_standing_batch', 'reach_standing_sum', 'reach_standing', 'reach_correction', 'push_tally', 'push_received', 'kept_receipt', 'channel_hook'):
        op.drop_table(name)
