"""Tables of the audit log: records chained by hash, and the head of the chain."""

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, JSON, Column, Index, event
from sqlalchemy.schema import ExecutableDDLElement
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class AuditRecord(SQLModel, table=True):
    """Who did what to which thing, from where, with before and after; never changed, never deleted.

    `id` counts without a gap from 1. `hash` is SHA-256 (hex) over `previous` and the canonical JSON of
    everything else. `before` and `after` hold only what differs, personal data masked.
    """

    __tablename__ = "audit_record"
    __table_args__ = (Index("audit_subject", "kind", "subject"),)

    id: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    actor_id: int | None = Field(default=None, index=True)
    actor: str = Field(max_length=120)
    via: str = Field(max_length=16)
    address: str = Field(default="", max_length=45)
    action: str = Field(max_length=60, index=True)
    kind: str = Field(max_length=40)
    subject: str = Field(default="", max_length=120)
    outlet_code: str = Field(default="", max_length=32, index=True)
    before: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    after: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    note: str = Field(default="", max_length=2000)
    previous: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class AuditHead(SQLModel, table=True):
    """One row: the number and the hash of the newest record. Who adds one holds it until the end."""

    __tablename__ = "audit_head"

    id: int = Field(primary_key=True)
    last: int = 0
    hash: str = Field(default="", max_length=64)


HEAD_ROW = "INSERT INTO audit_head (id, last, hash) VALUES (1, 0, '')"
# A record never changes and never goes, and the head only moves on: whoever asks, and by whatever program.
_REFUSAL = "the audit log is append-only"
_SQLITE = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
_POSTGRES = "EXECUTE FUNCTION refuse_audit_change()"
APPEND_ONLY_DDL: dict[str, tuple[str, ...]] = {
    "sqlite": (
        f"CREATE TRIGGER audit_record_immutable BEFORE UPDATE ON audit_record {_SQLITE}",
        f"CREATE TRIGGER audit_record_kept BEFORE DELETE ON audit_record {_SQLITE}",
        "CREATE TRIGGER audit_head_moves_on BEFORE UPDATE ON audit_head WHEN NEW.id <> OLD.id OR "
        f"NEW.last <= OLD.last {_SQLITE}",
        f"CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head {_SQLITE}",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
        f"CREATE TRIGGER audit_record_immutable BEFORE UPDATE OR DELETE ON audit_record FOR EACH ROW {_POSTGRES}",
        f"CREATE TRIGGER audit_record_kept BEFORE TRUNCATE ON audit_record FOR EACH STATEMENT {_POSTGRES}",
        "CREATE TRIGGER audit_head_moves_on BEFORE UPDATE ON audit_head FOR EACH ROW "
        f"WHEN (NEW.id <> OLD.id OR NEW.last <= OLD.last) {_POSTGRES}",
        f"CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head FOR EACH ROW {_POSTGRES}",
        f"CREATE TRIGGER audit_head_stays BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT {_POSTGRES}",
    ),
}


def _guard() -> None:
    """The first row and the triggers follow both tables; a migration repeats the same statements."""
    head = SQLModel.metadata.tables["audit_head"]
    head.add_is_dependent_on(SQLModel.metadata.tables["audit_record"])  # so it is made last
    event.listen(head, "after_create", DDL(HEAD_ROW))  # type: ignore[no-untyped-call]
    for dialect, statements in APPEND_ONLY_DDL.items():
        for statement in statements:
            ddl: ExecutableDDLElement = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(head, "after_create", ddl.execute_if(dialect=dialect))


_guard()
