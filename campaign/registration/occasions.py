"""What happens to everybody registered when an occurrence is resized, moved or called off."""

from datetime import datetime

from sqlmodel import Session, col, select

from campaign.events.models import CALLED_OFF, OPEN, Occurrence
from campaign.registration import notices, seats, waiting_list
from campaign.registration.models import CONFIRMED, LIVE, OFFERED, WAITING, Registration
from core.errors import Conflict, Invalid
from core.i18n import mark

LARGEST = 100_000


def set_capacity(session: Session, occurrence_id: int, capacity: int, now: datetime) -> Occurrence:
    """Give the occurrence more or fewer seats; never fewer than are confirmed.

    With fewer, offers are taken back, the last first, to where they waited; with more, who waits is offered them.
    """
    if not 0 <= capacity <= LARGEST:
        raise Invalid(mark("名额请填 0 到 %(most)s 之间的数。"), field="capacity", most=LARGEST)
    occurrence = seats.held(session, occurrence_id)
    confirmed = _seats_of(session, occurrence_id, CONFIRMED)
    if capacity < confirmed:
        raise Conflict(
            mark("已经有 %(count)s 人报上名，名额不能少于这个数；要更少，请先和他们联系取消。"),
            field="capacity",
            count=confirmed,
        )
    for one in _offers(session, occurrence_id):
        if occurrence.taken <= capacity:
            break
        one.state, one.offer_until, one.changed_at = WAITING, None, now
        session.add(one)
        session.flush()
        seats.give_back(session, occurrence, one.size, one.pairs)
        notices.note(session, one, notices.WAITLISTED, now, about=f"back-{occurrence.version}")
    occurrence.capacity, occurrence.updated_at = capacity, now
    occurrence.version += 1
    session.add(occurrence)
    session.flush()
    waiting_list.next_up(session, occurrence, now)
    return occurrence


def moved(session: Session, occurrence: Occurrence, now: datetime) -> int:
    """Tell everybody registered that the occurrence has another time or place; returns how many are told.

    Offers keep their seats; none may end later than the new beginning.
    """
    for one in _offers(session, occurrence.id or 0):
        if one.offer_until is not None and one.offer_until > occurrence.starts_at:
            one.offer_until = max(now, occurrence.starts_at)
            session.add(one)
    occurrence.moves += 1
    session.add(occurrence)
    session.flush()
    waiting_list.next_up(session, occurrence, now)
    return _tell(session, occurrence, notices.MOVED, now, about=str(occurrence.moves))


def call_off(session: Session, occurrence_id: int, reason: str, now: datetime) -> Occurrence:
    """Cancel the occurrence: nobody is offered a place any more, everybody registered is told why."""
    if not reason.strip():
        raise Invalid(mark("请写明取消的理由，会告诉每一位报名的人。"), field="reason")
    occurrence = seats.held(session, occurrence_id)
    if occurrence.state == CALLED_OFF:
        return occurrence
    occurrence.state, occurrence.reason, occurrence.updated_at = CALLED_OFF, reason.strip()[:200], now
    occurrence.version += 1
    session.add(occurrence)
    session.flush()
    _tell(session, occurrence, notices.CALLED_OFF, now, about=str(occurrence.version))
    return occurrence


def call_on(session: Session, occurrence_id: int, now: datetime) -> Occurrence:
    """Take a cancellation back; places are as they were, and free ones are offered again."""
    occurrence = seats.held(session, occurrence_id)
    if occurrence.state == OPEN:
        return occurrence
    occurrence.state, occurrence.reason, occurrence.updated_at = OPEN, "", now
    occurrence.version += 1
    session.add(occurrence)
    session.flush()
    waiting_list.next_up(session, occurrence, now)
    _tell(session, occurrence, notices.MOVED, now, about=f"on-{occurrence.version}")
    return occurrence


def live(session: Session, occurrence_id: int) -> list[Registration]:
    """Every live registration, first come first."""
    query = select(Registration).where(
        Registration.occurrence_id == occurrence_id, col(Registration.state).in_(LIVE)
    )
    return list(session.exec(query.order_by(col(Registration.joined_at), col(Registration.id))))


def _tell(session: Session, occurrence: Occurrence, kind: str, now: datetime, *, about: str) -> int:
    found = live(session, occurrence.id or 0)
    for one in found:
        notices.note(session, one, kind, now, about=about)
    return len(found)


def _offers(session: Session, occurrence_id: int) -> list[Registration]:
    query = select(Registration).where(
        Registration.occurrence_id == occurrence_id, Registration.state == OFFERED
    )
    return list(session.exec(query.order_by(col(Registration.joined_at).desc(), col(Registration.id).desc())))


def _seats_of(session: Session, occurrence_id: int, state: str) -> int:
    sizes = select(Registration.size).where(
        Registration.occurrence_id == occurrence_id, Registration.state == state
    )
    return sum(session.exec(sizes))
