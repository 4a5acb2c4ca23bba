"""The table of what an institution allows on its channels."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class PushRule(SQLModel, table=True):
    """What the institution allows on a channel, where it differs from the defaults: from when until when people are
    written to (08:00, 22:00), and at most how many messages a person gets in so many days (0: as many as come)."""

    __tablename__ = "push_rule"

    channel: str = Field(primary_key=True, max_length=16)
    opens: str = Field(max_length=5)
    closes: str = Field(max_length=5)
    most: int = 0
    days: int = 0
    updated_at: datetime = Field(sa_type=UtcDateTime)
