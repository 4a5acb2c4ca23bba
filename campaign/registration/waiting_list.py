"""Who is next when seats come free, and offers that end.

The rule, with group sizes: the queue is in the order of joining; whenever seats are free, the first party in the
queue that fits whole is offered them, then the next that fits what is left. So a small party may pass a large one
that does not fit, but nobody is ever passed by a party that joined later and is at least as large with the same
choices; and nobody waits while a place that fits is free. An offer holds its seats until it ends, half the time
that is left before the beginning at most; one that ends goes to the next at once, and whoever let it pass joins
again at the end if they wish.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from campaign.events.models import OPEN, Occurrence
from campaign.registration import notices, seats
from campaign.registration.models import LAPSED, OFFERED, WAITING, Registration


def queue(session: Session, occurrence_id: int) -> list[Registration]:
    """Who waits, first come first."""
    query = (
        select(Registration)
        .where(Registration.occurrence_id == occurrence_id, Registration.state == WAITING)
        .order_by(col(Registration.joined_at), col(Registration.id))
    )
    return list(session.exec(query))


def position(session: Session, one: Registration) -> int:
    """The place in the queue, from 1; 0 for who does not wait."""
    if one.state != WAITING:
        return 0
    earlier = (col(Registration.joined_at) < one.joined_at) | (
        (col(Registration.joined_at) == one.joined_at) & (col(Registration.id) < one.id)
    )
    before = select(func.count()).where(
        Registration.occurrence_id == one.occurrence_id, Registration.state == WAITING, earlier
    )
    return session.exec(before).one() + 1


def next_up(session: Session, occurrence: Occurrence, now: datetime) -> list[Registration]:
    """Offer what is free to those who wait; the occurrence must be held. Returns who was offered a place."""
    if occurrence.state != OPEN or now >= occurrence.starts_at or occurrence.free <= 0:
        return []
    left = seats.room(session, occurrence)
    offered = []
    for one in queue(session, occurrence.id or 0):
        if left.seats <= 0:
            break
        if left.fits(one.size, one.pairs) and seats.take(session, occurrence, one.size, one.pairs):
            _offer(session, one, occurrence, now)
            offered.append(one)
            left = seats.room(session, occurrence)
    return offered


def _offer(session: Session, one: Registration, occurrence: Occurrence, now: datetime) -> None:
    one.state, one.changed_at = OFFERED, now
    one.offer_until = now + min(timedelta(hours=occurrence.offer_hours), (occurrence.starts_at - now) / 2)
    session.add(one)
    session.flush()
    notices.offered(session, one, occurrence, now)


def lapse(session: Session, one: Registration, occurrence: Occurrence, now: datetime) -> None:
    """An offer that ended: its seats go to the next; the occurrence must be held."""
    one.state, one.changed_at, one.offer_until = LAPSED, now, None
    session.add(one)
    session.flush()
    seats.give_back(session, occurrence, one.size, one.pairs)
    notices.lapsed(session, one, occurrence, now)
    next_up(session, occurrence, now)


def lapse_due(session: Session, occurrence_id: int, now: datetime) -> int:
    """End the offers of an occurrence whose time is over; returns how many."""
    occurrence = seats.held(session, occurrence_id)
    ended = _over(session, occurrence_id, now)
    for one in ended:
        lapse(session, one, occurrence, now)
    return len(ended)


def with_ended_offers(session: Session, now: datetime) -> Iterable[int]:
    """The occurrences that have offers whose time is over."""
    query = select(Registration.occurrence_id).where(
        Registration.state == OFFERED, col(Registration.offer_until) <= now
    )
    return sorted(set(session.exec(query)))


def _over(session: Session, occurrence_id: int, now: datetime) -> list[Registration]:
    query = select(Registration).where(
        Registration.occurrence_id == occurrence_id,
        Registration.state == OFFERED,
        col(Registration.offer_until) <= now,
    )
    ordered = query.order_by(col(Registration.offer_until), col(Registration.id))
    return list(session.exec(ordered.execution_options(populate_existing=True)))
