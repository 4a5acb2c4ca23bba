"""Publishing at a time; the plan by which a serial writes to its subscribers, and which episode was told

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    op.create_table(
        'piece_release',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('piece_key', _Text(length=60), nullable=False),
        sa.Column('revision_id', sa.Integer(), nullable=False),
        sa.Column('due_at', core.database.UtcDateTime(), nullable=False),
        sa.Column('state', _Text(length=16), nullable=False),
        sa.Column('note', _Text(length=400), nullable=False),
        sa.Column('by', sa.Integer(), nullable=False),
        sa.Column('made_at', core.database.UtcDateTime(), nullable=False),
        sa.Column('settled_at', core.database.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(['by'], ['staff.id'], name=op.f('fk_piece_release_by_staff')),
        sa.ForeignKeyConstraint(['piece_key'], ['piece.key'], name=op.f('fk_piece_release_piece_key_piece')),
        sa.ForeignKeyConstraint(['revision_id'], ['revision.id'], name=op.f('fk_piece_release_revision_id_revision')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_piece_release')),
    )
    op.create_index(op.f('ix_piece_release_piece_key'), 'piece_release', ['piece_key'], unique=False)
    op.create_index(op.f('ix_piece_release_due_at'), 'piece_release', ['due_at'], unique=False)
    op.create_index(
        'piece_release_one_waiting', 'piece_release', ['piece_key'], unique=True,
        sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        'serial_plan',
        sa.Column('serial', _Text(length=16), nullable=False),
        sa.Column('plan_id', sa.Integer(), nullable=False),
        sa.Column('since', core.database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(['plan_id'], ['push_plan.id'], name=op.f('fk_serial_plan_plan_id_push_plan')),
        sa.PrimaryKeyConstraint('serial', name=op.f('pk_serial_plan')),
    )
    op.create_index(op.f('ix_serial_plan_plan_id'), 'serial_plan', ['plan_id'], unique=False)
    op.create_table(
        'serial_letter',
        sa.Column('piece_key', _Text(length=60), nullable=False),
        sa.Column('push_id', sa.Integer(), nullable=True),
        sa.Column('at', core.database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(['push_id'], ['push.id'], name=op.f('fk_serial_letter_push_id_push')),
        sa.PrimaryKeyConstraint('piece_key', name=op.f('pk_serial_letter')),
    )
    op.create_index(op.f('ix_serial_letter_push_id'), 'serial_letter', ['push_id'], unique=False)


def downgrade() -> None:
    op.drop_table('serial_letter')
    op.drop_table('serial_plan')
    op.drop_table('piece_release')
