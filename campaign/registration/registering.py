"""Register a party: name and telephone of one person, companions by name, children by number; all or none."""

import json
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, insert, literal_column, select, union_all
from sqlmodel import Session

from campaign.events.models import OPEN
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
from campaign.registration.seats import Place
from core.database import Prepared
from core.errors import Conflict, Invalid
from core.i18n import mark
from core.privacy import Vault, is_email, is_phone, normal_email, normal_phone

PHONE_KIND, EMAIL_KIND = "phone", "email"
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is mistaken for another when spoken or written
_CODE = 8
_ROW = cast(Table, Registration.__table__)  # type: ignore[attr-defined]
_PERSON = cast(Table, RegisteredPerson.__table__)  # type: ignore[attr-defined]
_FIXED = {"offer_until": None, "reason": "", "counted": False, "counted_registered": 0, "counted_attended": 0}
_ADD = Prepared(
    insert(_ROW)
    .values({one.name: _FIXED.get(one.name, bindparam(one.name)) for one in _ROW.c if one.name != "id"})
    .returning(_ROW.c.id)
)
_ADD_PERSON = Prepared(
    insert(_PERSON).values(
        registration_id=bindparam("registration_id"), number=bindparam("number"), arrived_at=None, arrived_by="",
        name_sealed=bindparam("name_sealed"), under_14=bindparam("under_14"),
    )
)  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class Entry:
    """A form that was checked, with the row that is to be written: everything that needs no database."""

    wanted: Wanted
    row: Mapping[str, Any]
    companions: tuple[str, ...]

    @classmethod
    def of(cls, vault: Vault, wanted: Wanted, now: datetime) -> "Entry":
        """Check and seal a form, before anybody waits for it; Invalid names the field."""
        wanted = checked(wanted)
        return cls(wanted, _row(vault, wanted, now), tuple(map(vault.encrypt, wanted.companions)))


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
    entry = Entry.of(vault, wanted, now)
    number = enter(session, vault, occurrence_id, entry, now=now, via=via, staff_id=staff_id)
    return session.get_one(Registration, number)


def enter(
    session: Session,
    vault: Vault,
    occurrence_id: int,
    entry: Entry,
    *,
    now: datetime,
    via: str = ITSELF,
    staff_id: int | None = None,
) -> int:
    """The same, giving the number of the registration alone: what a thousand people do in one minute.

    Plain rows and statements prepared once: mapped objects would take three times as long.
    """
    session.flush()  # statements of the driver see only what was written
    wanted, link = entry.wanted, session.connection()
    occurrence = seats.place(link, occurrence_id)
    known = _known(link, vault, occurrence_id, wanted)
    if known:
        return known
    pairs = asking.checked(occurrence.questions, wanted.chosen, wanted.answers)
    _check_open(occurrence, now, via)
    _check_size(wanted, occurrence.party_most)
    options = [list(pair) for pair in pairs]
    row = {**entry.row, "occurrence_id": occurrence_id, "via": via, "staff_id": staff_id, "options": options}
    row["state"] = state = _state(session, occurrence, wanted, pairs, via)
    ((number,),) = _ADD.on(link, row)
    names = [row["name_sealed"], *entry.companions]
    add_people(link, number, names, wanted.minors, first=1)
    if state != PENDING and wanted.email:
        kind = notices.REGISTERED if state == CONFIRMED else notices.WAITLISTED
        notices.note(session, session.get_one(Registration, number), kind, now)
    return int(number)


def _known(link: Connection, vault: Vault, occurrence_id: int, wanted: Wanted) -> int:
    """The registration of this very form, 0 for none; Conflict when the telephone number has another one.

    The number is looked for under every key of the ring; the unique index settles what races.
    """
    phones = vault.indexes(PHONE_KIND, wanted.phone)
    values = {f"phone_{place}": index for place, index in enumerate(phones)}
    asked = {"key": wanted.request_key, "which": occurrence_id, **values}
    found = dict(_known_by(len(phones)).on(link, asked))
    if wanted.request_key in found:
        return int(found[wanted.request_key])
    if found:
        raise Conflict(TWICE, field="phone")
    return 0


@lru_cache
def _known_by(phones: int) -> Prepared:
    """The statement that asks for a form's key and for so many indexes of a number at once."""
    key = select(_ROW.c.request_key, _ROW.c.id).where(_ROW.c.request_key == bindparam("key"))
    phone = select(_ROW.c.request_key, _ROW.c.id).where(
        _ROW.c.occurrence_id == bindparam("which"),
        _ROW.c.phone_index.in_([bindparam(f"phone_{place}") for place in range(phones)]),
        _ROW.c.state.in_([literal_column(f"'{state}'") for state in LIVE]),
    )
    return Prepared(union_all(key, phone))


def _state(
    session: Session, occurrence: Place, wanted: Wanted, pairs: list[tuple[str, str]], via: str
) -> str:
    if occurrence.approval and via == ITSELF:
        return PENDING
    if seats.take(session, occurrence, wanted.size, pairs):
        return CONFIRMED
    if occurrence.waiting and wanted.waits:
        return WAITING
    raise Conflict(
        mark("只剩 %(free)s 个位置，不够 %(size)s 人。可以减少人数，或看看别的场次。"),
        field="size",
        free=max(occurrence.free, 0),
        size=wanted.size,
    )


def checked(wanted: Wanted) -> Wanted:
    """The form with names, number and address in their normal form; Invalid names the field."""
    name = plain_name(wanted.name, "name")
    phone = normal_phone(wanted.phone)
    if not is_phone(phone):
        raise Invalid(mark("请填写 11 位手机号；国外号码以 + 和国家代码开头。"), field="phone")
    email = normal_email(wanted.email)
    if email and (not is_email(email) or len(email) > 200 or not email.isprintable()):
        raise Invalid(mark("这个邮箱地址不对，请检查，或者留空。"), field="email")
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


def _check_open(occurrence: Place, now: datetime, via: str) -> None:
    if occurrence.state != OPEN:
        raise Conflict(mark("这场活动已经取消，请看看别的场次。"))
    if now >= (occurrence.closes_at if via == ITSELF else occurrence.ends_at):
        raise Conflict(mark("报名已经截止。想去的话请打网点电话问一问，或看看下一场。"))
    if via == ITSELF and now < occurrence.opens_at:
        raise Conflict(mark("报名还没有开始，请到开始的时间再来。"))


def _check_size(wanted: Wanted, party_most: int) -> None:
    if wanted.minors < 0 or wanted.size > party_most:
        raise Invalid(
            mark("一次最多报 %(most)s 人（含您自己）。人更多请分开报名，或请网点帮忙。"),
            field="size",
            most=party_most,
        )


def _row(vault: Vault, wanted: Wanted, now: datetime) -> dict[str, Any]:
    answers = {key: text.strip() for key, text in wanted.answers.items() if text.strip()}
    return {
        "code": new_code(),
        "request_key": wanted.request_key,
        "size": wanted.size,
        "minors": wanted.minors,
        "name_sealed": vault.encrypt(wanted.name),
        "phone_sealed": vault.encrypt(wanted.phone),
        "phone_index": vault.index(PHONE_KIND, wanted.phone),
        "email_sealed": vault.encrypt(wanted.email) if wanted.email else "",
        "email_index": vault.index(EMAIL_KIND, wanted.email) if wanted.email else None,
        "answers_sealed": vault.encrypt(json.dumps(answers, ensure_ascii=False)) if answers else "",
        "consent_version": consent.CURRENT,
        "language": wanted.language,
        "channel": wanted.channel,
        "campaign_code": wanted.campaign,
        "created_at": now,
        "joined_at": now,
        "changed_at": now,
    }


def new_code() -> str:
    """A code to be spoken at the door: 31^8 of them, and good only for one occurrence."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_CODE))


def add_people(link: Connection, registration_id: int, names: list[str], minors: int, *, first: int) -> None:
    """Add people of a party: sealed names, then children, numbered from `first`."""
    people = [(name, False) for name in names] + [("", True)] * minors
    rows = [
        {"registration_id": registration_id, "number": number, "name_sealed": name, "under_14": young}
        for number, (name, young) in enumerate(people, first)
    ]
    if rows:
        _ADD_PERSON.on(link, *rows)
