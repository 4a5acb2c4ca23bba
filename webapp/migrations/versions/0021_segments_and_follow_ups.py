"""Segments as the audience of plans, purposes, follow-ups and boosters; which message was opened

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    for table in ('push_plan', 'push'):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(
                sa.Column('purpose', _Text(length=16), nullable=False, server_default='education')
            )
            batch_op.add_column(sa.Column('segment_id', sa.Integer(), nullable=True))
            batch_op.add_column(sa.Column('after_id', sa.Integer(), nullable=True))
            batch_op.add_column(sa.Column('follows_when', _Text(length=16), nullable=False, server_default=''))
            batch_op.add_column(sa.Column('series_id', sa.Integer(), nullable=True))
            batch_op.create_foreign_key(
                batch_op.f(f'fk_{table}_series_id_event_series'), 'event_series', ['series_id'], ['id']
            )
    with op.batch_alter_table('push_plan', schema=None) as batch_op:
        batch_op.add_column(sa.Column('follows_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('follows_days', sa.Integer(), nullable=False, server_default='0'))
        batch_op.create_index(batch_op.f('ix_push_plan_follows_id'), ['follows_id'], unique=False)
        batch_op.create_foreign_key(
            batch_op.f('fk_push_plan_follows_id_push_plan'), 'push_plan', ['follows_id'], ['id']
        )
    with op.batch_alter_table('push', schema=None) as batch_op:
        batch_op.add_column(sa.Column('audience', _Text(length=8000), nullable=False, server_default=''))
        batch_op.create_foreign_key(batch_op.f('fk_push_after_id_push'), 'push', ['after_id'], ['id'])
        batch_op.create_unique_constraint('push_follows_once', ['plan_id', 'after_id'])
    op.create_table(
        'push_opening',
        sa.Column('key', _Text(length=32), nullable=False),
        sa.Column('at', core.database.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('key', name=op.f('pk_push_opening')),
    )


def downgrade() -> None:
    op.drop_table('push_opening')
    with op.batch_alter_table('push', schema=None) as batch_op:
        batch_op.drop_constraint('push_follows_once', type_='unique')
        batch_op.drop_constraint(batch_op.f('fk_push_after_id_push'), type_='foreignkey')
        batch_op.drop_column('audience')
    with op.batch_alter_table('push_plan', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_push_plan_follows_id_push_plan'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_push_plan_follows_id'))
        batch_op.drop_column('follows_days')
        batch_op.drop_column('follows_id')
    for table in ('push', 'push_plan'):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(batch_op.f(f'fk_{table}_series_id_event_series'), type_='foreignkey')
            for name in ('series_id', 'follows_when', 'after_id', 'segment_id', 'purpose'):
                batch_op.drop_column(name)
