"""Imports of contact files in the background; indexes of contacts: one less to write, one to count segments

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString
_NUMBERS = ('rows', 'bad', 'pages', 'applied', 'added', 'changed', 'unchanged', 'refused')


def upgrade() -> None:
    op.drop_index('ix_contact_identity', 'contact')  # always asked for with its holder, which has an index of both
    op.create_index('ix_contact_segment', 'contact', ['holder_code', 'province', 'language'])
    op.create_table(
        'contact_import',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('outlet_code', _Text(length=32), nullable=False),
        sa.Column('list_name', _Text(length=80), nullable=False),
        sa.Column('list_id', sa.Integer(), nullable=True),
        sa.Column('folder', _Text(length=32), nullable=False),
        sa.Column('bytes', sa.BigInteger(), nullable=False),
        sa.Column('sha256', _Text(length=64), nullable=False),
        sa.Column('preview', sa.Boolean(), nullable=False),
        sa.Column('skip_bad', sa.Boolean(), nullable=False),
        sa.Column('state', _Text(length=16), nullable=False),
        sa.Column('share', sa.Float(), nullable=False),
        *[sa.Column(name, sa.Integer(), nullable=False) for name in _NUMBERS],
        sa.Column('fault_sealed', _Text(length=4000), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('worker', _Text(length=32), nullable=False),
        sa.Column('leased_until', core.database.UtcDateTime(), nullable=True),
        sa.Column('made_by', sa.Integer(), nullable=True),
        sa.Column('asked_at', core.database.UtcDateTime(), nullable=False),
        sa.Column('stage_at', core.database.UtcDateTime(), nullable=True),
        sa.Column('ended_at', core.database.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(['list_id'], ['contact_list.id'], name=op.f('fk_contact_import_list_id_contact_list')),
        sa.ForeignKeyConstraint(['made_by'], ['staff.id'], name=op.f('fk_contact_import_made_by_staff')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_contact_import')),
    )
    for name in ('outlet_code', 'state', 'ended_at'):
        op.create_index(op.f(f'ix_contact_import_{name}'), 'contact_import', [name])
    op.create_table(
        'contact_import_member',
        sa.Column('import_id', sa.Integer(), nullable=False),
        sa.Column('contact_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ['import_id'], ['contact_import.id'], name=op.f('fk_contact_import_member_import_id_contact_import')
        ),
        sa.PrimaryKeyConstraint('import_id', 'contact_id', name=op.f('pk_contact_import_member')),
    )


def downgrade() -> None:
    op.drop_table('contact_import_member')
    op.drop_table('contact_import')
    op.drop_index('ix_contact_segment', 'contact')
    op.create_index('ix_contact_identity', 'contact', ['identity'])
