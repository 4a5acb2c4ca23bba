"""Tables of check-in: links that open a door, and every scan."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class Door(SQLModel, table=True):
    """A link that lets one phone check people in at one occurrence until it expires; `key_hash` is SHA-256 (hex)."""

    __tablename__ = "event_door"

    id: int | None = Field(default=None, primary_key=True)
    occurrence_id: int = Field(foreign_key="event_occurrence.id", index=True)
    key_hash: str = Field(unique=True, max_length=64)
    label: str = Field(default="", max_length=60)
    created_by: int | None = Field(default=None, foreign_key="staff.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Scan(SQLModel, table=True):
    """One act at a door, kept whatever came of it; `nonce` is the phone's own name for it: sent twice it is one.

    `at` is the phone's clock, `received_at` ours; `verdict` says what came of it.
    """

    __tablename__ = "event_scan"

    id: int | None = Field(default=None, primary_key=True)
    nonce: str = Field(unique=True, max_length=64)
    occurrence_id: int = Field(foreign_key="event_occurrence.id", index=True)
    door_id: int = Field(foreign_key="event_door.id")
    act: str = Field(max_length=12)
    person_id: int | None = Field(default=None, foreign_key="event_person.id", index=True)
    verdict: str = Field(max_length=20)
    at: datetime = Field(sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)
