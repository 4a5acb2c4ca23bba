"""How often a person may be written to, whatever the campaign: who has had enough is held back and counted."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from scheduler import rules
from scheduler.models import Delivery, DeliveryState, Push

_CHUNK = 800
# What is in doubt may have arrived, what is being handed over will.
_HAD = (DeliveryState.sent, DeliveryState.uncertain, DeliveryState.sending)


def over(session: Session, channel: str, indexes: Iterable[str], now: datetime) -> set[str]:
    """Of these addresses (by index) those that had all the messages on the channel that the institution allows in so
    many days; nobody where it sets no limit."""
    limit = rules.allowed(session, channel)
    if not limit.most:
        return set()
    since, found = now - timedelta(days=limit.days), set[str]()
    asked = list(dict.fromkeys(indexes))
    for some in (asked[start : start + _CHUNK] for start in range(0, len(asked), _CHUNK)):
        query = (
            select(Delivery.address_index)
            .join(Push, col(Push.id) == Delivery.push_id)
            .where(
                col(Delivery.address_index).in_(some),
                Push.channel == channel,
                col(Delivery.state).in_(_HAD),
                (col(Delivery.settled_at) > since) | col(Delivery.settled_at).is_(None),
            )
            .group_by(Delivery.address_index)
            .having(func.count() >= limit.most)
        )
        found.update(session.exec(query))
    return found
