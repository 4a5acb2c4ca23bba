"""The table of warnings that an editor overruled: bound to the hash of the revision, as an approval is."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class Overruling(SQLModel, table=True):
    """Why a warning of one revision is left as it is. `mark`: rule and words (`Finding.mark`)."""

    __tablename__ = "content_overruling"
    __table_args__ = (UniqueConstraint("piece_key", "revision_hash", "mark", name="content_overruling_once"),)

    id: int | None = Field(default=None, primary_key=True)
    piece_key: str = Field(foreign_key="piece.key", max_length=60)
    revision_hash: str = Field(max_length=64, index=True)
    mark: str = Field(max_length=16)
    rule: str = Field(max_length=32)
    excerpt: str = Field(max_length=80)
    reason: str = Field(max_length=400)
    by: int = Field(foreign_key="staff.id")
    at: datetime = Field(sa_type=UtcDateTime)
