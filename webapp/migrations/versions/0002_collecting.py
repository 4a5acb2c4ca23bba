"""Collecting: API tokens and short links

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('api_token',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
    sa.Column('token_hash', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('hint', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('purposes', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('outlet_code', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('made_by', sa.Integer(), nullable=True),
    sa.Column('made_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('used_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('ended_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['made_by'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('token_hash')
    )
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_token_outlet_code'), ['outlet_code'], unique=False)

    op.create_table('reach_batch',
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
    sa.Column('body_hash', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('token_id', sa.Integer(), nullable=False),
    sa.Column('claimed_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('kept_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('events', sa.Integer(), nullable=False),
    sa.Column('unattributed', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    with op.batch_alter_table('reach_batch', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reach_batch_claimed_at'), ['claimed_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_reach_batch_token_id'), ['token_id'], unique=False)

    op.create_table('short_link',
    sa.Column('code', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('path', sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
    sa.Column('campaign', sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
    sa.Column('outlet_code', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('channel', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('made_by', sa.Integer(), nullable=True),
    sa.Column('made_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('ended_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['made_by'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('code')
    )
    with op.batch_alter_table('short_link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_short_link_outlet_code'), ['outlet_code'], unique=False)


def downgrade() -> None:
    op.drop_table('short_link')
    op.drop_table('reach_batch')
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_api_token_outlet_code'))

    op.drop_table('api_token')
