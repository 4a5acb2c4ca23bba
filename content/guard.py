"""What the database itself refuses, whoever asks: to publish what was not reviewed, and to touch a review afterwards.

A revision becomes `published` only from `approved`, and only when a request of kind `content.publish` for this piece and
this hash was approved, every step of it, by somebody else than who asked, and not before it was last withdrawn. A new
revision is a draft. Of such a request neither what it is about nor its decision changes, and nothing of it is deleted.
Who may change the tables themselves (drop a trigger) is beyond this: that is the owner of the database.
"""

from sqlalchemy import DDL, event
from sqlalchemy.schema import ExecutableDDLElement
from sqlmodel import SQLModel

from content import models
from institution import approval_models

KIND = "content.publish"
UNREVIEWED = "only a reviewed revision is published"
SETTLED = "a review never changes"
DRAFT = "a revision begins as a draft"
_TABLES = (models.Revision, models.RevisionStep, approval_models.Approval, approval_models.ApprovalStep)

# The same words in both dialects. `decided_at`: what was withdrawn needs a review of its own to come back.
_REVIEWED = f"""EXISTS (
    SELECT 1 FROM approval AS asked WHERE asked.kind = '{KIND}' AND asked.subject = NEW.piece_key
    AND asked.subject_hash = NEW.hash AND asked.decision = 'approved' AND asked.decided_by <> asked.requested_by
    AND EXISTS (SELECT 1 FROM approval_step AS step WHERE step.approval_id = asked.id)
    AND NOT EXISTS (SELECT 1 FROM approval_step AS step WHERE step.approval_id = asked.id
        AND (step.decision IS NULL OR step.decision <> 'approved'))
    AND NOT EXISTS (SELECT 1 FROM revision_step AS gone WHERE gone.revision_id = NEW.id
        AND gone.action = 'withdrawn' AND gone.at > asked.decided_at))"""  # noqa: S608  (nothing of it comes from anywhere but here)
_TO_THE_SITE = "NEW.state = 'published' AND OLD.state <> 'published'"
_OF_A_REVIEW = f"EXISTS (SELECT 1 FROM approval WHERE id = OLD.approval_id AND kind = '{KIND}')"  # noqa: S608
_ABOUT = "kind, subject, subject_hash, requested_by, requested_at"
_DECIDED = "decision, decided_by, decided_at, opinion"

# name, table, when it looks, on what condition it refuses, in which words
_RULES = (
    (
        "revision_reviewed", "revision", "BEFORE UPDATE OF state",
        f"{_TO_THE_SITE} AND (OLD.state <> 'approved' OR NOT {_REVIEWED})", UNREVIEWED,
    ),
    ("revision_drafted", "revision", "BEFORE INSERT", "NEW.state <> 'draft'", DRAFT),
    ("revision_step_fixed", "revision_step", "BEFORE UPDATE", "", SETTLED),
    ("revision_step_kept", "revision_step", "BEFORE DELETE", "", SETTLED),
    (
        "approval_about", "approval", f"BEFORE UPDATE OF {_ABOUT}",
        f"OLD.kind = '{KIND}' OR NEW.kind = '{KIND}'", SETTLED,
    ),
    (
        "approval_final", "approval", f"BEFORE UPDATE OF {_DECIDED}",
        f"OLD.kind = '{KIND}' AND OLD.decision IS NOT NULL", SETTLED,
    ),
    ("approval_opened", "approval", "BEFORE INSERT", f"NEW.kind = '{KIND}' AND NEW.decision IS NOT NULL", SETTLED),
    ("approval_kept", "approval", "BEFORE DELETE", f"OLD.kind = '{KIND}'", SETTLED),
    (
        "approval_step_final", "approval_step", "BEFORE UPDATE OF approval_id, requested_by, number, decision, decided_by",
        f"(OLD.decision IS NOT NULL OR NEW.approval_id <> OLD.approval_id) AND {_OF_A_REVIEW}", SETTLED,
    ),
    ("approval_step_kept", "approval_step", "BEFORE DELETE", _OF_A_REVIEW, SETTLED),
)  # fmt: skip


def _sqlite(rule: tuple[str, str, str, str, str]) -> tuple[str, ...]:
    name, table, moment, condition, words = rule
    when = f"WHEN {condition} " if condition else ""
    return (f"CREATE TRIGGER {name} {moment} ON {table} {when}BEGIN SELECT RAISE(ABORT, '{words}'); END",)


def _postgresql(rule: tuple[str, str, str, str, str]) -> tuple[str, ...]:
    """A condition that asks other tables must stand in a function there."""
    name, table, moment, condition, words = rule
    back = "OLD" if moment == "BEFORE DELETE" else "NEW"
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {condition or 'true'} THEN RAISE EXCEPTION '{words}'; END IF; RETURN {back}; END $$",
        f"CREATE TRIGGER {name} {moment} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    )


GUARD_DDL: dict[str, tuple[tuple[str, str], ...]] = {
    "sqlite": tuple((rule[1], one) for rule in _RULES for one in _sqlite(rule)),
    "postgresql": tuple((rule[1], one) for rule in _RULES for one in _postgresql(rule)),
}


def _plant() -> None:
    """Have the triggers made with their tables."""
    tables = {one.__tablename__: SQLModel.metadata.tables[str(one.__tablename__)] for one in _TABLES}
    for dialect, statements in GUARD_DDL.items():
        for table, statement in statements:
            ddl: ExecutableDDLElement = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(tables[table], "after_create", ddl.execute_if(dialect=dialect))


_plant()
