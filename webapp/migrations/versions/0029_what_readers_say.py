"""Whether a piece helped, as readers say

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'piece_voice',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('piece_key', sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
        sa.Column('revision_id', sa.Integer(), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('visitor', sqlmodel.sql.sqltypes.AutoString(length=22), nullable=False),
        sa.Column('helpful', sa.Boolean(), nullable=False),
        sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
        sa.Column('words_sealed', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(['piece_key'], ['piece.key'], name=op.f('fk_piece_voice_piece_key_piece')),
        sa.ForeignKeyConstraint(['revision_id'], ['revision.id'], name=op.f('fk_piece_voice_revision_id_revision')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_piece_voice')),
        sa.UniqueConstraint('piece_key', 'day', 'visitor', name='piece_voice_once'),
    )
    with op.batch_alter_table('piece_voice', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_piece_voice_day'), ['day'], unique=False)
        batch_op.create_index(batch_op.f('ix_piece_voice_revision_id'), ['revision_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('piece_voice', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_piece_voice_revision_id'))
        batch_op.drop_index(batch_op.f('ix_piece_voice_day'))
    op.drop_table('piece_voice')
