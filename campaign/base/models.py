"""Tables of the education bases: what a node offers, screens that may count, archives of plaques and posters."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime

PLAQUES, POSTERS = "plaques", "posters"
QUEUED, RUNNING, DONE, CANCELLED, FAILED = "queued", "running", "done", "cancelled", "failed"


def _list() -> list[str]:
    return []


class EducationBase(SQLModel, table=True):
    """What a node of the tree offers as an education base; a branch only has a shelf, for its outlets.

    `services` and `facilities` are keys of `offers`, `shelf` keys of pieces in their order; the texts add what
    the lists do not say.
    """

    __tablename__ = "education_base"

    outlet_code: str = Field(primary_key=True, foreign_key="outlet.code", max_length=32)
    services: list[str] = Field(default_factory=_list, sa_column=Column(JSON, nullable=False))
    facilities: list[str] = Field(default_factory=_list, sa_column=Column(JSON, nullable=False))
    shelf: list[str] = Field(default_factory=_list, sa_column=Column(JSON, nullable=False))
    services_text: str = Field(default="", max_length=300)
    services_text_en: str = Field(default="", max_length=600)
    facilities_text: str = Field(default="", max_length=300)
    facilities_text_en: str = Field(default="", max_length=600)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class HallScreen(SQLModel, table=True):
    """A screen in a waiting hall that may count its showings. Code and key are kept as SHA-256 (hex) only.

    The pairing code is for once and until `pairing_until`; after it there is a key until `ended_at`. `last_at`
    is the time of the last showing that was kept: the next one is later, so nobody counts a minute twice.
    """

    __tablename__ = "hall_screen"

    id: int | None = Field(default=None, primary_key=True)
    outlet_code: str = Field(foreign_key="outlet.code", max_length=32, index=True)
    name: str = Field(max_length=60)
    pairing_hash: str | None = Field(default=None, max_length=64, unique=True)
    pairing_until: datetime = Field(sa_type=UtcDateTime)
    key_hash: str | None = Field(default=None, max_length=64, unique=True)
    made_by: int | None = Field(default=None, foreign_key="staff.id")
    made_at: datetime = Field(sa_type=UtcDateTime)
    paired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    showings: int = 0
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PlaqueArchive(SQLModel, table=True):
    """All plaques of a node, or the posters of one piece (`piece_key`, `revision`, `campaign`) for all of its outlets, as
    one ZIP: `queued → running → done | cancelled | failed`.

    `outlets` are the codes in their order, fixed at the beginning; `made` counts those that are finished on disk.
    Whoever works holds the row until `leased_until`; when that is over, another goes on.
    """

    __tablename__ = "plaque_archive"

    id: int | None = Field(default=None, primary_key=True)
    outlet_code: str = Field(default="", max_length=32, index=True)
    kind: str = Field(default=PLAQUES, max_length=16)
    size: str = Field(max_length=2)
    pdf: bool = True
    piece_key: str = Field(default="", max_length=60)
    revision: int = 0
    campaign: str = Field(default="", max_length=60)
    outlets: list[str] = Field(sa_column=Column(JSON, nullable=False))
    state: str = Field(default=QUEUED, max_length=16, index=True)
    made: int = 0
    bytes: int = Field(default=0, sa_type=BigInteger)
    fault: str = Field(default="", max_length=300)
    worker: str = Field(default="", max_length=32)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    made_by: int | None = Field(default=None, foreign_key="staff.id")
    asked_at: datetime = Field(sa_type=UtcDateTime)
    begun_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)

    @property
    def total(self) -> int:
        """How many plaques or posters it is to hold."""
        return len(self.outlets)

    @property
    def moving(self) -> bool:
        """Whether something is still to happen."""
        return self.state in (QUEUED, RUNNING)
