"""Activity returns

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('activity_return',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('outlet_code', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('key', sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
    sa.Column('latest', sa.Integer(), nullable=False),
    sa.Column('counted', sa.Integer(), nullable=True),
    sa.Column('demo', sa.Boolean(), nullable=False),
    sa.Column('created_by', sa.Integer(), nullable=False),
    sa.Column('created_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('key')
    )
    with op.batch_alter_table('activity_return', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_activity_return_outlet_code'), ['outlet_code'], unique=False)

    op.create_table('activity_return_photo',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('return_id', sa.Integer(), nullable=False),
    sa.Column('outlet_code', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('sha256', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('file', sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('sketch', sa.LargeBinary(), nullable=False),
    sa.Column('added_by', sa.Integer(), nullable=False),
    sa.Column('added_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('dropped_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['added_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['return_id'], ['activity_return.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('activity_return_photo', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_activity_return_photo_added_at'), ['added_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_activity_return_photo_dropped_at'), ['dropped_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_activity_return_photo_file'), ['file'], unique=False)
        batch_op.create_index(batch_op.f('ix_activity_return_photo_outlet_code'), ['outlet_code'], unique=False)
        batch_op.create_index(batch_op.f('ix_activity_return_photo_return_id'), ['return_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_activity_return_photo_sha256'), ['sha256'], unique=False)

    op.create_table('activity_return_version',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('return_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('outlet_code', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(length=12), nullable=False),
    sa.Column('void', sa.Boolean(), nullable=False),
    sa.Column('typed', sa.JSON(), nullable=False),
    sa.Column('held_on', sa.Date(), nullable=True),
    sa.Column('starts', sqlmodel.sql.sqltypes.AutoString(length=5), nullable=False),
    sa.Column('ends', sqlmodel.sql.sqltypes.AutoString(length=5), nullable=False),
    sa.Column('form', sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
    sa.Column('place', sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
    sa.Column('campaign_code', sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
    sa.Column('piece_key', sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
    sa.Column('occurrence_id', sa.Integer(), nullable=True),
    sa.Column('theme', sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
    sa.Column('partners', sa.JSON(), nullable=False),
    sa.Column('partner_names', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('audiences', sa.JSON(), nullable=False),
    sa.Column('staff', sa.Integer(), nullable=False),
    sa.Column('heads', sa.Integer(), nullable=False),
    sa.Column('joined', sa.Integer(), nullable=False),
    sa.Column('materials', sa.JSON(), nullable=False),
    sa.Column('works', sa.JSON(), nullable=False),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(length=2000), nullable=False),
    sa.Column('photos', sa.JSON(), nullable=False),
    sa.Column('marks', sa.JSON(), nullable=False),
    sa.Column('lines', sa.JSON(), nullable=False),
    sa.Column('saved_by', sa.Integer(), nullable=False),
    sa.Column('saved_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('submitted_by', sa.Integer(), nullable=True),
    sa.Column('submitted_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(length=2000), nullable=False),
    sa.Column('batch', sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
    sa.Column('booked_at', core.database.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['decided_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['return_id'], ['activity_return.id'], ),
    sa.ForeignKeyConstraint(['saved_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['submitted_by'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('return_id', 'number', name='activity_return_version_number')
    )
    with op.batch_alter_table('activity_return_version', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_activity_return_version_batch'), ['batch'], unique=False)
        batch_op.create_index(batch_op.f('ix_activity_return_version_campaign_code'), ['campaign_code'], unique=False)
        batch_op.create_index(batch_op.f('ix_activity_return_version_held_on'), ['held_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_activity_return_version_occurrence_id'), ['occurrence_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_activity_return_version_outlet_code'), ['outlet_code'], unique=False)
        batch_op.create_index(batch_op.f('ix_activity_return_version_return_id'), ['return_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_activity_return_version_state'), ['state'], unique=False)

    op.create_table('activity_return_match',
    sa.Column('photo_id', sa.Integer(), nullable=False),
    sa.Column('other_id', sa.Integer(), nullable=False),
    sa.Column('score', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['other_id'], ['activity_return_photo.id'], ),
    sa.ForeignKeyConstraint(['photo_id'], ['activity_return_photo.id'], ),
    sa.PrimaryKeyConstraint('photo_id', 'other_id')
    )
    with op.batch_alter_table('activity_return_match', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_activity_return_match_other_id'), ['other_id'], unique=False)

    op.create_table('activity_return_word',
    sa.Column('word', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('photo_id', sa.Integer(), nullable=False),
    sa.Column('spot', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['photo_id'], ['activity_return_photo.id'], ),
    sa.PrimaryKeyConstraint('word', 'photo_id', 'spot')
    )
    with op.batch_alter_table('activity_return_word', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_activity_return_word_photo_id'), ['photo_id'], unique=False)


def downgrade() -> None:
    op.drop_table('activity_return_word')
    op.drop_table('activity_return_match')
    op.drop_table('activity_return_version')
    op.drop_table('activity_return_photo')
    op.drop_table('activity_return')
