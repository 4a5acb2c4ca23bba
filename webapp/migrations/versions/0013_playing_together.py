"""Sessions of playing together, answers to parallel questions, what plays do

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    op.create_table(
        'play_session',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('outlet_code', _Text(length=32), nullable=False),
        sa.Column('piece_key', _Text(length=60), nullable=False),
        sa.Column('occurrence_id', sa.Integer(), nullable=True),
        sa.Column('campaign_code', _Text(length=60), nullable=False),
        sa.Column('code', _Text(length=6), nullable=True),
        sa.Column('made_by', sa.Integer(), nullable=True),
        sa.Column('opened_at', core.database.UtcDateTime(), nullable=False),
        sa.Column('closes_at', core.database.UtcDateTime(), nullable=False),
        sa.Column('ended_at', core.database.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(['made_by'], ['staff.id'], name=op.f('fk_play_session_made_by_staff')),
        sa.ForeignKeyConstraint(
            ['occurrence_id'], ['event_occurrence.id'], name=op.f('fk_play_session_occurrence_id_event_occurrence')
        ),
        sa.ForeignKeyConstraint(['outlet_code'], ['outlet.code'], name=op.f('fk_play_session_outlet_code_outlet')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_play_session')),
        sa.UniqueConstraint('code', name=op.f('uq_play_session_code')),
    )
    with op.batch_alter_table('play_session', schema=None) as batch_op:
        for name in ('outlet_code', 'piece_key', 'occurrence_id', 'campaign_code', 'closes_at'):
            batch_op.create_index(batch_op.f(f'ix_play_session_{name}'), [name], unique=False)
    op.create_table(
        'play_member',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('session_id', sa.Integer(), nullable=False),
        sa.Column('nickname', _Text(length=24), nullable=False),
        sa.Column('name_key', _Text(length=40), nullable=False),
        sa.Column('hidden', sa.Boolean(), nullable=False),
        sa.Column('ticket_hash', _Text(length=64), nullable=False),
        sa.Column('play_hash', _Text(length=64), nullable=False),
        sa.Column('opened', sa.Integer(), nullable=False),
        sa.Column('locks', sa.Integer(), nullable=False),
        sa.Column('points', sa.Integer(), nullable=False),
        sa.Column('seconds', sa.Integer(), nullable=False),
        sa.Column('ending', _Text(length=40), nullable=False),
        sa.Column('joined_at', core.database.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['session_id'], ['play_session.id'], name=op.f('fk_play_member_session_id_play_session')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_play_member')),
        sa.UniqueConstraint('session_id', 'name_key', name='play_member_name'),
    )
    with op.batch_alter_table('play_member', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_play_member_session_id'), ['session_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_play_member_joined_at'), ['joined_at'], unique=False)
    _learning()


def _learning() -> None:
    op.create_table(
        'room_answer',
        sa.Column('learner', _Text(length=22), nullable=False),
        sa.Column('fact', _Text(length=40), nullable=False),
        sa.Column('phase', _Text(length=8), nullable=False),
        sa.Column('room', _Text(length=60), nullable=False),
        sa.Column('hash', _Text(length=64), nullable=False),
        sa.Column('form', sa.Integer(), nullable=False),
        sa.Column('right', sa.Boolean(), nullable=False),
        sa.Column('audience', _Text(length=16), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint('learner', 'fact', 'phase', name=op.f('pk_room_answer')),
    )
    with op.batch_alter_table('room_answer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_room_answer_room'), ['room'], unique=False)
        batch_op.create_index(batch_op.f('ix_room_answer_day'), ['day'], unique=False)
    op.create_table(
        'room_count',
        sa.Column('room', _Text(length=60), nullable=False),
        sa.Column('hash', _Text(length=64), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('kind', _Text(length=8), nullable=False),
        sa.Column('name', _Text(length=200), nullable=False),
        sa.Column('count', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('room', 'hash', 'day', 'kind', 'name', name=op.f('pk_room_count')),
    )
    op.create_table(
        'room_stand',
        sa.Column('play', _Text(length=24), nullable=False),
        sa.Column('room', _Text(length=60), nullable=False),
        sa.Column('hash', _Text(length=64), nullable=False),
        sa.Column('scene', _Text(length=40), nullable=False),
        sa.Column('lock', _Text(length=40), nullable=False),
        sa.Column('ended', sa.Boolean(), nullable=False),
        sa.Column('at', core.database.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('play', name=op.f('pk_room_stand')),
    )
    with op.batch_alter_table('room_stand', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_room_stand_at'), ['at'], unique=False)


def downgrade() -> None:
    op.drop_table('room_stand')
    op.drop_table('room_count')
    op.drop_table('room_answer')
    op.drop_table('play_member')
    op.drop_table('play_session')
