"""Short messages about registrations: what is sent on which occasion; letters of other channels than mail

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    with op.batch_alter_table('letter', schema=None) as batch_op:
        batch_op.add_column(sa.Column('channel', _Text(length=16), nullable=False, server_default='email'))
    with op.batch_alter_table('event_notice', schema=None) as batch_op:
        batch_op.add_column(sa.Column('letter_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_event_notice_letter_id'), ['letter_id'], unique=False)
    op.create_table(
        'event_text',
        sa.Column('kind', _Text(length=16), nullable=False),
        sa.Column('account_id', sa.Integer(), nullable=False),
        sa.Column('template', _Text(length=100), nullable=False),
        sa.Column('parameters', sa.JSON(), nullable=False),
        sa.Column('updated_at', core.database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(['account_id'], ['channel_account.id'], name=op.f('fk_event_text_account_id_channel_account')),
        sa.PrimaryKeyConstraint('kind', name=op.f('pk_event_text')),
    )
    op.create_index(op.f('ix_event_text_account_id'), 'event_text', ['account_id'], unique=False)


def downgrade() -> None:
    op.drop_table('event_text')
    with op.batch_alter_table('event_notice', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_event_notice_letter_id'))
        batch_op.drop_column('letter_id')
    with op.batch_alter_table('letter', schema=None) as batch_op:
        batch_op.drop_column('channel')
