"""What was written lately to some addresses: found by the contacts that have them, as rows of the outbox stand in the
order of contacts and not of addresses."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, exists, or_
from sqlmodel import Session, col, select

from campaign import audience
from campaign.among import among, among_numbers
from scheduler.models import Batch, Delivery, DeliveryState, Push


def to_addresses(
    session: Session, channel: str, indexes: Sequence[str], since: datetime, *conditions: ColumnElement[bool]
) -> list[ColumnElement[bool]]:
    """The condition under which a row was written to one of these addresses by a push that was under way after a moment:
    of the channel, or for which other conditions hold."""
    under_way = select(Push.id).where(
        *(conditions or [col(Push.channel) == channel]),
        or_(col(Push.finished_at).is_(None), col(Push.finished_at) > since),
    )
    pushes = [number or 0 for number in session.exec(under_way)]
    people = audience.sharing(session, channel, indexes)
    return [
        col(Delivery.push_id).in_(pushes),
        among_numbers(session, Delivery.contact_id, people),
        among(session, Delivery.address_index, indexes),
    ]


@cache
def in_a_call() -> ColumnElement[bool]:
    """Whether a row is in the call that a worker has in its hands: such rows are not marked one by one."""
    mine = exists().where(col(Batch.id) == Delivery.batch_id, col(Batch.sending) == Delivery.call)
    mine = mine.correlate(Delivery)
    return (col(Delivery.state) == DeliveryState.queued) & mine
