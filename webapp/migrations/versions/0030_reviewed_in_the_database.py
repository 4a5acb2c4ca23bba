"""What the database refuses to publish; checklists, answers, remarks, withdrawals, and what owners were asked

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import core.database


revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString
_At = core.database.UtcDateTime

TRIGGERS = {
    "postgresql": (
        "CREATE OR REPLACE FUNCTION revision_reviewed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.state = 'published' AND OLD.state <> 'published' AND (OLD.state <> 'approved' OR NOT "
        "EXISTS (\n"
        "    SELECT 1 FROM approval AS asked WHERE asked.kind = 'content.publish' AND asked.subject "
        "= NEW.piece_key\n"
        "    AND asked.subject_hash = NEW.hash AND asked.decision = 'approved' AND asked.decided_by "
        "<> asked.requested_by\n"
        "    AND EXISTS (SELECT 1 FROM approval_step AS step WHERE step.approval_id = asked.id)\n"
        "    AND NOT EXISTS (SELECT 1 FROM approval_step AS step WHERE step.approval_id = asked.id\n"
        "        AND (step.decision IS NULL OR step.decision <> 'approved'))\n"
        "    AND NOT EXISTS (SELECT 1 FROM revision_step AS gone WHERE gone.revision_id = NEW.id\n"
        "        AND gone.action = 'withdrawn' AND gone.at > asked.decided_at))) THEN RAISE "
        "EXCEPTION 'only a reviewed revision is published'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER revision_reviewed BEFORE UPDATE OF state ON revision FOR EACH ROW EXECUTE "
        "FUNCTION revision_reviewed()",
        "CREATE OR REPLACE FUNCTION revision_drafted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.state <> 'draft' THEN RAISE EXCEPTION 'a revision begins as a draft'; END IF; RETURN "
        "NEW; END $$",
        "CREATE TRIGGER revision_drafted BEFORE INSERT ON revision FOR EACH ROW EXECUTE FUNCTION "
        "revision_drafted()",
        "CREATE OR REPLACE FUNCTION revision_step_fixed() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF true THEN RAISE EXCEPTION 'a review never changes'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER revision_step_fixed BEFORE UPDATE ON revision_step FOR EACH ROW EXECUTE "
        "FUNCTION revision_step_fixed()",
        "CREATE OR REPLACE FUNCTION revision_step_kept() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF true THEN RAISE EXCEPTION 'a review never changes'; END IF; RETURN OLD; END $$",
        "CREATE TRIGGER revision_step_kept BEFORE DELETE ON revision_step FOR EACH ROW EXECUTE "
        "FUNCTION revision_step_kept()",
        "CREATE OR REPLACE FUNCTION approval_about() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF "
        "OLD.kind = 'content.publish' OR NEW.kind = 'content.publish' THEN RAISE EXCEPTION 'a review "
        "never changes'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER approval_about BEFORE UPDATE OF kind, subject, subject_hash, requested_by, "
        "requested_at ON approval FOR EACH ROW EXECUTE FUNCTION approval_about()",
        "CREATE OR REPLACE FUNCTION approval_final() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF "
        "OLD.kind = 'content.publish' AND OLD.decision IS NOT NULL THEN RAISE EXCEPTION 'a review "
        "never changes'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER approval_final BEFORE UPDATE OF decision, decided_by, decided_at, opinion ON "
        "approval FOR EACH ROW EXECUTE FUNCTION approval_final()",
        "CREATE OR REPLACE FUNCTION approval_opened() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.kind = 'content.publish' AND NEW.decision IS NOT NULL THEN RAISE EXCEPTION 'a review "
        "never changes'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER approval_opened BEFORE INSERT ON approval FOR EACH ROW EXECUTE FUNCTION "
        "approval_opened()",
        "CREATE OR REPLACE FUNCTION approval_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF "
        "OLD.kind = 'content.publish' THEN RAISE EXCEPTION 'a review never changes'; END IF; RETURN "
        "OLD; END $$",
        "CREATE TRIGGER approval_kept BEFORE DELETE ON approval FOR EACH ROW EXECUTE FUNCTION "
        "approval_kept()",
        "CREATE OR REPLACE FUNCTION approval_step_final() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF (OLD.decision IS NOT NULL OR NEW.approval_id <> OLD.approval_id) AND EXISTS "
        "(SELECT 1 FROM approval WHERE id = OLD.approval_id AND kind = 'content.publish') THEN RAISE "
        "EXCEPTION 'a review never changes'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER approval_step_final BEFORE UPDATE OF approval_id, requested_by, number, "
        "decision, decided_by ON approval_step FOR EACH ROW EXECUTE FUNCTION approval_step_final()",
        "CREATE OR REPLACE FUNCTION approval_step_kept() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF EXISTS (SELECT 1 FROM approval WHERE id = OLD.approval_id AND kind = "
        "'content.publish') THEN RAISE EXCEPTION 'a review never changes'; END IF; RETURN OLD; END "
        "$$",
        "CREATE TRIGGER approval_step_kept BEFORE DELETE ON approval_step FOR EACH ROW EXECUTE "
        "FUNCTION approval_step_kept()",
    ),
    "sqlite": (
        "CREATE TRIGGER revision_reviewed BEFORE UPDATE OF state ON revision WHEN NEW.state = "
        "'published' AND OLD.state <> 'published' AND (OLD.state <> 'approved' OR NOT EXISTS (\n"
        "    SELECT 1 FROM approval AS asked WHERE asked.kind = 'content.publish' AND asked.subject = "
        "NEW.piece_key\n"
        "    AND asked.subject_hash = NEW.hash AND asked.decision = 'approved' AND asked.decided_by <> "
        "asked.requested_by\n"
        "    AND EXISTS (SELECT 1 FROM approval_step AS step WHERE step.approval_id = asked.id)\n"
        "    AND NOT EXISTS (SELECT 1 FROM approval_step AS step WHERE step.approval_id = asked.id\n"
        "        AND (step.decision IS NULL OR step.decision <> 'approved'))\n"
        "    AND NOT EXISTS (SELECT 1 FROM revision_step AS gone WHERE gone.revision_id = NEW.id\n"
        "        AND gone.action = 'withdrawn' AND gone.at > asked.decided_at))) BEGIN SELECT "
        "RAISE(ABORT, 'only a reviewed revision is published'); END",
        "CREATE TRIGGER revision_drafted BEFORE INSERT ON revision WHEN NEW.state <> 'draft' BEGIN "
        "SELECT RAISE(ABORT, 'a revision begins as a draft'); END",
        "CREATE TRIGGER revision_step_fixed BEFORE UPDATE ON revision_step BEGIN SELECT RAISE(ABORT, 'a "
        "review never changes'); END",
        "CREATE TRIGGER revision_step_kept BEFORE DELETE ON revision_step BEGIN SELECT RAISE(ABORT, 'a "
        "review never changes'); END",
        "CREATE TRIGGER approval_about BEFORE UPDATE OF kind, subject, subject_hash, requested_by, "
        "requested_at ON approval WHEN OLD.kind = 'content.publish' OR NEW.kind = 'content.publish' "
        "BEGIN SELECT RAISE(ABORT, 'a review never changes'); END",
        "CREATE TRIGGER approval_final BEFORE UPDATE OF decision, decided_by, decided_at, opinion ON "
        "approval WHEN OLD.kind = 'content.publish' AND OLD.decision IS NOT NULL BEGIN SELECT "
        "RAISE(ABORT, 'a review never changes'); END",
        "CREATE TRIGGER approval_opened BEFORE INSERT ON approval WHEN NEW.kind = 'content.publish' AND "
        "NEW.decision IS NOT NULL BEGIN SELECT RAISE(ABORT, 'a review never changes'); END",
        "CREATE TRIGGER approval_kept BEFORE DELETE ON approval WHEN OLD.kind = 'content.publish' BEGIN "
        "SELECT RAISE(ABORT, 'a review never changes'); END",
        "CREATE TRIGGER approval_step_final BEFORE UPDATE OF approval_id, requested_by, number, "
        "decision, decided_by ON approval_step WHEN (OLD.decision IS NOT NULL OR NEW.approval_id <> "
        "OLD.approval_id) AND EXISTS (SELECT 1 FROM approval WHERE id = OLD.approval_id AND kind = "
        "'content.publish') BEGIN SELECT RAISE(ABORT, 'a review never changes'); END",
        "CREATE TRIGGER approval_step_kept BEFORE DELETE ON approval_step WHEN EXISTS (SELECT 1 FROM "
        "approval WHERE id = OLD.approval_id AND kind = 'content.publish') BEGIN SELECT RAISE(ABORT, 'a "
        "review never changes'); END",
    ),
}
NAMES = (
    ("approval_about", "approval"),
    ("approval_final", "approval"),
    ("approval_kept", "approval"),
    ("approval_opened", "approval"),
    ("approval_step_final", "approval_step"),
    ("approval_step_kept", "approval_step"),
    ("revision_drafted", "revision"),
    ("revision_reviewed", "revision"),
    ("revision_step_fixed", "revision_step"),
    ("revision_step_kept", "revision_step"),
)


def _id(table: str) -> tuple[sa.Column[int], sa.PrimaryKeyConstraint]:
    return sa.Column("id", sa.Integer(), nullable=False), sa.PrimaryKeyConstraint(
        "id", name=op.f(f"pk_{table}")
    )


def _to(table: str, column: str, other: str, key: str = "id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.{key}"], name=op.f(f"fk_{table}_{column}_{other}"))


def _staff(table: str, *columns: str) -> list[sa.ForeignKeyConstraint]:
    return [_to(table, one, "staff") for one in columns]


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)


def upgrade() -> None:
    _reviewing()
    _remarks()
    _leaving()
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(sa.text(statement.replace(":", "\\:")))


def _reviewing() -> None:
    op.create_table(
        "content_checklist",
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("note", _Text(length=300), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("at", _At(), nullable=False),
        *_id("content_checklist"),
        *_staff("content_checklist", "by"),
    )
    op.create_table(
        "content_check_answer",
        sa.Column("approval_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("revision_hash", _Text(length=64), nullable=False),
        sa.Column("item", _Text(length=40), nullable=False),
        sa.Column("says", _Text(length=500), nullable=False),
        sa.Column("answer", _Text(length=4), nullable=False),
        sa.Column("words", _Text(length=500), nullable=False),
        sa.Column("version", _Text(length=40), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("at", _At(), nullable=False),
        sa.CheckConstraint("answer IN ('ok', 'bad', 'na')", name="content_check_answer_words"),
        sa.UniqueConstraint("approval_id", "step", "item", name="content_check_answer_once"),
        *_id("content_check_answer"),
        _to("content_check_answer", "approval_id", "approval"),
        *_staff("content_check_answer", "by"),
    )
    _index("content_check_answer", "approval_id")
    _index("content_check_answer", "item")


def _remarks() -> None:
    op.create_table(
        "content_remark",
        sa.Column("piece_key", _Text(length=60), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision_hash", _Text(length=64), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("quote", _Text(length=1000), nullable=False),
        sa.Column("before", _Text(length=80), nullable=False),
        sa.Column("after", _Text(length=80), nullable=False),
        sa.Column("words", _Text(length=1000), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("at", _At(), nullable=False),
        sa.Column("answer", _Text(length=1000), nullable=False),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.Column("answered_at", _At(), nullable=True),
        sa.Column("resolved_by", sa.Integer(), nullable=True),
        sa.Column("resolved_at", _At(), nullable=True),
        *_id("content_remark"),
        _to("content_remark", "piece_key", "piece", "key"),
        *_staff("content_remark", "by", "answered_by", "resolved_by"),
    )
    _index("content_remark", "piece_key")


def _leaving() -> None:
    op.create_table(
        "content_withdrawal",
        sa.Column("piece_key", _Text(length=60), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("cause", _Text(length=8), nullable=False),
        sa.Column("reason", _Text(length=2000), nullable=False),
        sa.Column("public_reason", _Text(length=300), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("at", _At(), nullable=False),
        sa.Column("seen_by", sa.Integer(), nullable=True),
        sa.Column("seen_at", _At(), nullable=True),
        sa.CheckConstraint("seen_by IS NULL OR seen_by <> by", name="content_withdrawal_four_eyes"),
        *_id("content_withdrawal"),
        _to("content_withdrawal", "piece_key", "piece", "key"),
        _to("content_withdrawal", "revision_id", "revision"),
        *_staff("content_withdrawal", "by", "seen_by"),
    )
    _index("content_withdrawal", "piece_key")
    op.create_table(
        "content_expiry_notice",
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("at", _At(), nullable=False),
        sa.UniqueConstraint("revision_id", "on", "days", name="content_expiry_notice_once"),
        *_id("content_expiry_notice"),
        _to("content_expiry_notice", "revision_id", "revision"),
    )
    _index("content_expiry_notice", "revision_id")


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for name, table in NAMES:
        op.execute(f"DROP TRIGGER {name} ON {table}" if postgresql else f"DROP TRIGGER {name}")
        if postgresql:
            op.execute(f"DROP FUNCTION {name}()")
    for table in (
        "content_expiry_notice",
        "content_withdrawal",
        "content_remark",
        "content_check_answer",
        "content_checklist",
    ):
        op.drop_table(table)
