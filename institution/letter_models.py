"""Table of letters to staff and guests, and of short messages to guests."""

import secrets
from datetime import datetime

from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


def _key() -> str:
    return secrets.token_hex(16)


class Letter(SQLModel, table=True):
    """A mail (or a short message: `channel`) to be carried out. `sealed`: address, subject and content encrypted,
    "" once it is settled.

    A letter that is to arrive `once` notes when it is in the hands of the mail server (`handing_at`): one that was
    left there by a worker that died is `uncertain` rather than sent again.
    """

    __tablename__ = "letter"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(default_factory=_key, max_length=32)
    channel: str = Field(default="email", max_length=16)
    to_index: str = Field(max_length=64, index=True)
    sealed: str = ""
    status: str = Field(default="queued", max_length=16, index=True)
    attempts: int = 0
    fault: str = Field(default="", max_length=200)
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)
    due_at: datetime = Field(sa_type=UtcDateTime)
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    once: bool = False
    handing_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
