"""Where an occurrence was moved from

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('event_occurrence', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('moved_from', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False, server_default='')
        )


def downgrade() -> None:
    with op.batch_alter_table('event_occurrence', schema=None) as batch_op:
        batch_op.drop_column('moved_from')
