"""What becomes of one registration: accepted, left, grown, shrunk, decided, promoted. Seats follow at once.

Each verb holds the occurrence first and then looks at the registration again, so that two who act on one
registration in the same moment act one after the other.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete
from sqlmodel import Session, col, select

from campaign.events.models import OPEN, Occurrence
from campaign.registration import entry, notices, registering, seats, waiting_list
from campaign.registration.models import (
    CANCELLED,
    CONFIRMED,
    HOLDING,
    OFFERED,
    PENDING,
    REJECTED,
    WAITING,
    WALKED_IN,
    RegisteredPerson,
    Registration,
)
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from core.privacy import Vault
from institution import audit

audit.declare(
    {
        "registration.cancel": mark("取消报名"),
        "registration.decide": mark("审核报名"),
        "registration.promote": mark("候补提前"),
        "registration.change": mark("更改报名"),
    }
)


class Held(NamedTuple):
    """A registration and its occurrence, the occurrence's row held."""

    one: Registration
    occurrence: Occurrence


def get(session: Session, number: int) -> Registration:
    """The registration, or NotFound."""
    found = session.get(Registration, number)
    if found is None:
        raise NotFound(mark("没有找到这份报名，它可能已经过了保存期。"))
    return found


def held(session: Session, number: int) -> Held:
    """The registration as it is now, with its occurrence held."""
    one = get(session, number)
    occurrence = seats.held(session, one.occurrence_id)
    session.refresh(one)
    return Held(one, occurrence)


def accept(session: Session, number: int, now: datetime) -> Registration:
    """Say yes to an offered place; Conflict when the offer is over, which then goes to the next."""
    one, occurrence = held(session, number)
    if one.state == CONFIRMED:
        return one
    if one.state != OFFERED:
        raise Conflict(mark("现在没有留给您的位置：候补的位置可能已过了确认时间。"))
    if occurrence.state != OPEN:
        raise Conflict(mark("这场活动已经取消，请看看别的场次。"))
    if one.offer_until is not None and now >= one.offer_until:
        raise Conflict(mark("确认的时间已经过了，位置给了下一位。您可以重新报名候补。"))
    _move(session, one, CONFIRMED, now)
    notices.note(session, one, notices.REGISTERED, now)
    return one


def leave(session: Session, number: int, now: datetime, *, reason: str = "") -> Registration:
    """Give up the place or the waiting place; what comes free goes on at once. Again: changes nothing."""
    one, occurrence = held(session, number)
    if not one.is_live and one.state != WALKED_IN:
        return one
    if any(person.arrived_at for person in people(session, one)):
        raise Conflict(mark("已经有人签到，不能取消；签到记错了请先撤销签到。"))
    holding = one.state in HOLDING
    one.reason = reason[:200]
    _move(session, one, CANCELLED, now)
    if holding:
        seats.give_back(session, occurrence, one.size, one.pairs)
        waiting_list.next_up(session, occurrence, now)
    return one


def people(session: Session, one: Registration) -> list[RegisteredPerson]:
    """The people of a party, in their order."""
    query = select(RegisteredPerson).where(RegisteredPerson.registration_id == one.id)
    return list(session.exec(query.order_by(col(RegisteredPerson.number))))


def resize(
    session: Session, vault: Vault, number: int, companions: Sequence[str], minors: int, *, now: datetime
) -> Registration:
    """Other companions, more or fewer: more only if they fit now, fewer sets seats free at once.

    Who waits and asks for more seats waits at the end: they might otherwise be in front of somebody who waited
    for as much all along.
    """
    one, occurrence = held(session, number)
    size = 1 + len(companions) + minors
    _check_change(one, occurrence, size, minors, now)
    if any(person.arrived_at for person in people(session, one)):
        raise Conflict(mark("已经有人签到，人数请到现场更改。"))
    names = [
        vault.encrypt(entry.plain_name(each, f"companion-{place}"))
        for place, each in enumerate(companions, 1)
    ]
    more = size - one.size
    if one.state in HOLDING and more > 0 and not seats.take(session, occurrence, more, one.pairs):
        raise Conflict(mark("现在只剩 %(free)s 个空位，加不了这么多人。"), field="size", free=occurrence.free)
    if one.state == WAITING and more > 0:
        one.joined_at = now
    one.size, one.minors, one.changed_at = size, minors, now
    session.add(one)
    _replace_people(session, one, names)
    if one.state in HOLDING and more < 0:
        seats.give_back(session, occurrence, -more, one.pairs)
    if more < 0:
        waiting_list.next_up(session, occurrence, now)
    return one


def _check_change(one: Registration, occurrence: Occurrence, size: int, minors: int, now: datetime) -> None:
    if not one.is_live or occurrence.state != OPEN:
        raise Conflict(mark("这份报名已经取消，不能再改。"))
    if now >= occurrence.starts_at:
        raise Conflict(mark("活动已经开始，人数请到现场更改。"))
    if minors < 0 or size > occurrence.party_most:
        raise Invalid(
            mark("一次最多报 %(most)s 人（含您自己）。人更多请分开报名，或请网点帮忙。"),
            field="size",
            most=occurrence.party_most,
        )


def _replace_people(session: Session, one: Registration, names: list[str]) -> None:
    session.execute(
        delete(RegisteredPerson).where(
            col(RegisteredPerson.registration_id) == one.id, col(RegisteredPerson.number) > 1
        )
    )
    session.flush()
    registering.add_people(session.connection(), one.id or 0, names, one.minors, first=2)


def decide(session: Session, number: int, *, accepted: bool, reason: str, now: datetime) -> Registration:
    """Approve or reject a registration that waits for approval; approved, it takes seats or queues where it joined."""
    one, occurrence = held(session, number)
    if one.state != PENDING:
        raise Conflict(mark("这份报名已经有人审核过了。"))
    if not accepted:
        if not reason.strip():
            raise Invalid(mark("请写明不通过的理由，会告诉报名的人。"), field="reason")
        one.reason = reason.strip()[:200]
        _move(session, one, REJECTED, now)
        notices.note(session, one, notices.REJECTED, now)
    else:
        _move(session, one, WAITING, now)
        if occurrence.state == OPEN and seats.take(session, occurrence, one.size, one.pairs):
            _move(session, one, CONFIRMED, now)
        notices.note(session, one, notices.APPROVED, now)
    _record(session, "registration.decide", one, occurrence, before=PENDING, note=one.reason)
    return one


def promote(session: Session, number: int, *, reason: str, now: datetime) -> Registration:
    """Give a waiting party its place before its turn, with a reason; Conflict when there is no room."""
    one, occurrence = held(session, number)
    before = one.state
    if before not in (WAITING, OFFERED):
        raise Conflict(mark("只有候补的报名可以提前。"))
    if not reason.strip():
        raise Invalid(mark("请写明提前的理由，会留在操作记录里。"), field="reason")
    if before == WAITING and not seats.take(session, occurrence, one.size, one.pairs):
        raise Conflict(mark("没有这么多空位：请先增加名额，再提前候补。"))
    _move(session, one, CONFIRMED, now)
    notices.note(session, one, notices.REGISTERED, now)
    _record(session, "registration.promote", one, occurrence, before=before, note=reason)
    return one


def take_out(session: Session, number: int, *, reason: str, now: datetime) -> Registration:
    """Staff cancel a registration, with a reason that the person is told."""
    if not reason.strip():
        raise Invalid(mark("请写明取消的理由，会告诉报名的人。"), field="reason")
    before = get(session, number).state
    one = leave(session, number, now, reason=reason.strip())
    notices.note(session, one, notices.TAKEN_OUT, now)
    occurrence = session.get_one(Occurrence, one.occurrence_id)
    _record(session, "registration.cancel", one, occurrence, before=before, note=reason)
    return one


def _move(session: Session, one: Registration, state: str, now: datetime) -> None:
    one.state, one.changed_at = state, now
    if state != OFFERED:
        one.offer_until = None
    session.add(one)
    session.flush()


def _record(
    session: Session, action: str, one: Registration, occurrence: Occurrence, *, before: str, note: str
) -> None:
    audit.record(
        session,
        action,
        "registration",
        one.id,
        before={"state": before},
        after={"state": one.state, "size": one.size},
        outlet_code=occurrence.outlet_code,
        note=note,
    )
