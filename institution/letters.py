"""Letters to staff and guests: put into an encrypted outbox in the transaction that gives cause to write.

`scheduler.mailroom` carries them out. What a letter says (links, codes) is wiped once it was handed over.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, update
from sqlmodel import Session, col, select

from core.errors import Invalid
from core.i18n import mark
from core.privacy import Vault, normal_email
from core.settings import Settings
from institution.letter_models import Letter

LEASE = timedelta(minutes=2)
# A link in a letter is of little use after some days; a mail server that is down for longer is another matter.
GIVE_UP = timedelta(days=3)
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
EMAIL, SHORT = "email", "short"
QUEUED, SENT, FAILED, UNCERTAIN = "queued", "sent", "failed", "uncertain"
KINDS = {
    QUEUED: mark("待发"),
    SENT: mark("已发出"),
    FAILED: mark("没有发出"),
    UNCERTAIN: mark("不知是否发出"),
}
INTERRUPTED = mark("发送时系统中断，不知对方是否收到；为免重复，没有再发。")


@dataclass(frozen=True, slots=True)
class File:
    """A file in a letter: attached, or with a `cid` shown within its HTML (RFC 2392)."""

    name: str
    media_type: str
    data: bytes
    cid: str = ""


@dataclass(frozen=True, slots=True)
class Short:
    """A short message: the account that carries it, the template that its platform approved, and what fills it."""

    account: int
    template: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What a letter says: plain text always, HTML and files beside it; `unsubscribe` is an address for one click."""

    subject: str
    text: str
    html: str = ""
    files: tuple[File, ...] = field(default=())
    unsubscribe: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A letter taken up for sending, opened."""

    id: int
    key: str
    to: str
    content: Content
    attempts: int
    once: bool = False
    short: Short | None = None


def possible(settings: Settings) -> bool:
    """Whether a mail server is set; without one pages show the link or code to be handed over."""
    return bool(settings.smtp_host and settings.mail_from)


def post(session: Session, *, vault: Vault, to: str, subject: str, text: str, now: datetime) -> Letter:
    """Put a letter into the outbox; Invalid for an address or subject that cannot be written as mail."""
    return post_content(session, vault=vault, to=to, content=Content(subject, text), now=now)


def post_content(
    session: Session, *, vault: Vault, to: str, content: Content, now: datetime, once: bool = False
) -> Letter:
    """The same with HTML and files; `once`: rather not at all than twice."""
    address = normal_email(to)
    name, at, domain = address.partition("@")
    if not (name and at and domain) or "@" in domain or not address.isprintable() or " " in address:
        raise Invalid(mark("这个邮箱地址不对，请检查。"), field="email")
    if not content.subject.isprintable():
        raise Invalid(mark("邮件标题里不能有换行。"), field="subject")
    letter = Letter(
        to_index=vault.index("email", address),
        sealed=vault.encrypt(_packed(address, content)),
        created_at=now,
        due_at=now,
        once=once,
    )
    return _put(session, letter)


def post_short(session: Session, *, vault: Vault, phone: str, short: Short, now: datetime) -> Letter:
    """Put a short message to a telephone (normal form) into the outbox; it is rather not sent at all than twice."""
    packed = {"to": phone, "short": [short.account, short.template, short.parameters]}
    letter = Letter(
        channel=SHORT,
        to_index=vault.index("phone", phone),
        sealed=vault.encrypt(json.dumps(packed, ensure_ascii=False)),
        created_at=now,
        due_at=now,
        once=True,
    )
    return _put(session, letter)


def _put(session: Session, letter: Letter) -> Letter:
    session.add(letter)
    session.flush()
    return letter


def index_of(vault: Vault, sealed_text: str) -> str:
    """The blind index of whom an opened letter goes to."""
    packed = json.loads(sealed_text)
    return vault.index("phone" if "short" in packed else "email", packed["to"])


def _packed(to: str, content: Content) -> str:
    packed: dict[str, Any] = {"to": to, "subject": content.subject, "text": content.text}
    if content.html:
        packed |= {"html": content.html, "unsubscribe": content.unsubscribe}
        packed["files"] = [
            [one.name, one.media_type, base64.b64encode(one.data).decode(), one.cid] for one in content.files
        ]
    return json.dumps(packed, ensure_ascii=False)


def claim(
    session: Session, *, vault: Vault, now: datetime, most: int = 20, channel: str = EMAIL
) -> list[Claimed]:
    """Take up what is due: each letter by one worker, whose lease runs out should it die."""
    free = or_(col(Letter.claimed_until).is_(None), col(Letter.claimed_until) <= now)
    due = (col(Letter.status) == "queued", col(Letter.channel) == channel, col(Letter.due_at) <= now, free)
    taken: list[Claimed] = []
    for letter in session.exec(select(Letter).where(*due).order_by(col(Letter.id)).limit(most)):
        own = update(Letter).where(col(Letter.id) == letter.id, *due).values(claimed_until=now + LEASE)
        if session.connection().execute(own).rowcount != 1:
            continue
        if letter.once and letter.handing_at is not None:
            uncertain(session, letter.id or 0, INTERRUPTED, now)
            continue
        try:
            taken.append(_opened(letter, vault))
        except Invalid as error:  # the key is gone: this one can never be read, the others can
            _settle(session, letter.id or 0, status="failed", settled_at=now, fault=str(error)[:200])
    return taken


def _opened(letter: Letter, vault: Vault) -> Claimed:
    packed = json.loads(vault.decrypt(letter.sealed))
    if "short" in packed:
        account, template, parameters = packed["short"]
        short = Short(account, template, tuple((name, value) for name, value in parameters))
        return Claimed(
            letter.id or 0, letter.key, packed["to"], Content("", ""), letter.attempts, letter.once, short
        )
    files = tuple(
        File(name, media_type, base64.b64decode(data), cid)
        for name, media_type, data, cid in packed.get("files", ())
    )
    content = Content(
        packed["subject"], packed["text"], packed.get("html", ""), files, packed.get("unsubscribe", "")
    )
    return Claimed(letter.id or 0, letter.key, packed["to"], content, letter.attempts, letter.once)


def handing(session: Session, letter_id: int, now: datetime) -> None:
    """A letter that is to arrive once is about to be handed over."""
    session.execute(update(Letter).where(col(Letter.id) == letter_id).values(handing_at=now))


def uncertain(session: Session, letter_id: int, fault: str, now: datetime) -> None:
    """Nobody knows whether it arrived; it is not sent again, a person may have it made anew."""
    _settle(session, letter_id, status=UNCERTAIN, settled_at=now, sealed="", fault=fault[:200])


def sent(session: Session, letter_id: int, now: datetime) -> None:
    """A letter was handed over: its content is wiped."""
    _settle(session, letter_id, status="sent", settled_at=now, sealed="", fault="")


def failed(session: Session, letter: Claimed, fault: str, *, permanent: bool, now: datetime) -> None:
    """A letter was not handed over: later again, or never, when the server said so or it is too old."""
    created = session.exec(select(Letter.created_at).where(Letter.id == letter.id)).one()
    if permanent or now - created > GIVE_UP:
        _settle(session, letter.id, status="failed", settled_at=now, sealed="", fault=fault[:200])
        return
    wait = min(FIRST_WAIT * 2 ** min(letter.attempts, 10), LONGEST_WAIT)
    _settle(session, letter.id, due_at=now + wait, attempts=letter.attempts + 1, fault=fault[:200])


def _settle(session: Session, letter_id: int, **values: object) -> None:
    done = update(Letter).where(col(Letter.id) == letter_id)
    session.execute(done.values(claimed_until=None, handing_at=None, **values))


def waiting(session: Session, channel: str = EMAIL) -> int:
    """How many letters wait to be handed over."""
    query = select(func.count()).where(Letter.status == "queued", Letter.channel == channel)
    return session.exec(query).one()


def written_since(session: Session, indexes: Sequence[str], since: datetime) -> int:
    """How many letters an address (by its blind indexes) got, or is about to get, since a moment."""
    query = select(func.count()).where(col(Letter.to_index).in_(indexes), Letter.created_at >= since)
    return session.exec(query).one()


def held(session: Session, indexes: Sequence[str]) -> list[Letter]:
    """The letters to an address, by its blind indexes, for who asks what is held about them."""
    return list(
        session.exec(select(Letter).where(col(Letter.to_index).in_(indexes)).order_by(col(Letter.id)))
    )


def erase(session: Session, indexes: Sequence[str]) -> int:
    """Forget the letters to an address; returns how many."""
    return _deleted(session, col(Letter.to_index).in_(indexes))


def clear(session: Session, before: datetime) -> int:
    """Forget letters that were settled before a moment; what never went out ends there too."""
    return _deleted(session, col(Letter.created_at) < before)


def _deleted(session: Session, condition: object) -> int:
    return session.connection().execute(delete(Letter).where(condition)).rowcount  # type: ignore[arg-type]
