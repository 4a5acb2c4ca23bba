"""What comes back of letters: reports of delivery (RFC 3464), complaints (RFC 5965), and the same as JSON of mail
services; read from a mailbox by IMAP or taken from their calls.

Anybody can write such a report. So only one that names a letter of ours by its Message-ID, a number nobody guesses, and
its recipient is believed.
"""

import email.policy
import hmac
import imaplib
import json
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from email import message_from_bytes, message_from_string
from email.message import EmailMessage, Message
from email.utils import parseaddr
from typing import Any

from core.i18n import mark
from scheduler.channels.base import About, Account, Closed, DeliveryError, Receipt
from scheduler.channels.base_dkim import password

_OURS = re.compile(r"<?([0-9a-f]{32}@[\w.-]+)>?")
# for good, but not because nobody lives there: full, too large, no way there, refused for what it is (RFC 3463)
_NOT_THE_ADDRESS = ("5.2.2", "5.2.3", "5.3.", "5.4.", "5.6.", "5.7.")
_SNS = re.compile(r"https://sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?/\?[\w.:/%&=+-]{1,1900}", re.ASCII)
_SPAM = ("abuse", "fraud")
_COMPLAINTS = (*_SPAM, "opt-out", "opt-out-list")
_MOST, _LARGEST = 500, 262_144  # mails of a poll, bytes of each that are read


def read(raw: bytes) -> list[Receipt]:
    """What a mail reports of letters of ours; nothing where it is no report."""
    mail = message_from_bytes(raw, policy=email.policy.default)
    if not isinstance(mail, EmailMessage) or mail.get_content_type() != "multipart/report":
        return []
    try:
        parts = {part.get_content_type(): part for part in mail.iter_parts()}
        reference = _reference(parts)
        if not reference:
            return []
        if "message/feedback-report" in parts:
            return _complaint(parts["message/feedback-report"], reference, parts)
        if "message/delivery-status" in parts:
            return _delivery(parts["message/delivery-status"], reference)
    except (AttributeError, IndexError, KeyError, TypeError, UnicodeError, ValueError):
        return []  # what is written like this is written by nobody we know
    return []


def read_json(body: bytes) -> list[Receipt]:
    """What a mail service says in a call: Amazon SES (also within SNS), SendGrid, Mailgun. ValueError for no JSON."""
    found = json.loads(body)
    told: list[Receipt] = []
    for one in found if isinstance(found, list) else [found]:
        if not isinstance(one, dict):
            continue
        within = one.get("Message") if one.get("Type") == "Notification" else None
        said = json.loads(within) if isinstance(within, str) else one
        for form in (_ses, _sendgrid, _mailgun):
            try:
                told += form(said)
            except (AttributeError, KeyError, TypeError):
                continue  # another service's form
    return told


def confirmation(body: bytes) -> str:
    """The address at which Amazon SNS wants to be told that its topic may report here; "" for any other call, or for an
    address that is not Amazon's. A person opens it: this site fetches nothing that a call names."""
    found = json.loads(body)
    wanted = isinstance(found, dict) and found.get("Type") == "SubscriptionConfirmation"
    address = str(found.get("SubscribeURL", "")) if wanted else ""
    return address if _SNS.fullmatch(address) else ""


def receipts(
    account: Account,
    body: bytes,
    headers: Mapping[str, str],  # noqa: ARG001 (every channel's receipts are called so)
    query: Mapping[str, str],
) -> list[Receipt]:
    """A call of the mail service: its address carries the account's `report_token` as `token`, or it is not heard."""
    token = account.options.get("report_token", "")
    if not token or not hmac.compare_digest(token.encode(), query.get("token", "").encode()):
        raise DeliveryError(mark("退信回调的口令不对。"), permanent=True)
    try:
        return read_json(body)
    except ValueError as error:
        raise DeliveryError(mark("退信回调的内容读不懂。"), permanent=True) from error


def poll(
    account: Account,
    settle: Callable[[list[Receipt]], None],
    context: ssl.SSLContext | None = None,
    timeout: float = 20.0,
) -> int:
    """Read the unread mails of the mailbox that letters come back to, `settle` what each reports, mark it as read.

    A mail that was settled and not marked is read again: receipts may be settled twice. Returns how many mails were
    read. Options of the account: imap_host, imap_port, imap_user, imap_folder; the password is that of the account.
    """
    options = account.options
    if not options.get("imap_host"):
        return 0
    try:
        with imaplib.IMAP4_SSL(
            options["imap_host"],
            int(options.get("imap_port") or 993),
            ssl_context=context or ssl.create_default_context(),
            timeout=timeout,
        ) as box:
            box.login(options.get("imap_user") or account.login, password(account))
            box.select(options.get("imap_folder") or "INBOX")
            return sum(_settled(box, number, settle) for number in _unread(box))
    except (imaplib.IMAP4.error, OSError) as error:
        raise DeliveryError(mark("读不了退信邮箱，请管理员核对 IMAP 设置。"), everyone=True) from error


def _unread(box: imaplib.IMAP4) -> list[str]:
    _kind, found = box.uid("SEARCH", "UNSEEN")
    return [number.decode() for number in (found[0] or b"").split()][:_MOST]


def _settled(box: imaplib.IMAP4, number: str, settle: Callable[[list[Receipt]], None]) -> int:
    _kind, found = box.uid("FETCH", number, f"(BODY.PEEK[]<0.{_LARGEST}>)")
    for part in found:
        if isinstance(part, tuple):
            told = read(part[1])
            if told:
                settle(told)
    box.uid("STORE", number, "+FLAGS.SILENT", "(\\Seen)")
    return 1


def became(reference: str, address: str, status: str) -> Receipt | None:
    """What a status of RFC 3463 means: 2 arrived, 5 never will, 4 is no news."""
    if status.startswith("2."):
        return Receipt(reference, address)
    if not status.startswith("5."):
        return None
    closes = None if status.startswith(_NOT_THE_ADDRESS) else Closed.gone
    return Receipt(reference, address, DeliveryError(f"SMTP {status[:9]}", permanent=True, closes=closes))


def _complained(reference: str, address: str) -> Receipt:
    error = DeliveryError(mark("收件人把邮件当作垃圾邮件投诉。"), permanent=True, closes=Closed.complaint)
    return Receipt(reference, address, error, About.person)


def _withdrawn(reference: str, address: str) -> Receipt:
    error = DeliveryError(mark("收件人退订了邮件。"), permanent=True, closes=Closed.withdrawn)
    return Receipt(reference, address, error, About.person)


def _ours(text: Any) -> str:
    found = _OURS.fullmatch(str(text or "").strip().lower())
    return found[1] if found else ""


def _reference(parts: dict[str, Any]) -> str:
    """The Message-ID of the letter that is reported on: it is sent back whole, or its head."""
    if "message/rfc822" in parts:
        return _ours(parts["message/rfc822"].get_payload(0)["Message-ID"])
    if "text/rfc822-headers" in parts:
        return _ours(message_from_string(parts["text/rfc822-headers"].get_content())["Message-ID"])
    return ""


def _delivery(part: Any, reference: str) -> list[Receipt]:
    return [
        receipt
        for one in part.get_payload()[1:]
        if (address := _recipient(one, "Original-Recipient") or _recipient(one, "Final-Recipient"))
        and (receipt := became(reference, address, _status(one))) is not None
    ]


def _status(one: Message) -> str:
    """The status; a letter that was only passed on, or waits, is no news."""
    action = str(one.get("Action", "")).strip().lower()
    status = str(one.get("Status", "")).strip()
    fits = {"failed": "5.", "delivered": "2."}.get(action)
    return status if fits and status.startswith(fits) else ""


def _recipient(one: Message, name: str) -> str:
    """`rfc822; somebody@example.com`"""
    kind, _semicolon, address = str(one.get(name, "")).partition(";")
    return parseaddr(address)[1].lower() if kind.strip().lower() in ("rfc822", "utf-8") else ""


def _complaint(part: Any, reference: str, parts: dict[str, Any]) -> list[Receipt]:
    said = part.get_payload(0)
    kind = str(said["Feedback-Type"]).strip().lower()
    if kind not in _COMPLAINTS:
        return []
    address = parseaddr(str(said["Original-Rcpt-To"] or ""))[1].lower()
    said_no = _complained if kind in _SPAM else _withdrawn
    return [said_no(reference, address or _to(parts))]


def _to(parts: dict[str, Any]) -> str:
    """Whom the letter was for: complaints often leave it out."""
    whole = parts.get("message/rfc822")
    return parseaddr(str(whole.get_payload(0)["To"] or ""))[1].lower() if whole else ""


def _ses(one: dict[str, Any]) -> Iterator[Receipt]:
    kind, reference = one["notificationType"], _ours(one["mail"]["commonHeaders"]["messageId"])
    if not reference:
        return
    for hit in one["bounce"]["bouncedRecipients"] if kind == "Bounce" else ():
        if one["bounce"]["bounceType"] == "Permanent":
            receipt = became(reference, hit["emailAddress"].lower(), hit.get("status") or "5.0.0")
            yield from [receipt] if receipt else []
    for hit in one["complaint"]["complainedRecipients"] if kind == "Complaint" else ():
        yield _complained(reference, hit["emailAddress"].lower())
    for address in one["delivery"]["recipients"] if kind == "Delivery" else ():
        yield Receipt(reference, address.lower())


def _sendgrid(one: dict[str, Any]) -> Iterator[Receipt]:
    reference, address = _ours(one["smtp-id"]), one["email"].lower()
    if not reference:
        return
    if one["event"] == "spamreport":
        yield _complained(reference, address)
    if one["event"] in ("unsubscribe", "group_unsubscribe"):
        yield _withdrawn(reference, address)
    if one["event"] == "open":
        yield Receipt(reference, address, about=About.opened)
    status = {"bounce": one.get("status") or "5.0.0", "delivered": "2.0.0"}.get(one["event"], "")
    if one.get("type") == "blocked":  # the server refused the letter, not the address
        status = "5.7.1"
    receipt = became(reference, address, status)
    yield from [receipt] if receipt else []


def _mailgun(one: dict[str, Any]) -> Iterator[Receipt]:
    event = one["event-data"]
    reference, address = _ours(event["message"]["headers"]["message-id"]), event["recipient"].lower()
    if not reference:
        return
    if event["event"] == "complained":
        yield _complained(reference, address)
    if event["event"] == "unsubscribed":
        yield _withdrawn(reference, address)
    if event["event"] == "opened":
        yield Receipt(reference, address, about=About.opened)
    if event["event"] == "delivered":
        yield Receipt(reference, address)
    if event["event"] == "failed" and event.get("severity") == "permanent":
        status = event.get("delivery-status", {}).get("enhanced-code") or "5.0.0"
        receipt = became(reference, address, status)
        yield from [receipt] if receipt else []
