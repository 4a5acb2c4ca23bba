"""Tables of events: series, the dates they plan, occurrences, and the seats of choices."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime
from core.i18n import current_locale, mark

OUTLET, ONLINE = "outlet", "online"
FORM_NAMES = {OUTLET: mark("到网点参加"), ONLINE: mark("线上参加")}
OPEN, CALLED_OFF = "open", "called_off"
STATE_NAMES = {OPEN: mark("照常"), CALLED_OFF: mark("已取消")}
LARGEST_PARTY = 10


class EventSeries(SQLModel, table=True):
    """Something that is held again and again by the node `outlet_code` ("" the whole institution), or once.

    `rule` is an RRULE on the institution's clock ("" once, on `first_on`), `starts_minute` the minute of the local
    day, `minutes` how long. `opens_days` before the day registration opens, `closes_minutes` before the beginning
    it closes. `questions` is a list of {key, kind, label, label_en, reason, reason_en, required, options: [{key,
    label, label_en, capacity}]}. Each text stands in Chinese; `*_en` may be empty, then the Chinese is shown.
    """

    __tablename__ = "event_series"

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True, max_length=60)
    outlet_code: str = Field(default="", max_length=32, index=True)
    name: str = Field(max_length=120)
    name_en: str = Field(default="", max_length=200)
    summary: str = Field(default="", max_length=500)
    summary_en: str = Field(default="", max_length=900)
    theme: str = Field(default="plain", max_length=16)
    campaign_code: str = Field(default="", max_length=60)
    form: str = Field(default=OUTLET, max_length=16)
    rule: str = Field(default="", max_length=200)
    first_on: date
    last_on: date | None = None
    starts_minute: int = 570
    minutes: int = 60
    on_holidays: bool = False
    host: str = Field(default="", max_length=60)
    host_en: str = Field(default="", max_length=90)
    place: str = Field(default="", max_length=120)
    live_url: str = Field(default="", max_length=300)
    capacity: int = 20
    party_most: int = 4
    opens_days: int = 14
    closes_minutes: int = 60
    approval: bool = False
    waiting: bool = True
    offer_hours: int = 24
    questions: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    visible: bool = True
    demo: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)

    def shown(self, name: str) -> str:
        """One of name, summary, host in the language in force; the Chinese one where no other is given."""
        return _shown(self, name)

    @property
    def url(self) -> str:
        """The path of its page."""
        return f"/events/{self.code}"


class EventDate(SQLModel, table=True):
    """A day that the rule of a series means: its theme and host; left out with a reason, or moved to another day."""

    __tablename__ = "event_date"

    series_id: int = Field(foreign_key="event_series.id", primary_key=True)
    day: date = Field(primary_key=True)
    theme: str = Field(default="", max_length=120)
    theme_en: str = Field(default="", max_length=200)
    host: str = Field(default="", max_length=60)
    host_en: str = Field(default="", max_length=90)
    skipped: bool = False
    moved_to: date | None = None
    reason: str = Field(default="", max_length=200)

    def shown(self, name: str) -> str:
        """Theme or host in the language in force."""
        return _shown(self, name)


class Occurrence(SQLModel, table=True):
    """One time and place to attend. `outlet_code` "" is online for everybody.

    `planned_at` is when the series first meant it to begin, `moved_from` the outlet it was first meant for if it was
    moved to another: planning again finds it, wherever it was moved since.
    `taken` is the number of seats that are confirmed or offered, never above `capacity`; only
    `campaign.registration.seats` writes it. `moves` counts how often time or place changed: whoever is registered is
    reminded again.
    """

    __tablename__ = "event_occurrence"
    __table_args__ = (
        UniqueConstraint("series_id", "outlet_code", "planned_at", name="event_occurrence_planned"),
    )

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True, max_length=16)
    series_id: int = Field(foreign_key="event_series.id", index=True)
    outlet_code: str = Field(default="", max_length=32, index=True)
    moved_from: str = Field(default="", max_length=32)
    planned_at: datetime = Field(sa_type=UtcDateTime)
    day: date = Field(index=True)
    starts_at: datetime = Field(sa_type=UtcDateTime, index=True)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    opens_at: datetime = Field(sa_type=UtcDateTime)
    closes_at: datetime = Field(sa_type=UtcDateTime)
    topic: str = Field(default="", max_length=120)
    topic_en: str = Field(default="", max_length=200)
    host: str = Field(default="", max_length=60)
    host_en: str = Field(default="", max_length=90)
    place: str = Field(default="", max_length=120)
    live_url: str = Field(default="", max_length=300)
    replay_url: str = Field(default="", max_length=300)
    capacity: int
    taken: int = 0
    party_most: int = 4
    approval: bool = False
    waiting: bool = True
    offer_hours: int = 24
    state: str = Field(default=OPEN, max_length=16)
    reason: str = Field(default="", max_length=200)
    version: int = 1
    moves: int = 0
    demo: bool = Field(default=False, index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)

    def shown(self, name: str) -> str:
        """Topic or host in the language in force."""
        return _shown(self, name)

    @property
    def url(self) -> str:
        """The path of its page."""
        return f"/e/{self.code}"

    @property
    def free(self) -> int:
        """Seats that nobody has."""
        return self.capacity - self.taken


class OptionSeats(SQLModel, table=True):
    """The seats of one option of a choice at one occurrence; options without a limit have no row."""

    __tablename__ = "event_option"

    occurrence_id: int = Field(foreign_key="event_occurrence.id", primary_key=True)
    question: str = Field(primary_key=True, max_length=40)
    option: str = Field(primary_key=True, max_length=40)
    capacity: int
    taken: int = 0


def _shown(row: Any, name: str) -> str:
    english = getattr(row, f"{name}_en") if current_locale() == "en" else ""
    return str(english or getattr(row, name))
