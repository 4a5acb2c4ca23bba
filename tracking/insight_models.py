"""Tables beside the report: what was aimed at, and what happened meanwhile."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class ReachTarget(SQLModel, table=True):
    """How much one node of the tree wants to reach from `first` to `last`, in one campaign or in all ("").

    `origin` is `form`, `import` or `split` (from the target of the node above).
    """

    __tablename__ = "reach_target"
    __table_args__ = (UniqueConstraint("outlet_code", "first", "last", "campaign", "measure"),)

    id: int | None = Field(default=None, primary_key=True)
    outlet_code: str = Field(max_length=32, index=True)
    first: date
    last: date = Field(index=True)
    campaign: str = Field(default="", max_length=120)
    measure: str = Field(max_length=16)
    value: int = Field(sa_column=Column(BigInteger, nullable=False))
    origin: str = Field(max_length=8)
    note: str = Field(default="", max_length=300)
    set_by: int | None = None
    updated_at: datetime = Field(sa_type=UtcDateTime)


class ReachAnnotation(SQLModel, table=True):
    """What happened from `first` to `last` at a node of the tree, or everywhere ("")."""

    __tablename__ = "reach_annotation"

    id: int | None = Field(default=None, primary_key=True)
    outlet_code: str = Field(default="", max_length=32, index=True)
    kind: str = Field(max_length=16)
    first: date = Field(index=True)
    last: date
    text: str = Field(max_length=300)
    made_by: int | None = None
    made_at: datetime = Field(sa_type=UtcDateTime)
