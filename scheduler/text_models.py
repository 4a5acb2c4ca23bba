"""Table of the short messages about registrations: by which account, with which template of its platform."""

from datetime import datetime

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class NoticeText(SQLModel, table=True):
    """What is sent on one occasion (a kind of campaign.registration.notices); no row: no short message.

    `parameters` are [name, text with {places}] pairs in the order of the template.
    """

    __tablename__ = "event_text"

    kind: str = Field(primary_key=True, max_length=16)
    account_id: int = Field(foreign_key="channel_account.id", index=True)
    template: str = Field(max_length=100)
    parameters: list[list[str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    updated_at: datetime = Field(sa_type=UtcDateTime)
