"""Tables of playing together: sessions of an outlet, and their members by nickname."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class PlaySession(SQLModel, table=True):
    """A room played together at an outlet until `ended_at`, or until `closes_at` by itself.

    `code` are six digits, no two alike among those that are open; it is given back at the end.
    """

    __tablename__ = "play_session"

    id: int | None = Field(default=None, primary_key=True)
    outlet_code: str = Field(foreign_key="outlet.code", max_length=32, index=True)
    piece_key: str = Field(max_length=60, index=True)
    occurrence_id: int | None = Field(default=None, foreign_key="event_occurrence.id", index=True)
    campaign_code: str = Field(default="", max_length=60, index=True)
    code: str | None = Field(default=None, max_length=6, unique=True)
    made_by: int | None = Field(default=None, foreign_key="staff.id")
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closes_at: datetime = Field(sa_type=UtcDateTime, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    def over_at(self) -> datetime:
        """When it ended, or will end by itself."""
        return self.ended_at or self.closes_at

    def is_open(self, now: datetime) -> bool:
        """Whether one can still join and gain."""
        return now < self.over_at()


class PlayMember(SQLModel, table=True):
    """Somebody in a session: a nickname, how far they came, and nothing of what they answered.

    `name_key` is the nickname as it is compared; it and the nickname are emptied when their time is over, the figures
    stay. `ticket_hash` tells a form sent twice from another's. `hidden`: on no screen and no board. `seconds`: from joining to the last lock, by the server's clock.
    """

    __tablename__ = "play_member"
    __table_args__ = (UniqueConstraint("session_id", "name_key", name="play_member_name"),)

    id: int | None = Field(default=None, primary_key=True)
    session_id: int = Field(foreign_key="play_session.id", index=True)
    nickname: str = Field(default="", max_length=24)
    name_key: str = Field(max_length=40)
    hidden: bool = False
    ticket_hash: str = Field(default="", max_length=64)
    play_hash: str = Field(default="", max_length=64)
    opened: int = 0
    locks: int = 0
    points: int = 0
    seconds: int = 0
    ending: str = Field(default="", max_length=40)
    joined_at: datetime = Field(sa_type=UtcDateTime, index=True)
