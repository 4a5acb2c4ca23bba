"""Tables of registrations: who registered (encrypted), with how many, in which state."""

from datetime import datetime

from sqlalchemy import JSON, Column, Index, UniqueConstraint, event, inspect, text
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime
from core.i18n import mark

PENDING, CONFIRMED, WAITING, OFFERED = "pending", "confirmed", "waiting", "offered"
CANCELLED, REJECTED, LAPSED = "cancelled", "rejected", "lapsed"
WALKED_IN = "walked_in"  # came without a place, when there was none to give
STATE_NAMES = {
    PENDING: mark("等待审核"),
    CONFIRMED: mark("已报上名"),
    WAITING: mark("在候补"),
    OFFERED: mark("有位置了，等您确认"),
    CANCELLED: mark("已取消"),
    REJECTED: mark("未通过"),
    LAPSED: mark("候补过期"),
    WALKED_IN: mark("现场加入"),
}
LIVE = (PENDING, CONFIRMED, WAITING, OFFERED)
HOLDING = (CONFIRMED, OFFERED)
ITSELF, STAFF, DOOR = "self", "staff", "door"
VIA_NAMES = {ITSELF: mark("本人报名"), STAFF: mark("网点代报"), DOOR: mark("现场登记")}
_IS_LIVE = text("state IN ('pending', 'confirmed', 'waiting', 'offered')")


class Registration(SQLModel, table=True):
    """A party of `size` people under one name and phone number.

    A phone number has one live registration in an occurrence (a partial unique index on its blind index).
    `joined_at` orders the waiting list and never changes while waiting. `options` are the chosen [question,
    option] pairs; `answers_sealed` what was written as text. `request_key` is that of the form: sent again it
    finds this row. `code` is what people say at the door.
    """

    __tablename__ = "event_registration"
    __table_args__ = (
        Index(
            "event_registration_phone",
            "occurrence_id",
            "phone_index",
            unique=True,
            sqlite_where=_IS_LIVE,
            postgresql_where=_IS_LIVE,
        ),
        Index("event_registration_queue", "occurrence_id", "state", "joined_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True, max_length=12)
    request_key: str = Field(unique=True, max_length=64)
    occurrence_id: int = Field(foreign_key="event_occurrence.id")
    state: str = Field(max_length=16)
    size: int
    minors: int = 0
    name_sealed: str = Field(default="", max_length=500)
    phone_sealed: str = Field(default="", max_length=500)
    phone_index: str | None = Field(default=None, max_length=64, index=True)
    email_sealed: str = Field(default="", max_length=700)
    email_index: str | None = Field(default=None, max_length=64, index=True)
    answers_sealed: str = ""
    options: list[list[str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    consent_version: str = Field(default="", max_length=20)
    language: str = Field(default="zh", max_length=5)
    via: str = Field(default=ITSELF, max_length=8)
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)
    joined_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    offer_until: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    reason: str = Field(default="", max_length=200)
    channel: str = Field(default="", max_length=60)
    campaign_code: str = Field(default="", max_length=60)
    counted: bool = Field(default=False, index=True)
    counted_registered: int = 0
    counted_attended: int = 0

    @property
    def is_live(self) -> bool:
        """Whether it is a place, a claim to one, or a place in the queue."""
        return self.state in LIVE

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The chosen question and option pairs."""
        return tuple((question, option) for question, option in self.options)


@event.listens_for(Registration, "before_update")
def _look_again(_mapper: object, _connection: object, row: Registration) -> None:
    if not inspect(row).attrs.counted.history.has_changes():
        row.counted = False


class RegisteredPerson(SQLModel, table=True):
    """One person of a party, let in one by one. Of a child under 14 nothing is kept but that there is one."""

    __tablename__ = "event_person"
    __table_args__ = (UniqueConstraint("registration_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    registration_id: int = Field(foreign_key="event_registration.id", index=True)
    number: int
    name_sealed: str = Field(default="", max_length=500)
    under_14: bool = False
    arrived_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    arrived_by: str = Field(default="", max_length=60)


class Notice(SQLModel, table=True):
    """Something that a registered person is to be told, once: `about` tells two of a kind apart.

    Who has no address that can be written to stays `by_hand` until staff called them. `letter_id` is the letter or
    short message it became, while that is kept.
    """

    __tablename__ = "event_notice"
    __table_args__ = (UniqueConstraint("registration_id", "kind", "about", name="event_notice_once"),)

    id: int | None = Field(default=None, primary_key=True)
    registration_id: int = Field(foreign_key="event_registration.id", index=True)
    kind: str = Field(max_length=16)
    about: str = Field(default="", max_length=40)
    state: str = Field(default="queued", max_length=16, index=True)
    channel: str = Field(default="", max_length=16)
    text_sealed: str = ""
    letter_id: int | None = Field(default=None, index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_by: int | None = Field(default=None, foreign_key="staff.id")


class Feedback(SQLModel, table=True):
    """Three answers after an occurrence, 1 (no) to 5 (yes), and a line in one's own words (encrypted)."""

    __tablename__ = "event_feedback"

    registration_id: int = Field(foreign_key="event_registration.id", primary_key=True)
    occurrence_id: int = Field(foreign_key="event_occurrence.id", index=True)
    understood: int
    useful: int
    again: int
    words_sealed: str = ""
    given_at: datetime = Field(sa_type=UtcDateTime)


class CountedBatch(SQLModel, table=True):
    """Reach events that are fixed and go into the spool under the name of this row; again changes nothing."""

    __tablename__ = "event_counted"

    id: int | None = Field(default=None, primary_key=True)
    lines: list[list[str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    made_at: datetime = Field(sa_type=UtcDateTime)
    deposited_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
