"""Tables of the letters of serials: which approved plan carries them, which episode was told."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class SerialPlan(SQLModel, table=True):
    """The plan by which a serial writes to its subscribers; `since`: what was published before is not told."""

    __tablename__ = "serial_plan"

    serial: str = Field(primary_key=True, max_length=16)
    plan_id: int = Field(foreign_key="push_plan.id", index=True)
    since: datetime = Field(sa_type=UtcDateTime)


class SerialLetter(SQLModel, table=True):
    """An episode was told: the row is what keeps it from being told again."""

    __tablename__ = "serial_letter"

    piece_key: str = Field(primary_key=True, max_length=60)
    push_id: int | None = Field(default=None, foreign_key="push.id", index=True)
    at: datetime = Field(sa_type=UtcDateTime)
