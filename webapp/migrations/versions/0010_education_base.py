"""Education bases: what outlets offer, screens of their halls, archives of plaques

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('education_base',
    sa.Column('outlet_code', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('services', sa.JSON(), nullable=False),
    sa.Column('facilities', sa.JSON(), nullable=False),
    sa.Column('shelf', sa.JSON(), nullable=False),
    sa.Column('services_text', sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
    sa.Column('services_text_en', sqlmodel.sql.sqltypes.AutoString(length=600), nullable=False),
    sa.Column('facilities_text', sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
    sa.Column('facilities_text_en', sqlmodel.sql.sqltypes.AutoString(length=600), nullable=False),
    sa.Column('updated_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['outlet_code'], ['outlet.code'], ),
    sa.PrimaryKeyConstraint('outlet_code')
    )
    op.create_table('hall_screen',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('outlet_code', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
    sa.Column('pairing_hash', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
    sa.Column('pairing_until', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('key_hash', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
    sa.Column('made_by', sa.Integer(), nullable=True),
    sa.Column('made_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('paired_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('seen_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('last_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('showings', sa.Integer(), nullable=False),
    sa.Column('ended_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['made_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['outlet_code'], ['outlet.code'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('key_hash'),
    sa.UniqueConstraint('pairing_hash')
    )
    with op.batch_alter_table('hall_screen', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_hall_screen_outlet_code'), ['outlet_code'], unique=False)

    op.create_table('plaque_archive',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('outlet_code', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('size', sqlmodel.sql.sqltypes.AutoString(length=2), nullable=False),
    sa.Column('pdf', sa.Boolean(), nullable=False),
    sa.Column('outlets', sa.JSON(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('made', sa.Integer(), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.Column('fault', sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
    sa.Column('worker', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('leased_until', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('made_by', sa.Integer(), nullable=True),
    sa.Column('asked_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('begun_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('ended_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['made_by'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('plaque_archive', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_plaque_archive_ended_at'), ['ended_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_plaque_archive_outlet_code'), ['outlet_code'], unique=False)
        batch_op.create_index(batch_op.f('ix_plaque_archive_state'), ['state'], unique=False)


def downgrade() -> None:
    op.drop_table('plaque_archive')
    op.drop_table('hall_screen')
    op.drop_table('education_base')
