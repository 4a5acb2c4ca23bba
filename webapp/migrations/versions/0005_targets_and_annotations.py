"""Targets and annotations of reach

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('reach_target',
    sa.Column('value', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('outlet_code', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('first', sa.Date(), nullable=False),
    sa.Column('last', sa.Date(), nullable=False),
    sa.Column('campaign', sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
    sa.Column('measure', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('origin', sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
    sa.Column('set_by', sa.Integer(), nullable=True),
    sa.Column('updated_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('outlet_code', 'first', 'last', 'campaign', 'measure')
    )
    op.create_index(op.f('ix_reach_target_outlet_code'), 'reach_target', ['outlet_code'], unique=False)
    op.create_index(op.f('ix_reach_target_last'), 'reach_target', ['last'], unique=False)
    op.create_table('reach_annotation',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('outlet_code', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('first', sa.Date(), nullable=False),
    sa.Column('last', sa.Date(), nullable=False),
    sa.Column('text', sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
    sa.Column('made_by', sa.Integer(), nullable=True),
    sa.Column('made_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_reach_annotation_outlet_code'), 'reach_annotation', ['outlet_code'], unique=False)
    op.create_index(op.f('ix_reach_annotation_first'), 'reach_annotation', ['first'], unique=False)


def downgrade() -> None:
    op.drop_table('reach_annotation')
    op.drop_table('reach_target')
