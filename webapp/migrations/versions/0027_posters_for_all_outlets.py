"""Archives of posters beside those of plaques

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    with op.batch_alter_table('plaque_archive', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', _Text(length=16), nullable=False, server_default='plaques'))
        batch_op.add_column(sa.Column('piece_key', _Text(length=60), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('revision', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('campaign', _Text(length=60), nullable=False, server_default=''))


def downgrade() -> None:
    op.execute("DELETE FROM plaque_archive WHERE kind <> 'plaques'")
    with op.batch_alter_table('plaque_archive', schema=None) as batch_op:
        for name in ('campaign', 'revision', 'piece_key', 'kind'):
            batch_op.drop_column(name)
