"""Tables of reviewing: the institution's own checklist, the answers of reviewers, remarks at passages."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class OwnChecklist(SQLModel, table=True):
    """A version of the institution's own items; the newest counts, the older ones stay for the record.

    `items`: what `checklist.Item` reads. A row never changes.
    """

    __tablename__ = "content_checklist"

    id: int | None = Field(default=None, primary_key=True)
    items: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    note: str = Field(default="", max_length=300)
    by: int = Field(foreign_key="staff.id")
    at: datetime = Field(sa_type=UtcDateTime)


class CheckAnswer(SQLModel, table=True):
    """What a reviewer answered to one item of the checklist for exactly one hash: ok, bad or na (does not apply).

    `step` is the step of the request; `says` and `version` keep what was asked then, whatever the list says later.
    """

    __tablename__ = "content_check_answer"
    __table_args__ = (
        UniqueConstraint("approval_id", "step", "item", name="content_check_answer_once"),
        CheckConstraint("answer IN ('ok', 'bad', 'na')", name="content_check_answer_words"),
    )

    id: int | None = Field(default=None, primary_key=True)
    approval_id: int = Field(foreign_key="approval.id", index=True)
    step: int
    revision_hash: str = Field(max_length=64)
    item: str = Field(max_length=40, index=True)
    says: str = Field(max_length=500)
    answer: str = Field(max_length=4)
    words: str = Field(default="", max_length=500)
    version: str = Field(max_length=40)
    by: int = Field(foreign_key="staff.id")
    at: datetime = Field(sa_type=UtcDateTime)


class Remark(SQLModel, table=True):
    """What somebody said of a passage. It is tied to its words: `quote`, with a little of what stood before and after.

    `line` is where the passage began in the revision `number` of which it was said. `answer` is the writer's;
    `resolved_at` when it was settled.
    """

    __tablename__ = "content_remark"

    id: int | None = Field(default=None, primary_key=True)
    piece_key: str = Field(foreign_key="piece.key", max_length=60, index=True)
    number: int
    revision_hash: str = Field(max_length=64)
    line: int
    quote: str = Field(max_length=1000)
    before: str = Field(default="", max_length=80)
    after: str = Field(default="", max_length=80)
    words: str = Field(max_length=1000)
    by: int = Field(foreign_key="staff.id")
    at: datetime = Field(sa_type=UtcDateTime)
    answer: str = Field(default="", max_length=1000)
    answered_by: int | None = Field(default=None, foreign_key="staff.id")
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_by: int | None = Field(default=None, foreign_key="staff.id")
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
