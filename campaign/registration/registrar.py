"""Takes the forms that people send: checked and sealed apart, then written with those that come in the same moment."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session
from werkzeug.datastructures import MultiDict

from campaign.registration import form, registering
from campaign.registration.entry import Entry, Wanted
from campaign.registration.registering import Asked
from campaign.registration.work import Doorkeeper
from core.database import Database
from core.privacy import Vault
from core.together import Together
from tracking.attribution import Attribution, Attributions


class Registrar:
    """One of a process: its view and its door bring their forms here."""

    def __init__(
        self, database: Database, vault: Vault, doorkeeper: Doorkeeper, attributions: Attributions
    ) -> None:
        self._vault, self._doorkeeper, self._attributions = vault, doorkeeper, attributions
        self._together = Together(database, self._write)

    def take(self, sent: MultiDict[str, str], *, language: str, led_by: str, now: datetime) -> str:
        """The personal link of the registration that a form makes; the same form again gives the same.

        `led_by`: the attribution token of the browser. Invalid names the field, Conflict says what is in the way,
        IntegrityError: the same number or form in the same moment.
        """
        number, key = self._doorkeeper.opened(sent.get("challenge", ""), sent.get("proof", ""), now)
        led = (self._attributions.read(led_by) if led_by else None) or Attribution()
        asked = form.wanted(
            sent, request_key=key, language=language, channel=led.channel, campaign=led.campaign
        )
        return self._doorkeeper.link(self.enter(number, asked, now=now))

    def enter(self, occurrence_id: int, wanted: Wanted, *, now: datetime) -> int:
        """The number of the registration, committed."""
        return self._together.do(Asked(occurrence_id, Entry.of(self._vault, wanted, now)))

    def _write(self, session: Session, asked: Sequence[Asked]) -> list[int]:
        return registering.enter(session, self._vault, asked)
