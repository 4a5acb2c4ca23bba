"""What a mail service wants confirmed before it reports

Revision ID: 0032
Revises: 0031
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('channel_hook', schema=None) as batch_op:
        text = sqlmodel.sql.sqltypes.AutoString(length=2000)
        batch_op.add_column(sa.Column('confirm', text, nullable=False, server_default=''))


def downgrade() -> None:
    with op.batch_alter_table('channel_hook', schema=None) as batch_op:
        batch_op.drop_column('confirm')
