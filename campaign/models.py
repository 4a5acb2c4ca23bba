"""Tables of campaigns: a named period with its theme, words and ordered pieces. Names and dates are data."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from core.database import UtcDateTime
from core.i18n import current_locale, mark

THEME_NAMES = {
    "plain": mark("松绿"),
    "festive": mark("红"),
    "young": mark("新绿"),
    "warning": mark("赭（提醒）"),
    "growth": mark("蓝（成长）"),
    "ink": mark("墨"),
}
_IN_ENGLISH = {"name", "tag", "slogan", "heading", "summary", "help_text"}


class Campaign(SQLModel, table=True):
    """One campaign of the node `outlet_code` ("" the whole institution). Each text stands in Chinese; `*_en` may be empty, then the Chinese is shown."""

    __tablename__ = "campaign"

    code: str = Field(primary_key=True, max_length=60)
    outlet_code: str = Field(default="", max_length=32, index=True)
    name: str = Field(max_length=120)
    name_en: str = Field(default="", max_length=200)
    theme: str = Field(default="plain", max_length=16)
    tag: str = Field(default="", max_length=60)
    tag_en: str = Field(default="", max_length=90)
    slogan: str = Field(default="", max_length=120)
    slogan_en: str = Field(default="", max_length=200)
    heading: str = Field(default="", max_length=120)
    heading_en: str = Field(default="", max_length=200)
    summary: str = Field(default="", max_length=500)
    summary_en: str = Field(default="", max_length=900)
    help_text: str = Field(default="", max_length=500)
    help_text_en: str = Field(default="", max_length=900)
    hero_url: str = Field(default="", max_length=200)
    starts_on: date = Field(index=True)
    ends_on: date = Field(index=True)
    visible: bool = True
    demo: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)

    def shown(self, name: str) -> str:
        """One of the texts in the language in force; the Chinese one where no other is given."""
        if name not in _IN_ENGLISH:
            raise KeyError(name)
        english = getattr(self, f"{name}_en") if current_locale() == "en" else ""
        return str(english or getattr(self, name))

    @property
    def url(self) -> str:
        """The path of its page."""
        return f"/c/{self.code}"

    def runs_on(self, day: date) -> bool:
        """Whether the day lies in its period, both ends included."""
        return self.starts_on <= day <= self.ends_on


class CampaignPiece(SQLModel, table=True):
    """A piece in a campaign, at its place from 1."""

    __tablename__ = "campaign_piece"

    campaign_code: str = Field(foreign_key="campaign.code", primary_key=True, max_length=60)
    piece_key: str = Field(foreign_key="piece.key", primary_key=True, max_length=60)
    position: int
