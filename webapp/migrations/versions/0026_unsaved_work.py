"""What people write on the desk and have not saved yet

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    op.create_table(
        'content_unsaved',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('staff_id', sa.Integer(), nullable=False),
        sa.Column('piece_key', _Text(length=60), nullable=False),
        sa.Column('slot', _Text(length=24), nullable=False),
        sa.Column('base', sa.Integer(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('media', sa.JSON(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('at', core.database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_content_unsaved_staff_id_staff')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_content_unsaved')),
        sa.UniqueConstraint('staff_id', 'piece_key', 'slot', name='content_unsaved_once'),
    )
    op.create_index(op.f('ix_content_unsaved_at'), 'content_unsaved', ['at'], unique=False)


def downgrade() -> None:
    op.drop_table('content_unsaved')
