"""What was written lately to some addresses: found by the contacts that have them, as rows of the outbox stand in the
order of contacts and not of addresses."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, bindparam, exists, or_
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from campaign import audience
from campaign.among import Given, among, among_numbers
from core.database import Prepared, UtcDateTime
from scheduler.models import Batch, Delivery, DeliveryState, Push


def to_addresses(
    session: Session, channel: str, indexes: Sequence[str], since: datetime, by: ColumnElement[bool]
) -> list[ColumnElement[bool]]:
    """The condition under which a row was written to one of these addresses by a push that was under way after a moment,
    and for which another condition holds."""
    lately = select(Push.id).where(by, or_(col(Push.finished_at).is_(None), col(Push.finished_at) > since))
    pushes = [number or 0 for number in session.exec(lately)]
    return rows_of(pushes, audience.sharing(session, channel, indexes), indexes)


def rows_of(
    pushes: Iterable[int] | Given, people: Iterable[int] | Given, indexes: Iterable[str] | Given
) -> list[ColumnElement[bool]]:
    """The condition under which a row is of one of these pushes and one of these people, at one of these addresses."""
    return [
        among_numbers(Delivery.push_id, pushes),
        among_numbers(Delivery.contact_id, people),
        among(Delivery.address_index, indexes),
    ]


def under_way(session: Session, channel: str, since: datetime) -> list[int]:
    """The pushes of a channel that were under way after a moment."""
    return [number for (number,) in _UNDER_WAY.on(session.connection(), {"of": channel, "since": since})]


_UNDER_WAY = Prepared(
    sa_select(col(Push.id)).where(
        col(Push.channel) == bindparam("of"),
        or_(col(Push.finished_at).is_(None), col(Push.finished_at) > bindparam("since", type_=UtcDateTime)),
    )
)


@cache
def in_a_call() -> ColumnElement[bool]:
    """Whether a row is in the call that a worker has in its hands: such rows are not marked one by one."""
    mine = exists().where(col(Batch.id) == Delivery.batch_id, col(Batch.sending) == Delivery.call)
    mine = mine.correlate(Delivery)
    return (col(Delivery.state) == DeliveryState.queued) & mine
