"""Tables of activity returns: a return, its versions, its photos, the words by which photos are found again."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime
from core.i18n import mark

DRAFT, SUBMITTED, RETURNED, REFUSED, VERIFIED, REPLACED = (
    "draft", "submitted", "returned", "refused", "verified", "replaced",
)  # fmt: skip
STATE_NAMES = {
    DRAFT: mark("草稿"),
    SUBMITTED: mark("待核实"),
    RETURNED: mark("退回修改"),
    REFUSED: mark("未通过"),
    VERIFIED: mark("已核实"),
    REPLACED: mark("已被更正"),
}
OPEN = (DRAFT, RETURNED)  # what can be written on


class ActivityReturn(SQLModel, table=True):
    """A return of an outlet. `latest` is its newest version, `counted` the verified one, if there is one.

    `key` is made with the empty form: a form that is sent twice makes one return.
    """

    __tablename__ = "activity_return"

    id: int | None = Field(default=None, primary_key=True)
    outlet_code: str = Field(max_length=32, index=True)
    key: str = Field(max_length=40, unique=True)
    latest: int = 1
    counted: int | None = None
    demo: bool = False
    created_by: int = Field(foreign_key="staff.id")
    created_at: datetime = Field(sa_type=UtcDateTime)


class ReturnVersion(SQLModel, table=True):
    """What a return says. `typed` is what stood in the form, good or bad; the columns are what could be read of it.

    `void`: the return is taken back, it counts nothing. `lines` is what its verification adds to the books
    under the name `batch`, fixed in that moment; `booked_at` says that it is there.
    """

    __tablename__ = "activity_return_version"
    __table_args__ = (UniqueConstraint("return_id", "number", name="activity_return_version_number"),)

    id: int | None = Field(default=None, primary_key=True)
    return_id: int = Field(foreign_key="activity_return.id", index=True)
    number: int = 1
    outlet_code: str = Field(max_length=32, index=True)
    state: str = Field(default=DRAFT, max_length=12, index=True)
    void: bool = False
    typed: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    held_on: date | None = Field(default=None, index=True)
    starts: str = Field(default="", max_length=5)
    ends: str = Field(default="", max_length=5)
    form: str = Field(default="", max_length=20)
    place: str = Field(default="", max_length=20)
    campaign_code: str = Field(default="", max_length=60, index=True)
    piece_key: str = Field(default="", max_length=60)
    occurrence_id: int | None = Field(default=None, index=True)
    theme: str = Field(default="", max_length=120)
    partners: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    partner_names: str = Field(default="", max_length=200)
    audiences: dict[str, int | None] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    staff: int = 0
    heads: int = 0
    joined: int = 0
    materials: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    works: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    note: str = Field(default="", max_length=2000)
    photos: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    marks: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    lines: list[list[Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    saved_by: int = Field(foreign_key="staff.id")
    saved_at: datetime = Field(sa_type=UtcDateTime)
    submitted_by: int | None = Field(default=None, foreign_key="staff.id")
    submitted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_by: int | None = Field(default=None, foreign_key="staff.id")
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str = Field(default="", max_length=2000)
    batch: str = Field(default="", max_length=60, index=True)
    booked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def open(self) -> bool:
        """Whether it can be written on."""
        return self.state in OPEN


class ReturnPhoto(SQLModel, table=True):
    """A photo drawn anew; `file` is its place below the folder of files, empty once it was removed.

    `sketch` and the words are what it looks like (`likeness`).
    """

    __tablename__ = "activity_return_photo"

    id: int | None = Field(default=None, primary_key=True)
    return_id: int = Field(foreign_key="activity_return.id", index=True)
    outlet_code: str = Field(max_length=32, index=True)
    sha256: str = Field(max_length=64, index=True)
    file: str = Field(max_length=120, index=True)
    width: int
    height: int
    sketch: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    added_by: int = Field(foreign_key="staff.id")
    added_at: datetime = Field(sa_type=UtcDateTime, index=True)
    dropped_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)


class PhotoWord(SQLModel, table=True):
    """A word of a photo with its place, packed: found by the word."""

    __tablename__ = "activity_return_word"

    word: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    photo_id: int = Field(primary_key=True, foreign_key="activity_return_photo.id", index=True)
    spot: int = Field(primary_key=True)


class PhotoMatch(SQLModel, table=True):
    """Two photos of different returns that look the same; `photo_id` came later. `score` in thousandths."""

    __tablename__ = "activity_return_match"

    photo_id: int = Field(primary_key=True, foreign_key="activity_return_photo.id")
    other_id: int = Field(primary_key=True, foreign_key="activity_return_photo.id", index=True)
    score: int
