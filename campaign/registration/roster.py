"""Who is registered for an occurrence, as staff see it: masked, or plain for who may and with a record of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from campaign.events.models import EventSeries, Occurrence
from campaign.registration.models import (
    LIVE,
    STATE_NAMES,
    VIA_NAMES,
    WAITING,
    Notice,
    RegisteredPerson,
    Registration,
)
from campaign.registration.notices import BY_HAND, KIND_NAMES
from core.i18n import gettext, mark
from core.privacy import Vault, mask_email, mask_name, mask_phone
from institution import audit

audit.declare(
    {
        "registration.export": mark("导出报名名单"),
        "registration.read": mark("查看报名联系方式"),
        "registration.told": mark("电话通知"),
        "registration.add": mark("网点代报"),
    }
)


@dataclass(frozen=True, slots=True)
class Party:
    """One registration with its people. Masked, `phone` shows the last digits and `answers` are left out."""

    id: int
    code: str
    state: str
    size: int
    minors: int
    name: str
    phone: str
    email: str
    companions: tuple[str, ...]
    options: str
    answers: str
    via: str
    joined_at: datetime
    offer_until: datetime | None
    reason: str
    position: int
    arrived: int

    @property
    def is_live(self) -> bool:
        """Whether it is a place, a claim to one, or a place in the queue."""
        return self.state in LIVE

    @property
    def state_name(self) -> str:
        """Its state in words."""
        return gettext(STATE_NAMES[self.state])

    @property
    def via_name(self) -> str:
        """By which way it came, in words."""
        return gettext(VIA_NAMES[self.via])


@dataclass(frozen=True, slots=True)
class ToTell:
    """Somebody who has to be told by telephone: what, since when."""

    id: int
    registration_id: int
    kind: str
    name: str
    phone: str
    text: str
    since: datetime


def parties(session: Session, vault: Vault, occurrence: Occurrence, *, plain: bool = False) -> list[Party]:
    """Everybody, first come first."""
    rows = list(
        session.exec(
            select(Registration)
            .where(Registration.occurrence_id == occurrence.id)
            .order_by(col(Registration.joined_at), col(Registration.id))
        )
    )
    people = _people(session, occurrence.id or 0)
    words = _option_words(session.get_one(EventSeries, occurrence.series_id))
    queue = [one.id for one in rows if one.state == WAITING]
    return [_party(vault, one, people.get(one.id or 0, ()), words, queue=queue, plain=plain) for one in rows]


def party(session: Session, vault: Vault, number: int, *, plain: bool = False) -> Party:
    """One registration as the list shows it."""
    one = session.get_one(Registration, number)
    occurrence = session.get_one(Occurrence, one.occurrence_id)
    return next(each for each in parties(session, vault, occurrence, plain=plain) if each.id == number)


def to_tell(session: Session, vault: Vault, occurrence_id: int, *, plain: bool = False) -> list[ToTell]:
    """Who has to be called, who waits longest first."""
    query = (
        select(Notice, Registration)
        .join(Registration, col(Registration.id) == col(Notice.registration_id))
        .where(Registration.occurrence_id == occurrence_id, Notice.state == BY_HAND)
        .order_by(col(Notice.created_at), col(Notice.id))
    )
    found = []
    for notice, one in session.exec(query):
        name, phone, _email = _contact(vault, one, plain=plain)
        text = vault.decrypt(notice.text_sealed) if notice.text_sealed else ""
        kind = KIND_NAMES.get(notice.kind, notice.kind)
        found.append(ToTell(notice.id or 0, one.id or 0, kind, name, phone, text, notice.created_at))
    return found


def told(session: Session, occurrence_id: int, numbers: Iterable[int], *, by: int, now: datetime) -> int:
    """Note that people were called; returns how many. What was settled before stays as it was."""
    query = (
        select(Notice)
        .join(Registration, col(Registration.id) == col(Notice.registration_id))
        .where(
            Registration.occurrence_id == occurrence_id, Notice.state == BY_HAND, col(Notice.id).in_(list(numbers))
        )
        .with_for_update(of=Notice)
    )  # fmt: skip
    rows = list(session.exec(query))
    for one in rows:
        one.state, one.channel, one.settled_at, one.settled_by = "sent", "phone", now, by
        session.add(one)
    session.flush()
    return len(rows)


def record(
    session: Session, action: str, occurrence: Occurrence, place: str, count: int, *, plain: bool
) -> None:
    """Leave a trace of who read or took away what people gave."""
    audit.record(
        session,
        action,
        "occurrence",
        occurrence.id,
        after={"count": count, "plain": plain},
        outlet_code=place,
    )


def registered(session: Session, one: Registration, place: str) -> None:
    """Leave a trace of a registration that staff made for somebody."""
    audit.record(
        session, "registration.add", "registration", one.id, after={"state": one.state, "size": one.size},
        outlet_code=place,
    )  # fmt: skip


def _people(session: Session, occurrence_id: int) -> Mapping[int, Sequence[RegisteredPerson]]:
    query = (
        select(RegisteredPerson)
        .join(Registration, col(Registration.id) == col(RegisteredPerson.registration_id))
        .where(Registration.occurrence_id == occurrence_id)
        .order_by(col(RegisteredPerson.number))
    )
    found: dict[int, list[RegisteredPerson]] = {}
    for one in session.exec(query):
        found.setdefault(one.registration_id, []).append(one)
    return found


def _option_words(series: EventSeries) -> dict[tuple[str, str], str]:
    return {
        (str(question["key"]), str(option["key"])): str(option["label"])
        for question in series.questions
        for option in question.get("options") or ()
    }


def _party(
    vault: Vault,
    one: Registration,
    people: Sequence[RegisteredPerson],
    words: Mapping[tuple[str, str], str],
    *,
    queue: Sequence[int | None],
    plain: bool,
) -> Party:
    name, phone, email = _contact(vault, one, plain=plain)
    names = [vault.decrypt(each.name_sealed) for each in people[1:] if each.name_sealed]
    answers: dict[str, Any] = (
        json.loads(vault.decrypt(one.answers_sealed)) if plain and one.answers_sealed else {}
    )
    return Party(
        one.id or 0, one.code, one.state, one.size, one.minors, name, phone, email,
        tuple(each if plain else mask_name(each) for each in names),
        "、".join(words.get(pair, pair[1]) for pair in one.pairs), "；".join(str(each) for each in answers.values()),
        one.via, one.joined_at, one.offer_until, one.reason,
        queue.index(one.id) + 1 if one.state == WAITING else 0, sum(each.arrived_at is not None for each in people),
    )  # fmt: skip


def _contact(vault: Vault, one: Registration, *, plain: bool) -> tuple[str, str, str]:
    name = vault.decrypt(one.name_sealed) if one.name_sealed else ""
    phone = vault.decrypt(one.phone_sealed) if one.phone_sealed else ""
    email = vault.decrypt(one.email_sealed) if one.email_sealed else ""
    if plain:
        return name, phone, email
    return mask_name(name), mask_phone(phone) if phone else "", mask_email(email) if email else ""
