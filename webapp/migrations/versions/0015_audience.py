"""Addresses of any channel, groups, closed addresses, purposes refused, texts of consent, segments

Revision ID: 0015
Revises: 0013
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0015'
down_revision = '0013'
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    with op.batch_alter_table('contact', schema=None) as batch_op:
        batch_op.add_column(sa.Column('language', _Text(length=8), nullable=False, server_default=''))
    with op.batch_alter_table('contact', schema=None) as batch_op:
        batch_op.alter_column('language', server_default=None)
    _beside_contacts()
    _remembered()
    op.create_table(
        'consent_text',
        sa.Column('version', _Text(length=60), nullable=False),
        sa.Column('purpose', _Text(length=16), nullable=False),
        sa.Column('text', _Text(length=1000), nullable=False),
        sa.Column('text_en', _Text(length=1800), nullable=False),
        sa.Column('valid_from', core.database.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('version', name=op.f('pk_consent_text')),
    )
    op.create_index(op.f('ix_consent_text_purpose'), 'consent_text', ['purpose'])
    op.create_table(
        'segment',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', _Text(length=80), nullable=False),
        sa.Column('outlet_code', _Text(length=32), nullable=False),
        sa.Column('filters', _Text(length=8000), nullable=False),
        sa.Column('created_at', core.database.UtcDateTime(), nullable=False),
        sa.Column('updated_at', core.database.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_segment')),
        sa.UniqueConstraint('outlet_code', 'name', name='segment_name'),
    )
    op.create_index(op.f('ix_segment_outlet_code'), 'segment', ['outlet_code'])


def _beside_contacts() -> None:
    op.create_table(
        'contact_address',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('contact_id', sa.Integer(), nullable=False),
        sa.Column('channel', _Text(length=16), nullable=False),
        sa.Column('sealed', _Text(length=4000), nullable=False),
        sa.Column('address_index', _Text(length=64), nullable=False),
        sa.Column('since', core.database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], name=op.f('fk_contact_address_contact_id_contact')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_contact_address')),
        sa.UniqueConstraint('contact_id', 'channel', name='contact_address_channel'),
    )
    op.create_index(op.f('ix_contact_address_address_index'), 'contact_address', ['address_index'])
    op.create_table(
        'contact_group',
        sa.Column('contact_id', sa.Integer(), nullable=False),
        sa.Column('name', _Text(length=24), nullable=False),
        sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], name=op.f('fk_contact_group_contact_id_contact')),
        sa.PrimaryKeyConstraint('contact_id', 'name', name=op.f('pk_contact_group')),
    )
    op.create_index('ix_contact_group_name', 'contact_group', ['name', 'contact_id'])


def _remembered() -> None:
    op.create_table(
        'closed_address',
        sa.Column('channel', _Text(length=16), nullable=False),
        sa.Column('address_index', _Text(length=64), nullable=False),
        sa.Column('reason', _Text(length=16), nullable=False),
        sa.Column('via', _Text(length=40), nullable=False),
        sa.Column('at', core.database.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('channel', 'address_index', name=op.f('pk_closed_address')),
    )
    op.create_index(op.f('ix_closed_address_reason'), 'closed_address', ['reason'])
    op.create_index(op.f('ix_closed_address_at'), 'closed_address', ['at'])
    op.create_table(
        'purpose_refusal',
        sa.Column('channel', _Text(length=16), nullable=False),
        sa.Column('address_index', _Text(length=64), nullable=False),
        sa.Column('purpose', _Text(length=16), nullable=False),
        sa.Column('refused_at', core.database.UtcDateTime(), nullable=False),
        sa.Column('via', _Text(length=40), nullable=False),
        sa.PrimaryKeyConstraint('channel', 'address_index', 'purpose', name=op.f('pk_purpose_refusal')),
    )


def downgrade() -> None:
    for name in ('purpose_refusal', 'closed_address', 'contact_group', 'contact_address', 'segment', 'consent_text'):
        op.drop_table(name)
    with op.batch_alter_table('contact', schema=None) as batch_op:
        batch_op.drop_column('language')
