"""Whom of a list or a segment a channel may reach, by the very question that a push is cut with; and how many not."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session

from campaign import audience, recipients
from campaign.contacts import EDUCATION
from campaign.recipients import LeftOut


@dataclass(frozen=True, slots=True)
class Reached:
    """A row of the answer."""

    contact_id: int
    address_index: str
    outlet_code: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A list or a segment, a channel, a purpose."""

    session: Session
    channel: str
    list_id: int | None = None
    segment_id: int | None = None
    purpose: str = EDUCATION

    def reached(self, limit: int = 100) -> list[Reached]:
        """Everybody, page by page, as a push goes on after the last contact of a page."""
        return [one for page in self.pages(limit) for one in page]

    def pages(self, limit: int) -> Iterator[list[Reached]]:
        """The pages until one is empty; who refused meanwhile is missing from the next."""
        after = 0
        while page := self.page(after, limit):
            yield page
            after = page[-1].contact_id

    def page(self, after: int = 0, limit: int = 100) -> list[Reached]:
        """The next after a contact's number."""
        question = recipients.chosen(self._whole(), self.channel, self.purpose, after_id=after, limit=limit)
        return [Reached(*row) for row in self.session.connection().execute(question)]

    def left_out(self) -> LeftOut:
        """How many are reached and left out, by reason."""
        return recipients.left_out(self.session, self._whole(), self.channel, self.purpose)

    def _whole(self) -> recipients.Audience:
        return audience.audience_of(self.session, list_id=self.list_id, segment_id=self.segment_id)
