"""What a person agreed to, by channel and purpose; the words they agreed to; and their own hand on both.

Whoever holds the link in a letter decides for its address, and for the other channels of the same person where the
address leads to one person alone: a couple that shares a mailbox does not decide over each other's telephones.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from campaign import closed, former
from campaign.addresses import index_in, kind_of
from campaign.audience_models import ConsentText, ContactAddress, PurposeRefusal
from campaign.contacts import (
    EDUCATION,
    MARKETING,
    PURPOSE_NAMES,
    SERVICE,
    Consent,
    Contact,
    Refusal,
)
from campaign.lists import indexes_of
from core.errors import Conflict, Invalid
from core.i18n import gettext, mark, using_locale
from institution import audit

VIA = "preferences"
Wish = tuple[str, str]
audit.declare({"contact.choose": mark("本人修改接收偏好"), "consent.text": mark("新的同意文本")})
# The words that stand until the institution writes its own.
_FIRST = "2026-01"
_WORDS = {
    EDUCATION: mark("我同意通过此渠道接收金融知识、防骗提醒和教育活动的通知。"),
    SERVICE: mark("我同意通过此渠道接收与我的保险服务有关的通知。"),
    MARKETING: mark("我同意通过此渠道接收产品与活动的推广信息。"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """The text of a purpose that is in force, and its version."""

    version: str
    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One channel of a person: nothing more of it (`stopped`), or the purposes for which they take it."""

    channel: str
    stopped: bool
    wanted: frozenset[str]


def add_text(
    session: Session, purpose: str, version: str, text: str, text_en: str, *, valid_from: datetime
) -> ConsentText:
    """A new version of the words of a purpose, from a time on; an older one is never changed. Conflict, Invalid."""
    version, text = version.strip(), text.strip()
    if purpose not in PURPOSE_NAMES or not 1 <= len(version) <= 60 or not 5 <= len(text) <= 1000:
        raise Invalid(mark("请写明用途、版本和文本（5 到 1000 个字）。"), field="text")
    if session.get(ConsentText, version) is not None or version == _FIRST:
        raise Conflict(mark("已有版本“%(version)s”，请换一个版本号。"), field="version", version=version)
    row = ConsentText(
        version=version, purpose=purpose, text=text, text_en=text_en.strip()[:1800], valid_from=valid_from
    )
    session.add(row)
    session.flush()
    audit.record(session, "consent.text", "consent_text", version, after={"purpose": purpose, "text": text})
    return row


def words(session: Session, now: datetime, locale: str) -> dict[str, Words]:
    """The words in force, by purpose."""
    with using_locale(locale):
        found = {purpose: Words(f"{_FIRST}-{purpose}", gettext(text)) for purpose, text in _WORDS.items()}
    query = (
        select(ConsentText).where(col(ConsentText.valid_from) <= now).order_by(col(ConsentText.valid_from))
    )
    for row in session.exec(query):
        found[row.purpose] = Words(row.version, (row.text_en if locale == "en" else "") or row.text)
    return found


def choices(session: Session, channel: str, address_index: str) -> list[Choice]:
    """The channels that the holder of a link may decide over, with what stands now; empty for a stranger."""
    held = _reach(session, kind_of(channel), address_index)
    return [_choice(session, kind, index, people) for kind, (index, people) in held.items()]


def choose(
    session: Session, channel: str, address_index: str, wanted: Iterable[Wish], *, now: datetime
) -> int:
    """What the person wants from now on, of all that `choices` shows; how many wishes changed.

    What is not named is refused; what is named is agreed to anew, in the words in force. A channel that was stopped
    stays stopped: that is final (消费者权益保护管理办法 art. 41).
    """
    wishes, changed = set(wanted), list[str]()
    versions = words(session, now, "zh")
    for kind, (index, people) in _reach(session, kind_of(channel), address_index).items():
        before = _choice(session, kind, index, people)
        if before.stopped:
            continue
        for purpose in PURPOSE_NAMES:
            want = (kind, purpose) in wishes
            if want == (purpose in before.wanted):
                continue
            changed.append(f"{'+' if want else '-'}{kind}:{purpose}")
            if want:
                agree(
                    session, kind, index, purpose, people=people, version=versions[purpose].version, now=now
                )
            else:
                decline(session, kind, index, purpose, now=now)
    session.flush()
    if changed:
        shown = address_index[: closed.SHOWN_OF_INDEX]
        audit.record(session, "contact.choose", "refusal", shown, after={"changed": changed, "via": VIA})
    return len(changed)


def stop_everything(session: Session, channel: str, address_index: str, *, now: datetime) -> None:
    """Nothing more on any channel that the holder of the link may decide over."""
    closed.refuse(session, channel, address_index, via=VIA, now=now)
    for kind, (index, _people) in _reach(session, kind_of(channel), address_index).items():
        closed.refuse(session, kind, index, via=VIA, now=now)


def _reach(session: Session, kind: str, address_index: str) -> dict[str, tuple[str, list[int]]]:
    """By kind: the index and the contacts that have it. The link's own first, others where there is one alone."""
    people = _people(session, kind, former.family(session, address_index))
    held: dict[str, set[str]] = {}
    for row in people:
        for one, index in indexes_of(session, row).items():
            held.setdefault(one, set()).add(index)
    numbers = [row.id or 0 for row in people]
    own = held.pop(kind, set())
    found = {kind: (next(iter(own)), numbers)} if len(own) == 1 else {}
    return found | {one: (next(iter(all_)), numbers) for one, all_ in held.items() if len(all_) == 1}


def _people(session: Session, kind: str, indexes: list[str]) -> list[Contact]:
    column = index_in(Contact, kind)
    if column is not None:
        return list(session.exec(select(Contact).where(col(column).in_(indexes))))
    mine = (ContactAddress.channel == kind, col(ContactAddress.address_index).in_(indexes))
    query = select(Contact).join(ContactAddress, col(ContactAddress.contact_id) == Contact.id).where(*mine)
    return list(session.exec(query))


def _choice(session: Session, kind: str, index: str, people: list[int]) -> Choice:
    agreed = select(Consent.purpose).where(Consent.channel == kind, col(Consent.contact_id).in_(people))
    declined = select(PurposeRefusal.purpose).where(
        PurposeRefusal.channel == kind, PurposeRefusal.address_index == index
    )
    stopped = session.get(Refusal, (kind, index)) is not None
    given, not_for = set(session.exec(agreed).all()), set(session.exec(declined).all())
    return Choice(kind, stopped, frozenset(given - not_for))


def agree(
    session: Session,
    kind: str,
    index: str,
    purpose: str,
    *,
    people: list[int],
    version: str,
    now: datetime,
    source: str = VIA,
) -> None:
    """People of an address agree to a purpose anew, in the words of a version; that they declined it ends."""
    take_back(session, kind, index, purpose)
    session.add_all(
        Consent(
            contact_id=number, channel=kind, purpose=purpose, given_at=now, source=source, text_version=version,
            recorded_at=now,
        )
        for number in people
    )  # fmt: skip


def decline(session: Session, kind: str, index: str, purpose: str, *, now: datetime, via: str = VIA) -> bool:
    """An address wants nothing of a purpose, under each of its indexes; False when it had said so before."""
    former.hold(session, kind, index)
    known = former.family(session, index)
    rows = [one for one in known if session.get(PurposeRefusal, (kind, one, purpose)) is None]
    session.add_all(
        PurposeRefusal(channel=kind, address_index=one, purpose=purpose, refused_at=now, via=via)
        for one in rows
    )
    session.flush()
    return len(rows) == len(known)


def is_declined(session: Session, kind: str, index: str, purpose: str) -> bool:
    """Whether an address wants nothing of a purpose."""
    return session.get(PurposeRefusal, (kind, index, purpose)) is not None


def take_back(session: Session, kind: str, index: str, purpose: str) -> None:
    """The person wants a purpose again: that they declined it ends."""
    session.execute(
        delete(PurposeRefusal).where(
            col(PurposeRefusal.channel) == kind,
            col(PurposeRefusal.purpose) == purpose,
            col(PurposeRefusal.address_index).in_(former.family(session, index)),
        )
    )
