"""Tables of standing sources: others who count, whose numbers come in by themselves once two people agreed."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime
from core.i18n import mark

WAITING, APPROVED, REJECTED, ENDED = "waiting", "approved", "rejected", "ended"
STATE_NAMES = {
    WAITING: mark("待审批"),
    APPROVED: mark("每天自动计入"),
    REJECTED: mark("未批准"),
    ENDED: mark("已停止"),
}


class ReachStanding(SQLModel, table=True):
    """A standing source of the node `outlet_code`. `subject` is what counts there (an account), `terms` exactly what was
    agreed to. From `next_at` on it is asked again by who moves it on; `last_day` is the last day that is in."""

    __tablename__ = "reach_standing"
    __table_args__ = (UniqueConstraint("source", "subject", name="reach_standing_subject"),)

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(max_length=20)
    subject: str = Field(max_length=60)
    outlet_code: str = Field(default="", max_length=32, index=True)
    state: str = Field(default=WAITING, max_length=12)
    terms: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    title: str = Field(max_length=200)
    asked_by: int = Field(foreign_key="staff.id")
    asked_at: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    last_day: date | None = None
    brought_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fault: str = Field(default="", max_length=500)
    batches: int = 0


class ReachStandingSum(SQLModel, table=True):
    """What of a day is in by now, under its keys: only the difference to it is brought in later."""

    __tablename__ = "reach_standing_sum"

    standing_id: int = Field(foreign_key="reach_standing.id", primary_key=True)
    day: date = Field(primary_key=True)
    kind: str = Field(max_length=20, primary_key=True)
    piece: str = Field(default="", max_length=80, primary_key=True)
    quantity: int = Field(sa_type=BigInteger)


class ReachStandingBatch(SQLModel, table=True):
    """Lines that were fixed and are put into the spool under the name `standing-ID-NUMBER`, once."""

    __tablename__ = "reach_standing_batch"

    standing_id: int = Field(foreign_key="reach_standing.id", primary_key=True)
    number: int = Field(primary_key=True)
    lines: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    made_at: datetime = Field(sa_type=UtcDateTime)
    done: bool = Field(default=False, index=True)

    @property
    def name(self) -> str:
        """The batch of its events."""
        return f"standing-{self.standing_id}-{self.number}"
