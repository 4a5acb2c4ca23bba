"""One index of consents by contact is enough: the constraint's begins with it

Revision ID: 0033
Revises: 0032
"""

from alembic import op


revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_consent_contact_id", table_name="consent")


def downgrade() -> None:
    op.create_index("ix_consent_contact_id", "consent", ["contact_id"], unique=False)
