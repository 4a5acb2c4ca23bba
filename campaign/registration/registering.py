"""Register a party: name and telephone of one person, companions by name, children by number; all or none."""

import json
import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlmodel import Session, col, select

from campaign.events.models import OPEN, EventSeries, Occurrence
from campaign.registration import asking, consent, notices, seats
from campaign.registration.models import (
    CONFIRMED,
    ITSELF,
    LIVE,
    PENDING,
    WAITING,
    RegisteredPerson,
    Registration,
)
from core.errors import Conflict, Invalid
from core.i18n import mark
from core.privacy import Vault, normal_email, normal_phone

PHONE_KIND, EMAIL_KIND = "phone", "email"
_PHONE = re.compile(r"1[3-9]\d{9}|\+\d{6,15}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is mistaken for another when spoken or written
_CODE = 8
TWICE = mark("这个手机号已经报过这场活动。要改人数或取消，请用报名后的链接，或打网点电话。")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form says. `companions`: names of further people of 14 and over; `minors`: how many are younger.

    `chosen`: option by question, `answers`: text by question. `request_key`: the form's own, so that sending it
    twice registers once.
    """

    name: str
    phone: str
    request_key: str
    email: str = ""
    companions: tuple[str, ...] = ()
    minors: int = 0
    chosen: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    agreed: bool = False
    waits: bool = True
    language: str = "zh"
    channel: str = ""
    campaign: str = ""

    @property
    def size(self) -> int:
        """How many people, all counted."""
        return 1 + len(self.companions) + self.minors


def register(
    session: Session,
    vault: Vault,
    occurrence_id: int,
    wanted: Wanted,
    *,
    now: datetime,
    via: str = ITSELF,
    staff_id: int | None = None,
) -> Registration:
    """Give the party its seats, or a place in the queue; the same form again gives the same registration.

    Invalid names the field; Conflict: not open, full, or this number is registered already.
    """
    occurrence = seats.held(session, occurrence_id)
    known = session.exec(select(Registration).where(Registration.request_key == wanted.request_key)).first()
    if known is not None:
        return known
    wanted = checked(wanted, occurrence)
    series = session.get_one(EventSeries, occurrence.series_id)
    pairs = asking.checked(series.questions, wanted.chosen, wanted.answers)
    _check_open(occurrence, now, via)
    _check_alone(session, vault, occurrence_id, wanted.phone)
    made = _made(vault, occurrence, wanted, pairs, now)
    made.via, made.staff_id = via, staff_id
    made.state = _state(session, occurrence, made, wanted)
    session.add(made)
    session.flush()
    _add_people(session, vault, made, wanted)
    if made.state != PENDING:
        notices.note(
            session, made, notices.REGISTERED if made.state == CONFIRMED else notices.WAITLISTED, now
        )
    return made


def _state(session: Session, occurrence: Occurrence, made: Registration, wanted: Wanted) -> str:
    if occurrence.approval and made.via == ITSELF:
        return PENDING
    if seats.take(session, occurrence, made.size, made.pairs):
        return CONFIRMED
    if occurrence.waiting and wanted.waits:
        return WAITING
    raise Conflict(
        mark("只剩 %(free)s 个位置，不够 %(size)s 人。可以减少人数，或看看别的场次。"),
        field="size",
        free=max(occurrence.free, 0),
        size=made.size,
    )


def checked(wanted: Wanted, occurrence: Occurrence) -> Wanted:
    """The form with names, number and address in their normal form; Invalid names the field."""
    name = plain_name(wanted.name, "name")
    phone = normal_phone(wanted.phone)
    if not _PHONE.fullmatch(phone):
        raise Invalid(mark("请填写 11 位手机号；国外号码以 + 和国家代码开头。"), field="phone")
    email = normal_email(wanted.email)
    if email and (not _EMAIL.fullmatch(email) or len(email) > 200 or not email.isprintable()):
        raise Invalid(mark("这个邮箱地址不对，请检查，或者留空。"), field="email")
    if wanted.minors < 0 or wanted.size > occurrence.party_most:
        raise Invalid(
            mark("一次最多报 %(most)s 人（含您自己）。人更多请分开报名，或请网点帮忙。"),
            field="size",
            most=occurrence.party_most,
        )
    companions = tuple(
        plain_name(one, f"companion-{number}") for number, one in enumerate(wanted.companions, 1)
    )
    if not wanted.agreed:
        raise Invalid(mark("请先看一看怎样使用您的信息，同意后再报名。"), field="agreed")
    language = "en" if wanted.language == "en" else "zh"
    return replace(wanted, name=name, phone=phone, email=email, companions=companions, language=language)


def plain_name(text: str, where: str) -> str:
    """A person's name without odd spaces and control characters; Invalid when there is none or it is too long."""
    name = " ".join(unicodedata.normalize("NFKC", text).split())
    if not name or len(name) > 40 or not name.isprintable():
        raise Invalid(mark("请填写姓名，不超过 40 个字。"), field=where)
    return name


def _check_open(occurrence: Occurrence, now: datetime, via: str) -> None:
    if occurrence.state != OPEN:
        raise Conflict(mark("这场活动已经取消，请看看别的场次。"))
    if now >= (occurrence.closes_at if via == ITSELF else occurrence.ends_at):
        raise Conflict(mark("报名已经截止。想去的话请打网点电话问一问，或看看下一场。"))
    if via == ITSELF and now < occurrence.opens_at:
        raise Conflict(mark("报名还没有开始，请到开始的时间再来。"))


def _check_alone(session: Session, vault: Vault, occurrence_id: int, phone: str) -> None:
    """One place per phone: under every key of the ring; the unique index settles what races."""
    taken = select(Registration.id).where(
        Registration.occurrence_id == occurrence_id,
        col(Registration.phone_index).in_(vault.indexes(PHONE_KIND, phone)),
        col(Registration.state).in_(LIVE),
    )
    if session.exec(taken).first() is not None:
        raise Conflict(
            mark("这个手机号已经报过这场活动。要改人数或取消，请用报名后的链接，或打网点电话。"),
            field="phone",
        )


def _made(
    vault: Vault,
    occurrence: Occurrence,
    wanted: Wanted,
    pairs: list[tuple[str, str]],
    now: datetime,
) -> Registration:
    answers = {key: text.strip() for key, text in wanted.answers.items() if text.strip()}
    return Registration(
        code=new_code(),
        request_key=wanted.request_key,
        occurrence_id=occurrence.id or 0,
        state=PENDING,
        size=wanted.size,
        minors=wanted.minors,
        name_sealed=vault.encrypt(wanted.name),
        phone_sealed=vault.encrypt(wanted.phone),
        phone_index=vault.index(PHONE_KIND, wanted.phone),
        email_sealed=vault.encrypt(wanted.email) if wanted.email else "",
        email_index=vault.index(EMAIL_KIND, wanted.email) if wanted.email else None,
        answers_sealed=vault.encrypt(json.dumps(answers, ensure_ascii=False)) if answers else "",
        options=[list(pair) for pair in pairs],
        consent_version=consent.CURRENT,
        language=wanted.language,
        channel=wanted.channel,
        campaign_code=wanted.campaign,
        created_at=now,
        joined_at=now,
        changed_at=now,
    )


def new_code() -> str:
    """A code to be spoken at the door: 31^8 of them, and good only for one occurrence."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_CODE))


def _add_people(session: Session, vault: Vault, made: Registration, wanted: Wanted) -> None:
    names = [made.name_sealed, *(vault.encrypt(one) for one in wanted.companions)]
    add_people(session, made, names, wanted.minors, first=1)


def add_people(session: Session, made: Registration, names: list[str], minors: int, *, first: int) -> None:
    """Add people of a party: sealed names, then children, numbered from `first`."""
    for number, sealed in enumerate([*names, *[""] * minors], first):
        young = number - first >= len(names)
        session.add(
            RegisteredPerson(registration_id=made.id or 0, number=number, name_sealed=sealed, under_14=young)
        )
    session.flush()
