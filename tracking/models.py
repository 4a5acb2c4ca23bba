"""Tables of tracking's read path: what keys are called, what counts as reach since when, and who proposed it."""

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


class DefinitionProposal(SQLModel, table=True):
    """A version of the definition as somebody proposes it; adopted as it stands, or not at all.

    `state`: waiting, adopted, changes, rejected or withdrawn. What was sent back is proposed anew. `begins_at`
    is the institution's midnight of `valid_from`.
    """

    __tablename__ = "reach_proposal"

    id: int | None = Field(default=None, primary_key=True)
    version: str = Field(max_length=20, index=True)
    valid_from: date
    begins_at: datetime = Field(sa_type=UtcDateTime)
    kinds: list[str] = Field(sa_column=Column(JSON, nullable=False))
    head_counts: list[str] = Field(sa_column=Column(JSON, nullable=False))
    note: str = Field(default="", max_length=2000)
    state: str = Field(default="waiting", max_length=12, index=True)
    proposed_by: int = Field(foreign_key="staff.id")
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: int | None = Field(default=None, foreign_key="staff.id")
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
