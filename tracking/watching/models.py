"""Tables of alarms: what was found odd, which days were looked at, who wants to hear of it."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class ReachAlarm(SQLModel, table=True):
    """One alarm while it lasts, from `first` to `last`; `over_on` is the day that was as usual again.

    `level`: `all`, `channel` (both of the whole institution: `outlet_code` ""), `outlet` or `pair` (a channel at an
    outlet; `outlet_code` "" is head office online). `under_id`: the alarm about a larger part that explains it.
    `expected` and `actual` are visits of `last`, of a silence those of all its days.
    """

    __tablename__ = "reach_alarm"
    __table_args__ = (UniqueConstraint("level", "outlet_code", "channel", "kind", "first"),)

    id: int | None = Field(default=None, primary_key=True)
    level: str = Field(max_length=8)
    outlet_code: str = Field(default="", max_length=32, index=True)
    channel: str = Field(default="", max_length=60)
    kind: str = Field(max_length=8)
    first: date = Field(index=True)
    last: date
    expected: int = Field(sa_column=Column(BigInteger, nullable=False))
    actual: int = Field(sa_column=Column(BigInteger, nullable=False))
    under_id: int | None = Field(default=None, foreign_key="reach_alarm.id", index=True)
    found_at: datetime = Field(sa_type=UtcDateTime)
    over_on: date | None = Field(default=None, index=True)
    cause: str = Field(default="", max_length=8)
    note: str = Field(default="", max_length=300)
    quiet_until: date | None = None
    handled_by: int | None = Field(default=None, foreign_key="staff.id")
    handled_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)


class ReachWatch(SQLModel, table=True):
    """A day that was looked at: its key is what lets one process of several do it, once."""

    __tablename__ = "reach_watch"

    day: date = Field(primary_key=True)
    watched_at: datetime = Field(sa_type=UtcDateTime)
    raised: int = 0


class ReachAlarmReader(SQLModel, table=True):
    """Somebody of the staff who wants new alarms of their part of the tree by mail."""

    __tablename__ = "reach_alarm_reader"

    staff_id: int = Field(foreign_key="staff.id", primary_key=True)
    since: datetime = Field(sa_type=UtcDateTime)
