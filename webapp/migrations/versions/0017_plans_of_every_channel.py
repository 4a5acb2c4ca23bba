"""Plans and accounts of every channel: options, templates, groups, days off, what an institution allows

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString
_SEALED = ('secret_sealed', 'previous_sealed')


def upgrade() -> None:
    with op.batch_alter_table('channel_account', schema=None) as batch_op:
        batch_op.add_column(sa.Column('options', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.add_column(sa.Column('fingerprint', _Text(length=16), nullable=False, server_default=''))
        for name in _SEALED:
            batch_op.alter_column(name, type_=_Text(length=8000), existing_nullable=False)
    for table in ('push_plan', 'push'):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column('summary', _Text(length=300), nullable=False, server_default=''))
            batch_op.add_column(sa.Column('template', _Text(length=100), nullable=False, server_default=''))
            batch_op.add_column(sa.Column('parameters', sa.JSON(), nullable=False, server_default='[]'))
            batch_op.alter_column('list_id', existing_type=sa.Integer(), nullable=True)
    with op.batch_alter_table('push_plan', schema=None) as batch_op:
        batch_op.add_column(sa.Column('off_days', _Text(length=16), nullable=False, server_default=''))
    with op.batch_alter_table('push', schema=None) as batch_op:
        batch_op.add_column(sa.Column('capped', sa.Integer(), nullable=False, server_default='0'))
    op.create_table(
        'push_rule',
        sa.Column('channel', _Text(length=16), nullable=False),
        sa.Column('opens', _Text(length=5), nullable=False),
        sa.Column('closes', _Text(length=5), nullable=False),
        sa.Column('most', sa.Integer(), nullable=False),
        sa.Column('days', sa.Integer(), nullable=False),
        sa.Column('updated_at', core.database.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('channel', name=op.f('pk_push_rule')),
    )


def downgrade() -> None:
    op.drop_table('push_rule')
    for table, names in (('push', ('capped',)), ('push_plan', ('off_days',))):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in names:
                batch_op.drop_column(name)
    for table in ('push', 'push_plan'):
        # list_id stays nullable: a plan to a group has none, and what was sent is not deleted
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in ('summary', 'template', 'parameters'):
                batch_op.drop_column(name)
    with op.batch_alter_table('channel_account', schema=None) as batch_op:
        batch_op.drop_column('fingerprint')
        batch_op.drop_column('options')
        for name in _SEALED:
            batch_op.alter_column(name, type_=_Text(length=1000), existing_nullable=False)
