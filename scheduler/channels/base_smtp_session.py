"""One letter after the other handed to a mail server, over a line that is open.

Nothing is accepted before the content is sent, so only that step can leave a doubt. Where the server takes commands in
one go (RFC 2920, as nearly every server does) a letter takes two ways there and back instead of four.
"""

import re
import smtplib
from email.utils import parseaddr
from functools import lru_cache

from core.i18n import mark
from scheduler.channels.base import DeliveryError
from scheduler.channels.base_dkim import Signer

Reply = tuple[int, bytes]

UNWRITABLE = mark("这封邮件的地址或标题不能写成邮件。")
_PLAIN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_LAST = (421, 452)  # the server ends the session, or takes no more in it
_GO = 354


class Session:
    """What hands letters of one sender over; `broken`: the line can be used no more."""

    def __init__(self, server: smtplib.SMTP, sender: str, signer: Signer | None = None) -> None:
        self._server = server
        self._sender = sender
        self._signer = signer
        self.broken = False

    def hand_over(self, address: str, content: bytes) -> str:
        """Hand a written mail over; returns what the server called it."""
        if self.broken:
            raise DeliveryError(mark("与邮件服务器的连接已断开。"), everyone=True)
        if self._signer is not None:
            content = self._signer.signed(content)
        try:
            replies = self._begun(address)
        except (smtplib.SMTPException, OSError) as error:
            self.broken = True
            raise DeliveryError(said(error), everyone=True) from error
        for place, reply in enumerate(replies):
            self._expect(reply, (250, 251) if place < 2 else (_GO,), everyone=place == 0)
        try:
            self._server.send(_ended(content))
            code, answer = self._server.getreply()
            if code < 200:  # half an answer: it may have been a yes
                raise smtplib.SMTPServerDisconnected
        except (OSError, smtplib.SMTPException) as error:
            self.broken = True
            raise DeliveryError(
                mark("邮件服务器没有回答，不知道是否收到。"), unknown=True, everyone=True
            ) from error
        if code != 250:
            self.broken = code in _LAST
            raise refusal(smtplib.SMTPResponseException(code, answer), everyone=False)
        return answer.decode("utf-8", "replace")[:200]

    def _begun(self, address: str) -> list[Reply]:
        """What the server says to sender, recipient and DATA; it ends with the first that it refuses."""
        coding = " body=8bitmime" if self._server.has_extn("8bitmime") else ""
        commands = (f"MAIL FROM:{_path(bare(self._sender))}{coding}", f"RCPT TO:{_path(address)}", "DATA")
        if self._server.has_extn("pipelining"):
            return self._at_once(commands)
        replies = list[Reply]()
        for one in commands:
            replies.append(self._server.docmd(one))
            if replies[-1][0] not in (250, 251):
                break
        return replies

    def _at_once(self, commands: tuple[str, ...]) -> list[Reply]:
        self._server.send("".join(f"{one}\r\n" for one in commands))
        replies = list[Reply]()
        for _command in commands:
            replies.append(self._server.getreply())
            if replies[-1][0] == _LAST[0]:  # it hangs up
                return replies
        *before, (code, _text) = replies
        if code == _GO and any(one not in (250, 251) for one, _said in before):
            self._server.docmd(".")  # it waits for a letter to nobody (RFC 2920 section 3.1)
        return replies

    def _expect(self, reply: Reply, good: tuple[int, ...], *, everyone: bool) -> None:
        code, text = reply
        if code in good:
            return
        self._reset(code)
        raise refusal(smtplib.SMTPResponseException(code, text), everyone=everyone)

    def _reset(self, code: int) -> None:
        if code in _LAST:
            self.broken = True
            return
        try:
            self._server.rset()
        except (OSError, smtplib.SMTPException):
            self.broken = True


def refusal(error: Exception, *, everyone: bool) -> DeliveryError:
    """5xx is for good, 4xx for now (RFC 5321 §4.2.1); 421 closes the line, 452 limits this session."""
    code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0
    permanent = 500 <= code < 600 or isinstance(error, smtplib.SMTPNotSupportedError)
    return DeliveryError(said(error), permanent=permanent, everyone=everyone or code in _LAST)


def said(error: Exception) -> str:
    """What the server said, without addresses in it (they would be personal data in a reason)."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"SMTP {error.smtp_code}"
    return f"SMTP {type(error).__name__}"


@lru_cache(64)
def bare(sender: str) -> str:
    """The address alone of `Name <address>`."""
    return parseaddr(sender)[1]


def _path(address: str) -> str:
    """An address in the envelope: as it is, where nothing in it can end it; else as the library writes it, which takes
    it apart first and is a tenth of sending a letter."""
    if not address.isprintable():  # it could begin another command
        raise DeliveryError(UNWRITABLE, permanent=True)
    return f"<{address}>" if _PLAIN.fullmatch(address) else smtplib.quoteaddr(address)


def _ended(content: bytes) -> bytes:
    """A letter as it goes over the line: a full stop that begins a line is doubled, one alone ends it (RFC 5321 §4.5.2)."""
    stuffed = content.replace(b"\n.", b"\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")
