"""Carries letters to staff and guests out by the mail server of the settings.

At least once: a worker that dies after handing a letter over sends it again under the same Message-ID. A letter
that is to arrive `once` (a report) is at most in doubt: what was in the hands of a worker that died, and what the
server did not answer for, is noted as uncertain and not sent again.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import partial

from core.database import Database
from core.i18n import gettext
from core.privacy import Vault
from core.settings import Settings
from institution import letters
from institution.letters import Claimed, Content
from scheduler.account_secrets import mail_server
from scheduler.channels.base import DeliveryError
from scheduler.channels.email import Email, SmtpLine

Hand = Callable[[Claimed], None]  # hands a letter over; DeliveryError


class Mailroom:
    """Takes letters up, hands them over, notes what became of them."""

    def __init__(
        self, settings: Settings, database: Database, vault: Vault, clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._database = database
        self._vault = vault
        self._clock = clock

    def run_once(self) -> int:
        """Send what is due; returns how many letters went out. Does nothing without a mail server."""
        if not letters.possible(self._settings):
            return 0
        with self._database.reading() as session:
            if not letters.waiting(session):
                return 0
        with self._database.transaction() as session:
            claimed = letters.claim(session, vault=self._vault, now=self._clock())
        return carry(self._database, claimed, self._line(), self._clock)

    @contextmanager
    def _line(self) -> Iterator[Hand]:
        with Email(self._clock, kept=0).connect(mail_server(self._settings)) as line:
            yield partial(self._hand_over, line)

    def _hand_over(self, line: SmtpLine, letter: Claimed) -> None:
        try:
            line.hand_over(letter.to, written(letter, self._settings.mail_from, self._clock()))
        except ValueError as error:
            raise DeliveryError("the letter cannot be written as mail", permanent=True) from error


def carry(
    database: Database,
    claimed: list[Claimed],
    line: AbstractContextManager[Hand],
    clock: Callable[[], datetime],
) -> int:
    """Hand letters over by one line for all of them and note what became of each; how many were accepted. A fault of
    the line puts off what is left."""
    done, broken = 0, None
    with ExitStack() as stack:
        if claimed:
            try:
                hand = stack.enter_context(line)
            except DeliveryError as refused:
                broken = refused
        for letter in claimed:
            error = broken or _handed(database, hand, letter, clock)
            settle(database, letter, error, clock())
            if error is not None and error.everyone:
                broken = error
            done += error is None
    return done


def _handed(
    database: Database, hand: Hand, letter: Claimed, clock: Callable[[], datetime]
) -> DeliveryError | None:
    if letter.once:
        with database.transaction() as session:
            letters.handing(session, letter.id, clock())
    try:
        hand(letter)
    except DeliveryError as error:
        return error
    return None


def settle(database: Database, letter: Claimed, error: DeliveryError | None, now: datetime) -> None:
    """Note what became of a letter that was handed over, or was not."""
    with database.transaction() as session:
        if error is None:
            letters.sent(session, letter.id, now)
        elif error.unknown and letter.once:
            letters.uncertain(session, letter.id, gettext(error.message), now)
        else:
            permanent = error.permanent and not error.everyone
            letters.failed(session, letter, gettext(error.message), permanent=permanent, now=now)


def written(letter: Claimed, sender: str, at: datetime) -> bytes:
    """The letter as mail: a Message-ID that stays the same, no automatic replies wanted; plain text, and where
    there is HTML that with its pictures beside it (RFC 2387) and the files attached."""
    mail, content = EmailMessage(policy=SMTP), letter.content
    mail["From"], mail["To"], mail["Subject"] = sender, letter.to, content.subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{letter.key}@{parseaddr(sender)[1].partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if content.unsubscribe:
        mail["List-Unsubscribe"] = f"<{content.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(content.text, cte="base64")
    if content.html:
        _add_html(mail, content)
    return mail.as_bytes()


def _add_html(mail: EmailMessage, content: Content) -> None:
    mail.add_alternative(content.html, subtype="html", cte="base64")
    page = mail.get_payload()[1]  # type: ignore[index]
    for one in content.files:
        main, _slash, sub = one.media_type.partition(";")[0].partition("/")
        if one.cid:
            page.add_related(  # type: ignore[union-attr]
                one.data, main, sub, cid=f"<{one.cid}>", filename=one.name, disposition="inline"
            )
        else:
            mail.add_attachment(one.data, main, sub, filename=one.name)
