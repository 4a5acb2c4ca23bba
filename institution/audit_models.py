"""Tables of the audit log: records chained by hash, and the head of the chain."""

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, JSON, Column, Index, event
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
event.listen(SQLModel.metadata.tables["audit_head"], "after_create", DDL(HEAD_ROW))  # type: ignore[no-untyped-call]
