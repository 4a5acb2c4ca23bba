"""The table of pushes that another account may take over."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class PushFailover(SQLModel, table=True):
    """The account that takes a push over, as it was approved: `target` is its line, `template` its own template.

    `moved_at` says since when it does, `reason` what the first account came to grief on.
    """

    __tablename__ = "push_failover"

    push_id: int = Field(foreign_key="push.id", primary_key=True)
    account_id: int = Field(foreign_key="channel_account.id")
    target: str = Field(default="", max_length=500)
    template: str = Field(default="", max_length=100)
    moved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str = Field(default="", max_length=500)
