"""Warnings of the check before review that an editor overruled

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    op.create_table(
        'content_overruling',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('piece_key', _Text(length=60), nullable=False),
        sa.Column('revision_hash', _Text(length=64), nullable=False),
        sa.Column('mark', _Text(length=16), nullable=False),
        sa.Column('rule', _Text(length=32), nullable=False),
        sa.Column('excerpt', _Text(length=80), nullable=False),
        sa.Column('reason', _Text(length=400), nullable=False),
        sa.Column('by', sa.Integer(), nullable=False),
        sa.Column('at', core.database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(['by'], ['staff.id'], name=op.f('fk_content_overruling_by_staff')),
        sa.ForeignKeyConstraint(['piece_key'], ['piece.key'], name=op.f('fk_content_overruling_piece_key_piece')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_content_overruling')),
        sa.UniqueConstraint('piece_key', 'revision_hash', 'mark', name='content_overruling_once'),
    )
    op.create_index(
        op.f('ix_content_overruling_revision_hash'), 'content_overruling', ['revision_hash'], unique=False
    )


def downgrade() -> None:
    op.drop_table('content_overruling')
