"""E-mail by SMTP: lines kept between batches, multipart text and HTML, one-click unsubscribe (RFC 8058), DKIM."""

import base64
import smtplib
import ssl
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from email.charset import Charset
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache

from core.i18n import mark
from scheduler import bounces
from scheduler.channels.base import Account, DeliveryError, Field, Message, Rate
from scheduler.channels.base_dkim import Signer, password
from scheduler.channels.base_smtp import IDLE, KEPT, Lines, let_go, timed_below
from scheduler.channels.base_smtp_session import UNWRITABLE, Session, bare, refusal, said

NAME = "email"
LABEL = mark("电子邮件")
ADDRESS = ""
FORM: tuple[Field, ...] = (
    Field("address", mark("邮件服务器"), mark("主机名，例如 smtp.example.com")),
    Field("port", mark("端口"), value="587"),
    Field("tls", mark("加密"), value="starttls"),
    Field("sender", mark("发件人"), mark("例如 消保部 <edu@example.com>")),
    Field("login", mark("用户名"), required=False),
    Field("secret", mark("密码"), secret=True, required=False),
    Field("dkim_domain", mark("DKIM 域名"), mark("签名的域名，要与发件地址的域名一致"), required=False),
    Field(
        "dkim_selector",
        mark("DKIM 选择器"),
        mark("公钥在“选择器._domainkey.域名”的 TXT 记录里"),
        required=False,
    ),
    Field(
        "imap_host",
        mark("退信邮箱的 IMAP 服务器"),
        mark("发件地址的邮箱；退信和投诉从这里读"),
        required=False,
    ),
    Field("imap_user", mark("退信邮箱的用户名"), mark("空着就用发信的用户名"), required=False),
    Field(
        "report_token",
        mark("退信回调的口令"),
        mark("邮件服务商回调地址里的 token，自己定一串长的"),
        secret=True,
        required=False,
    ),
    Field("dkim_key", mark("DKIM 私钥"), mark("RSA，PEM 格式，2048 位"), secret=True, required=False),
)
poll, receipts, confirmation, RECEIVED = bounces.poll, bounces.receipts, bounces.confirmation, b"{}"
WHERE = mark(
    "邮件服务商（SES、SendGrid、Mailgun）的事件通知里填入（SES 经 SNS 主题，选 HTTPS）；自建邮件服务器不用填，退信从退信邮箱读。"
)
_TIMEOUT = 20.0
_UTF8 = Charset("utf-8")


class Email:
    """A mail server. It recognises no keys: what is in doubt stays in doubt.

    `kept` lines of an account wait `idle` seconds for the next batch; whoever lets the channel go closes them.
    """

    name = NAME
    batch_size = 1000
    group = (
        100  # in doubt at most when a worker dies: each group costs a transaction, and waits for its slowest
    )
    in_flight = 4  # of each of two workers: as many as lines are kept
    idempotent = False
    call_size = 1
    rates: tuple[Rate, ...] = ()

    def __init__(
        self,
        clock: Callable[[], datetime],
        timeout: float = _TIMEOUT,
        *,
        kept: int = KEPT,
        idle: float = IDLE,
    ) -> None:
        self._clock = clock
        self._timeout = timeout
        self._lines = Lines(kept, idle)
        self.close = weakref.finalize(self, self._lines.close)

    @contextmanager
    def connect(self, account: Account) -> Iterator["SmtpLine"]:
        """An SMTP session for a batch; DeliveryError when the server cannot be reached or refuses us."""
        if not account.address or not account.sender:
            raise DeliveryError(
                mark("还没有设置邮件服务器（SIGNPOST_SMTP_HOST、SIGNPOST_MAIL_FROM）。"),
                permanent=True,
                everyone=True,
            )
        signer = Signer.of(account)
        server = self._lines.take(account) or self._open(account)
        line = SmtpLine(server, account.sender, self._clock, signer)
        try:
            yield line
        except BaseException:
            let_go(server)  # nobody knows where it was left
            raise
        if line.broken:
            let_go(server)
        else:
            self._lines.give(account, server)

    def _open(self, account: Account) -> smtplib.SMTP:
        context = ssl.create_default_context()
        try:
            if account.tls == "tls":
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    account.address, account.port, timeout=self._timeout, context=context
                )
            else:
                server = smtplib.SMTP(account.address, account.port, timeout=self._timeout)
                if account.tls != "starttls":
                    timed_below(server, self._timeout)
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(said(error), everyone=True) from error
        try:
            if account.tls == "starttls":
                server.starttls(context=context)
            if account.login:
                server.login(account.login, password(account))
            else:
                server.ehlo_or_helo_if_needed()
        except (OSError, smtplib.SMTPException) as error:
            server.close()
            raise refusal(error, everyone=True) from error
        return server


class SmtpLine(Session):
    """An SMTP session for the letters of a batch."""

    def __init__(
        self,
        server: smtplib.SMTP,
        sender: str,
        clock: Callable[[], datetime],
        signer: Signer | None = None,
    ) -> None:
        super().__init__(server, sender, signer)
        self._clock = clock

    def send(self, message: Message) -> str:
        """Hand one mail over; its Message-ID, by which reports that come later call it."""
        try:
            content = compose(message, self._sender, self._clock(), seven_bit=self._signer is not None)
        except ValueError as error:
            raise DeliveryError(UNWRITABLE, permanent=True) from error
        self.hand_over(message.address, content)
        return message_id(message.key, self._sender)


def message_id(key: str, sender: str) -> str:
    """What a letter is called, in its own head and in reports about it."""
    return f"{key}@{bare(sender).partition('@')[2]}"


def compose(message: Message, sender: str, at: datetime, *, seven_bit: bool = False) -> bytes:
    """The mail: stable Message-ID per delivery, text and HTML, headers for one-click unsubscribing.

    Written out here because the library's own writer takes longer than all the rest of sending. ValueError
    for a header that cannot be written. `seven_bit`: a letter that is signed must not be recoded on its way.
    """
    boundary = f"=_{message.key}"
    headers = {
        "From": _sender(sender),
        "To": _mailbox(message.name, message.address),
        "Subject": _subject(message.subject),
        "Date": _date(at.replace(microsecond=0)),
        "Message-ID": f"<{message_id(message.key, sender)}>",
        "List-Unsubscribe": f"<{_one_line(message.unsubscribe)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "zh-CN" if message.locale == "zh" else message.locale,
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }
    top = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")
    parts = (("plain", message.text), ("html", message.html))
    body = b"".join(f"--{boundary}\r\n".encode() + _part(kind, text, seven_bit) for kind, text in parts)
    return top + b"\r\n" + body + f"--{boundary}--\r\n".encode()


def _part(kind: str, text: str, seven_bit: bool) -> bytes:
    """Text as it is (8bit), or base64 when a line is longer than mail allows (RFC 5322 §2.1.1: 998)."""
    lines = text.encode().splitlines()
    plain = not seven_bit and all(len(line) <= 990 for line in lines)
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: '
    if not plain:
        lines = base64.encodebytes(b"\r\n".join(lines)).splitlines()
    coding = "8bit" if plain else "base64"
    return f"{head}{coding}\r\n\r\n".encode() + b"\r\n".join(lines) + b"\r\n"


@lru_cache(4)
def _date(second: datetime) -> str:
    return format_datetime(second)


def _mailbox(name: str, address: str) -> str:
    if not name and address.isascii():
        return _one_line(address)
    return formataddr((_one_line(name), _one_line(address)), _UTF8)


@lru_cache(64)
def _sender(sender: str) -> str:
    return _mailbox(*parseaddr(sender))


@lru_cache(64)
def _subject(text: str) -> str:
    """The same for all letters of a push, and the slowest part of writing one."""
    return Header(_one_line(text), "utf-8", header_name="Subject").encode(linesep="\r\n")


def _one_line(text: str) -> str:
    """The text, if it cannot begin another header."""
    if not text.isprintable():
        raise ValueError("a header with a line break or a control character")
    return text
