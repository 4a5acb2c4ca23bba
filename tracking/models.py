"""Tables of tracking's read path: what keys are called, and what counts as reach since when."""

from datetime import date, datetime

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class Dimension(SQLModel, table=True):
    """What a key (of a piece, campaign or channel) was called from `valid_from` to the day before `valid_to`.

    Outlets are not here: their history is the institution's own.
    """

    __tablename__ = "dimension"
    __table_args__ = (UniqueConstraint("kind", "key", "valid_from"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=16)
    key: str = Field(max_length=120, index=True)
    name: str = Field(max_length=300)
    name_en: str = Field(default="", max_length=300)
    parent: str = Field(default="", max_length=120)
    valid_from: date
    valid_to: date | None = None


class ReachDefinition(SQLModel, table=True):
    """A dated version of what counts as reach; never changed once a report has printed it."""

    __tablename__ = "reach_definition"

    id: str = Field(primary_key=True, max_length=20)
    valid_from: date = Field(unique=True)
    kinds: list[str] = Field(sa_column=Column(JSON, nullable=False))
    head_counts: list[str] = Field(sa_column=Column(JSON, nullable=False))
    note: str = Field(default="", max_length=2000)
    adopted_at: datetime = Field(sa_type=UtcDateTime)
