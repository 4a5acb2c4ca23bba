"""Writes the letters that are noted, each once, and notes the reminders that are due.

A notice and its letter change hands in one transaction: a crash leaves either the note or the letter. Who gave no
e-mail address, or where no mail server is set, is left to be called by the outlet when it matters, and shown there.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, String, cast, update
from sqlmodel import Session, col, select

from campaign.events import subscription
from campaign.events.models import OPEN, EventSeries, Occurrence
from campaign.registration import notices, words
from campaign.registration.models import CONFIRMED, Notice, RegisteredPerson, Registration
from campaign.registration.work import Doorkeeper
from core.database import Database
from core.errors import Invalid
from core.i18n import using_locale
from core.privacy import Vault
from core.settings import Settings
from institution import letters
from institution.models import Outlet

EVERY_SECONDS = 10.0
_MOST = 200
_AFTERWARDS = frozenset({notices.THANKS, notices.REPLAY, notices.CALLED_OFF, notices.MESSAGE})
_LATE, _SHORTLY, _AFTER, _REPLAY = (
    timedelta(hours=24), timedelta(hours=2), timedelta(days=2), timedelta(days=14)
)  # fmt: skip


class Telling:
    """Notes what is due and writes what is noted; several processes may do so at once."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        vault: Vault,
        doorkeeper: Doorkeeper,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._database = database
        self._vault = vault
        self._doorkeeper = doorkeeper
        self._clock = clock

    def run_once(self) -> int:
        """Note reminders, write letters; returns how many letters were written."""
        now = self._clock()
        with self._database.reading() as session:
            due = list(reminders(session, now))
        for registration_id, kind, about in due:
            with self._database.transaction() as session:
                notices.note(session, session.get_one(Registration, registration_id), kind, now, about=about)
        with self._database.reading() as session:
            query = select(Notice.id).where(Notice.state == notices.QUEUED).order_by(col(Notice.id))
            waiting = list(session.exec(query.limit(_MOST)))
        written = 0
        for number in waiting:
            with self._database.transaction() as session:
                written += self._tell(session, number or 0, now)
        return written

    def _tell(self, session: Session, number: int, now: datetime) -> bool:
        notice = session.get_one(Notice, number)
        one = session.get_one(Registration, notice.registration_id)
        occurrence = session.get_one(Occurrence, one.occurrence_id)
        state = self._state(notice, one, occurrence, now)
        own = update(Notice).where(col(Notice.id) == number, col(Notice.state) == notices.QUEUED)
        settled = None if state == notices.BY_HAND else now
        done = own.values(state=state, settled_at=settled, channel="email" if state == notices.SENT else "")
        if session.connection().execute(done).rowcount != 1:
            return False
        if state != notices.SENT:
            return False
        try:
            self._write(session, notice, one, occurrence, now)
        except Invalid:  # an address that cannot be written to: somebody has to call
            session.execute(
                update(Notice)
                .where(col(Notice.id) == number)
                .values(state=notices.BY_HAND, channel="", settled_at=None)
            )
            return False
        return True

    def _state(self, notice: Notice, one: Registration, occurrence: Occurrence, now: datetime) -> str:
        """What becomes of a notice: a reminder that comes too late helps nobody."""
        if not one.phone_sealed or (now >= occurrence.starts_at and notice.kind not in _AFTERWARDS):
            return notices.DROPPED
        if one.email_sealed and letters.possible(self._settings):
            return notices.SENT
        return notices.BY_HAND if notice.kind in notices.WORTH_A_CALL | {notices.MESSAGE} else notices.DROPPED

    def _write(
        self, session: Session, notice: Notice, one: Registration, occurrence: Occurrence, now: datetime
    ) -> None:
        settings, vault = self._settings, self._vault
        english = one.language == "en"
        told = words.Told(
            one,
            occurrence,
            session.get_one(EventSeries, occurrence.series_id),
            session.get(Outlet, occurrence.outlet_code) if occurrence.outlet_code else None,
            f"{settings.public_url}/my/{self._doorkeeper.link(one.id or 0)}",
            settings.zone,
            settings.institution_name_en if english else settings.institution_name,
            settings.hotline,
            vault.decrypt(notice.text_sealed) if notice.text_sealed else "",
        )
        with using_locale(one.language):
            letter = words.letter(notice.kind, told)
            files = _calendar(session, notice, occurrence, settings)
        content = letters.Content(letter.subject, letter.text, files=files)
        to = vault.decrypt(one.email_sealed)
        letters.post_content(session, vault=vault, to=to, content=content, now=now, once=True)


def _calendar(
    session: Session, notice: Notice, occurrence: Occurrence, settings: Settings
) -> tuple[letters.File, ...]:
    """The entry for one's own calendar, with what confirms a place or moves it."""
    if notice.kind not in (notices.REGISTERED, notices.MOVED, notices.CALLED_OFF):
        return ()
    entry = subscription.one(session, occurrence, subscription.Site(settings.public_url, settings.zone))
    return (letters.File("event.ics", "text/calendar", entry),)


def reminders(session: Session, now: datetime) -> list[tuple[int, str, str]]:
    """Who is to be reminded, thanked or told of a replay now: registration, kind, and what tells two apart.

    Only those who gave an address; a reminder that would come within three hours of the other is left out.
    """
    found: list[tuple[int, str, str]] = []
    starts, ends = col(Occurrence.starts_at), col(Occurrence.ends_at)
    for kind, condition in (
        (notices.DAY_BEFORE, (starts > now + _SHORTLY + timedelta(hours=1)) & (starts <= now + _LATE)),
        (notices.TWO_HOURS, (starts > now) & (starts <= now + _SHORTLY)),
        (notices.THANKS, (ends <= now) & (ends > now - _AFTER)),
        (notices.REPLAY, (ends <= now) & (ends > now - _REPLAY) & (col(Occurrence.replay_url) != "")),
    ):
        known = select(Notice.registration_id).where(
            Notice.kind == kind,
            Notice.registration_id == Registration.id,
            col(Notice.about) == cast(col(Occurrence.moves), String),
        )
        query = (
            select(Registration.id, Occurrence.moves)
            .join(Occurrence, col(Occurrence.id) == Registration.occurrence_id)
            .where(
                Registration.state == CONFIRMED,
                col(Registration.email_sealed) != "",
                Occurrence.state == OPEN,
                condition,
                ~known.correlate(Registration, Occurrence).exists(),
            )
        )
        if kind == notices.THANKS:
            query = query.where(_came())
        found += [(number or 0, kind, str(moves)) for number, moves in session.exec(query.limit(_MOST))]
    return found


def _came() -> ColumnElement[bool]:
    """Somebody of the party came, or the occurrence was online, where nobody is let in."""
    person = select(RegisteredPerson.id).where(
        RegisteredPerson.registration_id == Registration.id, col(RegisteredPerson.arrived_at).is_not(None)
    )
    return person.exists() | (col(Occurrence.outlet_code) == "")
