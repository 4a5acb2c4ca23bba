"""Tables of imports: what was brought in (or taken back), its file and lines, and mappings saved by name."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime
from core.i18n import mark

WAITING, APPROVED, APPLIED, CHANGES, REJECTED, WITHDRAWN = (
    "waiting", "approved", "applied", "changes", "rejected", "withdrawn",
)  # fmt: skip
STATE_NAMES = {
    WAITING: mark("待审批"),
    APPROVED: mark("正在入账"),
    APPLIED: mark("已入账"),
    CHANGES: mark("要求修改"),
    REJECTED: mark("已否决"),
    WITHDRAWN: mark("已撤回"),
}


class ReachImport(SQLModel, table=True):
    """One import of the node `outlet_code`, or one that takes another back (`undoes`); never deleted.

    `claim` is the hash of the file's cells (of what is undone, for an undo) as long as the import stands: the
    database refuses the same twice. `parts` of its lines are deposited one by one; `deposited` counts them.
    """

    __tablename__ = "reach_import"

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(max_length=20)
    outlet_code: str = Field(default="", max_length=32, index=True)
    state: str = Field(default=WAITING, max_length=12, index=True)
    file_name: str = Field(max_length=200)
    cells_hash: str = Field(max_length=64, index=True)
    claim: str | None = Field(default=None, max_length=80, unique=True)
    mapping: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    totals: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    rows: int
    skipped: int = 0
    lines: int
    quantity: int = Field(sa_type=BigInteger)
    first_day: date
    last_day: date
    parts: int
    deposited: int = 0
    note: str = Field(default="", max_length=2000)
    undoes: int | None = Field(default=None, foreign_key="reach_import.id", index=True)
    undone_by: int | None = Field(default=None, foreign_key="reach_import.id")
    proposed_by: int = Field(foreign_key="staff.id")
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: int | None = Field(default=None, foreign_key="staff.id")
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    applied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def name(self) -> str:
        """The batch of its events."""
        return f"import-{self.id}"


class ReachImportFile(SQLModel, table=True):
    """The original file (compressed; empty once its time is over) and the lines that count."""

    __tablename__ = "reach_import_file"

    import_id: int = Field(foreign_key="reach_import.id", primary_key=True)
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    lines: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ReachMapping(SQLModel, table=True):
    """A mapping saved by name for a source, at the node `outlet_code`; below it everybody may use it."""

    __tablename__ = "reach_mapping"
    __table_args__ = (UniqueConstraint("source", "outlet_code", "name", name="reach_mapping_name"),)

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(max_length=20)
    outlet_code: str = Field(default="", max_length=32, index=True)
    name: str = Field(max_length=60)
    mapping: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    updated_by: int | None = Field(default=None, foreign_key="staff.id")
    updated_at: datetime = Field(sa_type=UtcDateTime)
