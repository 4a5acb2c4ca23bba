"""How often a person may be written to, whatever the campaign: who has had enough is held back and counted."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

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
    since = now - timedelta(days=limit.days)
    had = writing.to_addresses(session, channel, list(dict.fromkeys(indexes)), since)
    query = (
        select(Delivery.address_index)
        .where(*had, col(Delivery.state).in_(_HAD) | writing.in_a_call())
        .where((col(Delivery.settled_at) > since) | col(Delivery.settled_at).is_(None))
        .group_by(Delivery.address_index)
        .having(func.count() >= limit.most)
    )
    return set(session.exec(query))
