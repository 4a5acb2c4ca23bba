"""A mail server on loopback that shows letters in the inbox instead of delivering them.

Recipients whose name begins with `gone` do not exist, with `full` take nothing more, with `busy` nothing for now.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from scheduler.sandbox.core import Arrived, Sandbox

NAME = "email"
_REFUSED = {
    "gone": "550 5.1.1 no such person",
    "full": "552 5.2.2 mailbox full",
    "busy": "450 4.2.1 try again later",
}
_LINK = re.compile(r"https?://[^\s<>\"]+")


class Mail:
    """Takes letters for everybody. A letter to many without one-click unsubscribing breaks the rules of receivers."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @contextmanager
    def listening(self, port: int) -> Iterator[None]:
        """Answer on a port of loopback for the length of a block."""
        controller = Controller(self, hostname="127.0.0.1", port=port)
        controller.start()
        try:
            yield
        finally:
            controller.stop()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse for good or for now, or take."""
        refused = _REFUSED.get(address[:4].lower())
        if refused:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Show the letter to each recipient."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = message_from_bytes(content, policy=policy.default)
        if not isinstance(mail, EmailMessage) or not mail["Message-ID"]:
            self._sandbox.breach(NAME, "a letter without a Message-ID")
            return "550 5.6.0 no letter"
        if mail["List-Unsubscribe"] and mail["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click":
            self._sandbox.breach(NAME, "no one-click unsubscribing (RFC 8058)")
        text, html = _part(mail, "plain"), _part(mail, "html")
        link = _LINK.search(text)
        for to in envelope.rcpt_tos:
            key = str(mail["Message-ID"]).strip("<>")
            shown = link[0] if link else ""
            self._sandbox.accept(Arrived(NAME, to, str(mail["Subject"]), text, shown, html=html, key=key))
        return "250 2.0.0 taken"


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
