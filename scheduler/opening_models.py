"""Which message was opened: the first click of its link."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class Opening(SQLModel, table=True):
    """The link of a message was followed. `key` is that of its delivery, which alone leads to a person: once that row
    names nobody any more, neither does this one."""

    __tablename__ = "push_opening"

    key: str = Field(primary_key=True, max_length=32)
    at: datetime = Field(sa_type=UtcDateTime)
