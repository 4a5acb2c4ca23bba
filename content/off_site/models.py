"""Tables of leaving the site: each withdrawal with what is said of it, and what owners were asked before a date."""

from datetime import date as Day
from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class Withdrawal(SQLModel, table=True):
    """A revision that was taken off the site. `cause`: urgent (a person) or expired (its time was over).

    `public_reason` is what visitors may read; `seen_by` the second person who was told afterwards, never the first.
    """

    __tablename__ = "content_withdrawal"
    __table_args__ = (
        CheckConstraint("seen_by IS NULL OR seen_by <> by", name="content_withdrawal_four_eyes"),
    )

    id: int | None = Field(default=None, primary_key=True)
    piece_key: str = Field(foreign_key="piece.key", max_length=60, index=True)
    revision_id: int = Field(foreign_key="revision.id")
    cause: str = Field(max_length=8)
    reason: str = Field(max_length=2000)
    public_reason: str = Field(default="", max_length=300)
    by: int = Field(foreign_key="staff.id")
    at: datetime = Field(sa_type=UtcDateTime)
    seen_by: int | None = Field(default=None, foreign_key="staff.id")
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ExpiryNotice(SQLModel, table=True):
    """That the owners of a published revision were asked `days` ahead of the date `on`; once for each."""

    __tablename__ = "content_expiry_notice"
    __table_args__ = (UniqueConstraint("revision_id", "on", "days", name="content_expiry_notice_once"),)

    id: int | None = Field(default=None, primary_key=True)
    revision_id: int = Field(foreign_key="revision.id", index=True)
    on: Day
    days: int
    at: datetime = Field(sa_type=UtcDateTime)
