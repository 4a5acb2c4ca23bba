"""Tables of playing: what must not be forgotten of a play, and what is counted of all of them."""

from datetime import date, datetime

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


class RoomAnswer(SQLModel, table=True):
    """An answer to a question about what a room teaches, of a learner who is a random number and nobody else.

    `form`: which of a fact's parallel questions; `audience`: a group, if one was chosen; a day, no time.
    """

    __tablename__ = "room_answer"

    learner: str = Field(primary_key=True, max_length=22)
    fact: str = Field(primary_key=True, max_length=40)
    phase: str = Field(primary_key=True, max_length=8)
    room: str = Field(index=True, max_length=60)
    hash: str = Field(max_length=64)
    form: int
    right: bool
    audience: str = Field(default="", max_length=16)
    day: date = Field(index=True)


class RoomCount(SQLModel, table=True):
    """How many plays of a day did something: chose a mistake (`wrong`), were left somewhere (`left`), ended."""

    __tablename__ = "room_count"

    room: str = Field(primary_key=True, max_length=60)
    hash: str = Field(primary_key=True, max_length=64)
    day: date = Field(primary_key=True)
    kind: str = Field(primary_key=True, max_length=8)
    name: str = Field(primary_key=True, max_length=200)
    count: int


class RoomStand(SQLModel, table=True):
    """Where a play stood last, for a day: then it counts as ended or as left there, and the row goes."""

    __tablename__ = "room_stand"

    play: str = Field(primary_key=True, max_length=24)
    room: str = Field(max_length=60)
    hash: str = Field(max_length=64)
    scene: str = Field(max_length=40)
    lock: str = Field(default="", max_length=40)
    ended: bool = False
    at: datetime = Field(sa_type=UtcDateTime, index=True)
