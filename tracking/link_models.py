"""The table of short links: a code that leads to a page of this site, and to whom the visit is owed."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class ShortLink(SQLModel, table=True):
    """A short link `/s/<code>`. `path` is of this site only; `outlet_code` "" is the whole institution.

    `valid_until` is the last day (institution's zone) on which it leads on; None: for as long as it is not ended.
    """

    __tablename__ = "short_link"

    code: str = Field(primary_key=True, max_length=16)
    path: str = Field(max_length=300)
    campaign: str = Field(default="", max_length=60)
    outlet_code: str = Field(default="", max_length=32, index=True)
    channel: str = Field(max_length=32)
    note: str = Field(default="", max_length=120)
    valid_until: date | None = None
    made_by: int | None = Field(default=None, foreign_key="staff.id")
    made_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    def live(self, today: date) -> bool:
        """Whether it leads on today."""
        return self.ended_at is None and (self.valid_until is None or today <= self.valid_until)
