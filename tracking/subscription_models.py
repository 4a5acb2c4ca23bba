"""Tables of report subscriptions: what is sent, to whom, and what became of each sending."""

from datetime import date, datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class ReportSubscription(SQLModel, table=True):
    """A saved question about the node `outlet_code` ("" the whole institution), and when it is answered by mail.

    `by` and `filters` are text as in an address (`channel,month`; `channel=web;kind=visited`). Rhythms: `weekly`
    (`weekday` 0 is Monday), `monthly` (`month_day`; with `workdays` the nth working day), `campaign` (`days_after`
    its end); at `hour` of the institution's clock. Nothing is due before `since`.
    """

    __tablename__ = "report_subscription"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    outlet_code: str = Field(default="", max_length=32, index=True)
    span: str = Field(max_length=16)
    by: str = Field(max_length=40)
    compare: str = Field(max_length=16)
    filters: str = Field(default="", max_length=500)
    rhythm: str = Field(max_length=16)
    weekday: int = 0
    month_day: int = 1
    workdays: bool = False
    days_after: int = 1
    hour: int = 8
    locale: str = Field(default="zh", max_length=8)
    state: str = Field(default="active", max_length=16, index=True)
    since: datetime = Field(sa_type=UtcDateTime)
    made_by: int | None = Field(default=None, foreign_key="staff.id")
    made_at: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class ReportRecipient(SQLModel, table=True):
    """Somebody of the staff who gets a report; what they get is what they may see when it is sent."""

    __tablename__ = "report_recipient"

    subscription_id: int = Field(foreign_key="report_subscription.id", primary_key=True)
    staff_id: int = Field(foreign_key="staff.id", primary_key=True, index=True)
    added_at: datetime = Field(sa_type=UtcDateTime)


class ReportDelivery(SQLModel, table=True):
    """One report to one person for one period: the unique key is what lets it go out once.

    `state`: `claimed` (being made by whoever holds `claim` until `claimed_until`), `posted` (in the outbox),
    `sent`, `failed`, `uncertain`, `withheld`; `reason` is a sentence (msgid) for the latter. `parts` are the nodes
    it told of, with a space between, `*` for the whole institution.
    """

    __tablename__ = "report_delivery"
    __table_args__ = (UniqueConstraint("subscription_id", "staff_id", "period_key"),)

    id: int | None = Field(default=None, primary_key=True)
    subscription_id: int = Field(foreign_key="report_subscription.id", index=True)
    staff_id: int = Field(foreign_key="staff.id")
    period_key: str = Field(max_length=100)
    first: date
    last: date
    campaign: str = Field(default="", max_length=60)
    due_at: datetime = Field(sa_type=UtcDateTime)
    late: bool = False
    missed: int = 0
    state: str = Field(default="claimed", max_length=16, index=True)
    claim: str = Field(default="", max_length=32)
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    reason: str = Field(default="", max_length=300)
    parts: str = Field(default="", max_length=500)
    letter_id: int | None = None
    made_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
