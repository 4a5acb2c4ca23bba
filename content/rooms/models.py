"""The one table of playing: what the server must not forget of a play."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class RoomTrace(SQLModel, table=True):
    """A wrong answer (its digest), a hint taken, or something counted once, in the order `nth` in which it came.

    `lock` is "" for what is about the whole play. A play is a random number; nothing says whose it was.
    """

    __tablename__ = "room_trace"
    __table_args__ = (UniqueConstraint("play", "lock", "nth", name="room_trace_order"),)

    play: str = Field(primary_key=True, max_length=22)
    lock: str = Field(primary_key=True, max_length=40)
    what: str = Field(primary_key=True, max_length=24)
    nth: int
    at: datetime = Field(sa_type=UtcDateTime, index=True)
