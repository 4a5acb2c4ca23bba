"""How often a person may be written to, whatever the campaign: who has had enough is held back and counted."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Integer, bindparam, func, or_
from sqlalchemy import select as sa_select
from sqlmodel import Session, col

from campaign import audience
from campaign.among import listed
from core.database import Prepared, UtcDateTime
from scheduler import rules, writing
from scheduler.models import Delivery, DeliveryState

# What is in doubt may have arrived, what is being handed over will.
_HAD = (DeliveryState.sent, DeliveryState.uncertain, DeliveryState.sending)


def over(session: Session, channel: str, indexes: Iterable[str], now: datetime) -> set[str]:
    """Of these addresses (by index) those that had all the messages on the channel that the institution allows in so
    many days; nobody where it sets no limit."""
    limit = rules.allowed(session, channel)
    if not limit.most:
        return set()
    since, wanted = now - timedelta(days=limit.days), list(dict.fromkeys(indexes))
    pushes, people = writing.under_way(session, channel, since), audience.sharing(session, channel, wanted)
    asked = {
        "pushes": listed(pushes), "people": listed(people), "indexes": listed(wanted),
        "since": since, "most": limit.most,
    }  # fmt: skip
    return {index for (index,) in _OVER.on(session.connection(), asked)}


_OVER = Prepared(
    sa_select(col(Delivery.address_index))
    .where(
        *writing.rows_of(bindparam("pushes"), bindparam("people"), bindparam("indexes")),
        or_(*(col(Delivery.state) == state for state in _HAD), writing.in_a_call()),
        or_(
            col(Delivery.settled_at) > bindparam("since", type_=UtcDateTime),
            col(Delivery.settled_at).is_(None),
        ),
    )
    .group_by(col(Delivery.address_index))
    .having(func.count() >= bindparam("most", type_=Integer))
)
