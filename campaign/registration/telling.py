"""Writes the letters and short messages that are noted, each once, and notes the reminders that are due.

A notice and its letter change hands in one transaction: a crash leaves either the note or the letter. Who gave an
e-mail address is written to there; who gave none gets a short message, where the institution has set one for the
occasion. What can go neither way, or did not arrive, is left to be called by the outlet when it matters, and shown
there.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, String, cast, literal, update
from sqlmodel import Session, col, select

from campaign.events import subscription
from campaign.events.models import OPEN, EventSeries, Occurrence
from campaign.registration import notices, words
from campaign.registration.models import CONFIRMED, Notice, RegisteredPerson, Registration
from campaign.registration.texting import NoTexts, Texts
from campaign.registration.work import Doorkeeper
from core.database import Database
from core.errors import Invalid
from core.i18n import using_locale
from core.privacy import Vault
from core.settings import Settings
from institution import letters
from institution.letter_models import Letter
from institution.models import Outlet

EVERY_SECONDS = 10.0
_MOST = 200
_AFTERWARDS = frozenset({notices.THANKS, notices.REPLAY, notices.CALLED_OFF, notices.MESSAGE})
_LATE, _SHORTLY, _AFTER, _REPLAY, _JUST = (
    timedelta(hours=24), timedelta(hours=2), timedelta(days=2), timedelta(days=14), timedelta(hours=1)
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
        *,
        texts: Texts | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._vault = vault
        self._doorkeeper = doorkeeper
        self._clock = clock
        self._texts: Texts = texts or NoTexts()

    def run_once(self) -> int:
        """Note reminders, write letters and short messages; returns how many were written."""
        now = self._clock()
        with self._database.reading() as session:
            texted = self._texts.kinds(session)
            due = list(reminders(session, now, texted))
            lost = _not_arrived(session, now)
            query = select(Notice.id).where(Notice.state == notices.QUEUED).order_by(col(Notice.id))
            waiting = list(session.exec(query.limit(_MOST)))
        for registration_id, kind, about in due:
            with self._database.transaction() as session:
                one = session.get_one(Registration, registration_id)
                made = notices.note(session, one, kind, now, about=about, texted=texted)
                waiting += [made.id] if made else []
        for number in lost:
            with self._database.transaction() as session:
                _by_hand(session, number)
        written = 0
        for noted in waiting:
            with self._database.transaction() as session:
                written += self._tell(session, noted or 0, now, texted)
        return written

    def _tell(self, session: Session, number: int, now: datetime, texted: frozenset[str]) -> bool:
        notice = session.get_one(Notice, number)
        one = session.get_one(Registration, notice.registration_id)
        occurrence = session.get_one(Occurrence, one.occurrence_id)
        state, channel = self._way(notice, one, occurrence, now, texted)
        own = update(Notice).where(col(Notice.id) == number, col(Notice.state) == notices.QUEUED)
        settled = None if state == notices.BY_HAND else now
        done = own.values(state=state, settled_at=settled, channel=channel)
        if session.connection().execute(done).rowcount != 1 or state != notices.SENT:
            return False
        try:
            letter_id = self._write(session, notice, one, occurrence, channel=channel, now=now)
        except Invalid:  # an address that cannot be written to: somebody has to call
            _by_hand(session, number)
            return False
        session.execute(update(Notice).where(col(Notice.id) == number).values(letter_id=letter_id))
        return True

    def _way(
        self, notice: Notice, one: Registration, occurrence: Occurrence, now: datetime, texted: frozenset[str]
    ) -> tuple[str, str]:
        """What becomes of a notice, and which way it goes: a reminder that comes too late helps nobody."""
        if not one.phone_sealed or (now >= occurrence.starts_at and notice.kind not in _AFTERWARDS):
            return notices.DROPPED, ""
        if one.email_sealed and letters.possible(self._settings):
            return notices.SENT, "email"
        if notice.kind in texted:
            return notices.SENT, "sms"
        called = notice.kind in notices.WORTH_A_CALL | {notices.MESSAGE}
        return (notices.BY_HAND if called else notices.DROPPED), ""

    def _write(
        self, session: Session, notice: Notice, one: Registration, occurrence: Occurrence, *, channel: str,
        now: datetime,
    ) -> int:  # fmt: skip
        told = self._told(session, notice, one, occurrence)
        with using_locale(one.language):
            if channel == "sms":
                phone = self._vault.decrypt(one.phone_sealed)
                return self._texts.post(session, notice.kind, phone, words.values(told), now)
            letter = words.letter(notice.kind, told)
            files = _calendar(session, notice, occurrence, self._settings)
        content = letters.Content(letter.subject, letter.text, files=files)
        to = self._vault.decrypt(one.email_sealed)
        posted = letters.post_content(session, vault=self._vault, to=to, content=content, now=now, once=True)
        return posted.id or 0

    def _told(
        self, session: Session, notice: Notice, one: Registration, occurrence: Occurrence
    ) -> words.Told:
        settings = self._settings
        return words.Told(
            one,
            occurrence,
            session.get_one(EventSeries, occurrence.series_id),
            session.get(Outlet, occurrence.outlet_code) if occurrence.outlet_code else None,
            f"{settings.public_url}/my/{self._doorkeeper.link(one.id or 0)}",
            settings.zone,
            settings.institution_name_en if one.language == "en" else settings.institution_name,
            settings.hotline,
            self._vault.decrypt(notice.text_sealed) if notice.text_sealed else "",
        )


def _by_hand(session: Session, number: int) -> None:
    """Somebody has to call; nothing for what was settled by a person meanwhile."""
    own = update(Notice).where(
        col(Notice.id) == number, col(Notice.state) == notices.SENT, col(Notice.settled_by).is_(None)
    )
    session.execute(own.values(state=notices.BY_HAND, channel="", settled_at=None, letter_id=None))


def _calendar(
    session: Session, notice: Notice, occurrence: Occurrence, settings: Settings
) -> tuple[letters.File, ...]:
    """The entry for one's own calendar, with what confirms a place or moves it."""
    if notice.kind not in (notices.REGISTERED, notices.MOVED, notices.CALLED_OFF):
        return ()
    entry = subscription.one(session, occurrence, subscription.Site(settings.public_url, settings.zone))
    return (letters.File("event.ics", "text/calendar", entry),)


def _not_arrived(session: Session, now: datetime) -> list[int]:
    """Notices that matter whose letter or short message did not arrive, while a call still helps."""
    lost = (letters.FAILED, letters.UNCERTAIN)
    query = (
        select(Notice.id)
        .join(Letter, (col(Letter.id) == Notice.letter_id) & col(Letter.status).in_(lost))
        .join(Registration, col(Registration.id) == Notice.registration_id)
        .join(Occurrence, col(Occurrence.id) == Registration.occurrence_id)
        .where(
            Notice.state == notices.SENT,
            col(Notice.kind).in_(notices.WORTH_A_CALL),
            col(Notice.settled_by).is_(None),
            Occurrence.starts_at > now,
        )
        .limit(_MOST)
    )
    return [number or 0 for number in session.exec(query)]


def reminders(
    session: Session, now: datetime, texted: frozenset[str] = frozenset()
) -> list[tuple[int, str, str]]:
    """Who is to be reminded, thanked or told of a replay now: registration, kind, and what tells two apart.

    Only those who gave an address, or get a short message (`texted`); a reminder that would come within three hours
    of the other is left out. By short message people are also told that they are registered: a page does not stay in
    the hand.
    """
    found: list[tuple[int, str, str]] = []
    for kind, condition in _occasions(now):
        if kind == notices.REGISTERED and kind not in texted:
            continue
        about = cast(col(Occurrence.moves), String) if kind != notices.REGISTERED else literal("")
        known = select(Notice.registration_id).where(
            Notice.kind == kind, Notice.registration_id == Registration.id, col(Notice.about) == about
        )
        query = (
            select(Registration.id, about)
            .join(Occurrence, col(Occurrence.id) == Registration.occurrence_id)
            .where(
                Registration.state == CONFIRMED,
                col(Registration.phone_sealed if kind in texted else Registration.email_sealed) != "",
                Occurrence.state == OPEN,
                condition,
                ~known.correlate(Registration, Occurrence).exists(),
            )
        )
        found += [(number or 0, kind, str(moves)) for number, moves in session.exec(query.limit(_MOST))]
    return found


def _occasions(now: datetime) -> list[tuple[str, ColumnElement[bool]]]:
    """The kinds of reminders, each with the condition under which it is due."""
    starts, ends, created = col(Occurrence.starts_at), col(Occurrence.ends_at), col(Registration.created_at)
    return [
        (
            notices.REGISTERED,
            (created > now - _JUST) & (starts > now) & (col(Registration.email_sealed) == ""),
        ),
        (notices.DAY_BEFORE, (starts > now + _SHORTLY + timedelta(hours=1)) & (starts <= now + _LATE)),
        (notices.TWO_HOURS, (starts > now) & (starts <= now + _SHORTLY)),
        (notices.THANKS, (ends <= now) & (ends > now - _AFTER) & _came()),
        (notices.REPLAY, (ends <= now) & (ends > now - _REPLAY) & (col(Occurrence.replay_url) != "")),
    ]


def _came() -> ColumnElement[bool]:
    """Somebody of the party came, or the occurrence was online, where nobody is let in."""
    person = select(RegisteredPerson.id).where(
        RegisteredPerson.registration_id == Registration.id, col(RegisteredPerson.arrived_at).is_not(None)
    )
    return person.exists() | (col(Occurrence.outlet_code) == "")
