"""Who goes in the calls of a batch: who is in which is asked at its beginning, the recipients themselves call by call.

All that a call needs of its recipients comes by one question, also their addresses and whether they said no meanwhile.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, select
from sqlmodel import Session, col

from campaign import audience
from campaign.among import among_numbers
from campaign.audience import Address
from campaign.contacts import Contact
from campaign.recipients import takes_nothing
from core.database import Prepared
from core.gathering import Gathered, gathered
from core.privacy import Vault
from scheduler.channels.base import Message
from scheduler.models import Delivery, DeliveryState
from scheduler.settling import WAITS, Waiting

FRESH = 1.0  # seconds for which it is believed that nobody said no


@dataclass(frozen=True, slots=True)
class Round:
    """Recipients who go in one call: known since the batch was cut, in doubt (`again`), or new (`number` None), and
    then told by their rows."""

    number: int | None
    rows: tuple[int, ...] = ()
    again: bool = False


@dataclass(slots=True)
class Ready:
    """A round with all that it needs of its recipients, in one order: their rows, their addresses in clear (None: there
    is none, or the contact is erased), what they are called if somebody asks, and by their rows who takes nothing;
    `messages`: what they get, if it is written already for all of them."""

    round: Round
    rows: list[Waiting]
    addresses: list[str | None]
    names: list[str]
    silent: set[int]
    asked: float
    messages: Sequence[Message] | None = None

    @property
    def fresh(self) -> bool:
        """Whether it was asked just now."""
        return time.monotonic() - self.asked < FRESH

    def called(self) -> list[Address | None]:
        """Each with their name and address; None for who has no address (any more)."""
        found = zip(self.rows, self.names, self.addresses, strict=True)
        return [None if at is None else Address(row.contact_id, name, at) for row, name, at in found]


def rounds(session: Session, batch_id: int, size: int) -> list[Round]:
    """Calls in doubt first, then those that were cut, in the order of their numbers; then who is in none (any more)."""
    found, large = list[Round](), list[int]()
    for number, count, tried in _CALLS.on(session.connection(), {"batch": batch_id}):
        if number is not None and (tried or count <= size):
            found.append(Round(number, again=bool(tried)))
        else:  # cut when the platform allowed more
            large.append(number or 0)
    found.sort(key=lambda one: (not one.again, one.number))
    loose = _loose(session, batch_id, large) if large else ()
    return found + [Round(None, loose[start : start + size]) for start in range(0, len(loose), size)]


def _loose(session: Session, batch_id: int, calls: list[int]) -> tuple[int, ...]:
    """Who waits in no call, or in one of these: those who were in one first, then those tried least."""
    none = col(Delivery.call).is_(None)
    query = (
        select(col(Delivery.id))
        .where(col(Delivery.batch_id) == batch_id, col(Delivery.state) == DeliveryState.queued)
        .where(none | col(Delivery.call).in_(calls))
        .order_by(none, col(Delivery.attempts), col(Delivery.id))
    )
    return tuple(session.connection().scalars(query))


def ready(
    session: Session, vault: Vault, batch_id: int, one: Round, *, channel: str, purpose: str, names: bool
) -> Ready:
    """Read a round and open its addresses, and what people are called if a template wants it."""
    asked = time.monotonic()
    if one.number is None:
        query = _asked(channel, purpose, names).where(among_numbers(Delivery.id, one.rows))
        place = {number: at for at, number in enumerate(one.rows)}
        found = gathered(session, query.params(batch=batch_id))
        found.sort(key=lambda row: place[row[0]])
    else:
        found = sorted(
            _of_call(channel, purpose, names).on(session.connection(), batch=batch_id, call=one.number)
        )
    width, opened = len(Waiting._fields), vault.decrypt
    return Ready(
        one,
        [Waiting._make(row[:width]) for row in found],
        [opened(row[-1]) if row[-1] else None for row in found],
        [opened(row[-2]) if row[-2] else "" for row in found] if names else [],
        {row[0] for row in found if row[width]},
        asked,
    )


@lru_cache(64)
def _asked(channel: str, purpose: str, names: bool) -> Select[Any]:
    silent = takes_nothing(Delivery.address_index, channel, purpose).label("silent")
    query = WAITS.add_columns(silent).outerjoin(Contact, col(Contact.id) == Delivery.contact_id)
    return audience.with_addresses(query, channel, names=names)


@lru_cache(64)
def _of_call(channel: str, purpose: str, names: bool) -> Gathered:
    return Gathered(
        _asked(channel, purpose, names).where(col(Delivery.call) == bindparam("call", type_=Integer))
    )


_CALLS = Prepared(
    select(col(Delivery.call), func.count(), func.max(Delivery.attempts))
    .where(col(Delivery.batch_id) == bindparam("batch"), col(Delivery.state) == DeliveryState.queued)
    .group_by(col(Delivery.call))
)
