"""Sends reports that are due: claimed, computed for each reader's own part, put into the outbox once.

Nothing is open while a report is computed. The row that says it was sent and its letter are written in one
transaction, under the claim: a process that dies leaves both or neither, and who lost the claim writes nothing.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlmodel import Session

from core.database import Database
from core.errors import DomainError, Invalid
from core.i18n import gettext as _
from core.i18n import mark, using_locale
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution import letters
from institution.letters import Content
from institution.models import Staff
from tracking import mailing, report_deliveries, report_readers, report_rhythm, subscriptions
from tracking.mailing import Mailer, Told
from tracking.report_deliveries import Waiting
from tracking.report_readers import LeaveLinks, Share
from tracking.report_rhythm import Clock, Due, Ended
from tracking.store import ReachStore
from tracking.subscription_models import ReportDelivery, ReportSubscription

log = structlog.get_logger()
EVERY_SECONDS = 60.0
NO_SERVER = mark("还没有设置邮件服务器（SIGNPOST_SMTP_HOST、SIGNPOST_MAIL_FROM）。")
Campaigns = Callable[[Session], Sequence[Ended]]
_Known = dict[tuple[int, str, tuple[str, ...]], Told]


@dataclass(frozen=True, slots=True)
class Planned:
    """What a run would do: which report, of which days, to whom, which parts of the tree or why not."""

    name: str
    days: str
    login: str
    parts: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Reports:
    """Makes and posts reports; `store` opens the reach store when there is something to compute."""

    settings: Settings
    database: Database
    vault: Vault
    keys: Keys
    store: Callable[[], ReachStore]
    now: Callable[[], datetime]
    campaigns: Campaigns

    @property
    def clock(self) -> Clock:
        """The institution's clock."""
        return Clock(self.settings.zone, self.settings.holidays)

    def run_once(self) -> int:
        """Post what is due; returns how many letters. Without a mail server everything waits."""
        with self.database.transaction() as session:
            report_deliveries.follow(session)
        if not letters.possible(self.settings):
            return 0
        known: _Known = {}
        return sum(self._post(one, known) for one in self._waiting())

    def plan(self) -> list[Planned]:
        """What would be sent now; changes nothing."""
        found = []
        for wanted in self._waiting():
            with self.database.reading() as session:
                one, person, share = self._look(session, wanted)
            period = wanted.due.period
            days = f"{period.first}/{period.last}"
            found.append(Planned(one.name, days, person.login if person else "", share.parts, share.why))
        return found

    def _waiting(self) -> list[Waiting]:
        with self.database.reading() as session:
            return report_deliveries.waiting(session, self.clock, self.now(), self.campaigns(session))

    def _post(self, wanted: Waiting, known: _Known) -> int:
        with self.database.transaction() as session:
            held = report_deliveries.claim(session, wanted, self.now())
        if held is None:
            return 0
        try:
            return self._make(wanted, held, known)
        except Exception as error:
            log.exception(
                "a report could not be made; it is tried again", subscription=wanted.subscription_id
            )
            said = str(error) if isinstance(error, DomainError) else type(error).__name__
            with self.database.transaction() as session:
                report_deliveries.put_off(session, *held, said, self.now())
            return 0

    def _make(self, wanted: Waiting, held: tuple[int, str], known: _Known) -> int:
        with self.database.reading() as session:
            one, person, share = self._look(session, wanted)
            content = self._content(session, wanted, one, share, known)
        with self.database.transaction() as session:
            return self._settle(session, held, person, share, content)

    def _settle(
        self,
        session: Session,
        held: tuple[int, str],
        person: Staff | None,
        share: Share,
        content: Content | None,
    ) -> int:
        """Say what became of it and put its letter into the outbox, or neither."""
        values: dict[str, object] = {"state": report_deliveries.POSTED, "reason": ""}
        if not share.parts:
            values = {"state": report_deliveries.WITHHELD, "reason": share.why, "settled_at": self.now()}
        elif content is not None and person is not None:
            try:
                values["letter_id"] = self._letter(session, person, content)
            except Invalid as error:  # an address that cannot be written to stays one
                reason = str(error)[:300]
                values = {"state": report_deliveries.FAILED, "reason": reason, "settled_at": self.now()}
        parts = " ".join(part or "*" for part in share.parts)[:500]
        if not report_deliveries.settle(session, *held, {**values, "parts": parts}):
            session.rollback()  # somebody else has it: the letter goes with them
            return 0
        if not share.parts and content is not None and person is not None:
            self._letter(session, person, content)
        return int(values["state"] == report_deliveries.POSTED)

    def _letter(self, session: Session, person: Staff, content: Content) -> int:
        to = self.vault.decrypt(person.email or "")
        letter = letters.post_content(
            session, vault=self.vault, to=to, content=content, now=self.now(), once=True
        )
        return letter.id or 0

    def _look(self, session: Session, wanted: Waiting) -> tuple[ReportSubscription, Staff | None, Share]:
        """Subscription, person and their share as they are now."""
        one = subscriptions.get(session, wanted.subscription_id)
        person = session.get(Staff, wanted.staff_id)
        on = subscriptions.gets(session, wanted.subscription_id, wanted.staff_id)
        if on is None or one.state != subscriptions.ACTIVE:
            return one, person, Share(why=report_readers.LEFT)
        return one, person, report_readers.share(session, person, one.outlet_code)

    def _content(
        self, session: Session, wanted: Waiting, one: ReportSubscription, share: Share, known: _Known
    ) -> Content | None:
        mailer, link = Mailer(self.settings), self._link(one, wanted.staff_id)
        if not share.parts:
            # said once, not every week
            if not share.reachable or report_deliveries.last_reason(session, wanted) == share.why:
                return None
            return mailer.refusal(one, wanted.due, share.why, unsubscribe=link)
        told = self._told(session, one, wanted.due, share.parts, known)
        return mailer.letter(one, wanted.due, told, unsubscribe=link, late=wanted.late, missed=wanted.missed)

    def _told(
        self, session: Session, one: ReportSubscription, due: Due, parts: tuple[str, ...], known: _Known
    ) -> Told:
        place = (one.id or 0, due.key, parts)
        if place not in known:
            known.clear()  # readers of one report follow each other; what is kept is bounded
            known[place] = mailing.tell(
                self.store(), session, one, due, parts=parts, public_url=self.settings.public_url
            )
        return known[place]

    def _link(self, one: ReportSubscription, staff_id: int) -> str:
        return self.settings.public_url.rstrip("/") + LeaveLinks(self.keys).path(one.id or 0, staff_id)

    # for the desk

    def preview(self, session: Session, one: ReportSubscription, person: Staff) -> Content:
        """The letter as this person would get it if it were due now; Invalid with the reason where they would not."""
        share = report_readers.share(session, person, one.outlet_code, addressed=True)
        if not share.parts:
            raise Invalid(share.why)
        parts = share.parts
        due = self.example(session, one)
        told = self._told(session, one, due, parts, {})
        return Mailer(self.settings).letter(one, due, told, unsubscribe=self._link(one, person.id or 0))

    def example(self, session: Session, one: ReportSubscription) -> Due:
        """The newest report that could be due; Invalid where no campaign has ended yet."""
        now = self.now()
        ended = report_deliveries.concerning(session, one, self.campaigns(session))
        if one.rhythm != report_rhythm.AFTER_CAMPAIGN:
            day = now.astimezone(self.settings.zone).date()
            return Due(now, report_rhythm.period_of(one.span, day))
        today = now.astimezone(self.settings.zone).date()
        over = [each for each in ended if each.period.last < today]
        if not over:
            raise Invalid(mark("还没有结束的活动期，等第一个活动期结束后再看。"), field="rhythm")
        last = max(over, key=lambda each: each.period.last)
        return Due(now, last.period, last.code)

    def test(self, one: ReportSubscription, person: Staff) -> None:
        """Send the preview to the person who asks, and note it; Invalid without address, power or mail server."""
        if not letters.possible(self.settings):
            raise Invalid(NO_SERVER)
        if not person.email:
            raise Invalid(report_readers.NO_ADDRESS)
        with self.database.reading() as session:
            content = self.preview(session, one, person)
            due = self.example(session, one)
            parts = report_readers.share(session, person, one.outlet_code).parts
        with using_locale(one.locale):
            subject = _("（试发）%(subject)s", subject=content.subject)
        with self.database.transaction() as session:
            plain = Content(subject, content.text, content.html, content.files)
            number = self._letter(session, person, plain)
            session.add(
                ReportDelivery(
                    subscription_id=one.id or 0, staff_id=person.id or 0, due_at=self.now(), made_at=self.now(),
                    period_key=report_deliveries.TEST + secrets.token_hex(8), first=due.period.first,
                    last=due.period.last, campaign=due.campaign, state=report_deliveries.POSTED,
                    parts=" ".join(part or "*" for part in parts), letter_id=number,
                )
            )  # fmt: skip
