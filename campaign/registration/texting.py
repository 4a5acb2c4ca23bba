"""Short messages to who gave no e-mail address: what `campaign.registration.telling` asks of who carries them.

The carrier lives in `scheduler.texts`, a package that knows accounts at platforms; here stands only what it must do.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from campaign.registration import notices

# What a short message may say. Not the outlet's own words: a platform sends only what it approved before.
TEXTED = (
    notices.REGISTERED, notices.OFFERED, notices.APPROVED, notices.REJECTED, notices.MOVED, notices.CALLED_OFF,
    notices.TAKEN_OUT, notices.DAY_BEFORE, notices.TWO_HOURS, notices.THANKS,
)  # fmt: skip


class Texts(Protocol):
    """Carries short messages about registrations."""

    def kinds(self, session: Session) -> frozenset[str]:
        """The notices for which a template and an open account are set."""
        ...

    def post(self, session: Session, kind: str, phone: str, words: Mapping[str, str], now: datetime) -> int:
        """Put a message into the outbox, `words` (campaign.registration.words.PLACES) for its template; its number."""
        ...


class NoTexts:
    """An institution that sends no short messages."""

    def kinds(self, _session: Session) -> frozenset[str]:
        """None."""
        return frozenset()

    def post(
        self, _session: Session, kind: str, _phone: str, _words: Mapping[str, str], _now: datetime
    ) -> int:
        """Never asked."""
        raise LookupError(kind)
