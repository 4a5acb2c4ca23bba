"""Which of our deliveries a receipt speaks of: by our key, by the platform's reference, or by the one row in doubt.

An address is looked up by its hash under every key there is, and only among the rows of the accounts that the platform
spoke to. So whoever else sends by the same platform changes nothing here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, exists, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from campaign.addresses import KINDS, kind_of
from core.privacy import Vault
from scheduler import writing
from scheduler.calling import call_key
from scheduler.channels.base import About, Closed, Receipt
from scheduler.channels.registry import get as kind_named
from scheduler.models import Batch, ChannelAccount, Delivery, DeliveryState, Push, PushState

ARRIVED, FAILED, OPENED, PERSON = "arrived", "failed", "opened", "person"
_KEY = re.compile(r"([0-9a-f]{32})(@[\w.-]+)?")
_RECENT = timedelta(days=7)  # pushes that a reference without an address may belong to
_KNOWN = timedelta(days=60)  # … and those that an address may have got: a complaint may take weeks
_SETTLED = (DeliveryState.sent, DeliveryState.uncertain)
_MOVING = (PushState.cutting, PushState.running, PushState.paused)


@dataclass(frozen=True, slots=True)
class Source:
    """Who speaks: the accounts that share a login at a platform (an official account has one address for all)."""

    account_id: int
    channel: str
    accounts: tuple[int, ...]

    @classmethod
    def of(cls, session: Session, row: ChannelAccount) -> "Source":
        """The source behind an account."""
        reads, found = kind_named(row.channel).reads, {row.id or 0}
        if row.login:
            query = select(ChannelAccount.id, ChannelAccount.channel).where(
                ChannelAccount.login == row.login, ChannelAccount.address == row.address
            )
            found |= {number or 0 for number, name in session.exec(query) if kind_named(name).reads is reads}
        return cls(row.id or 0, row.channel, tuple(sorted(found)))


@dataclass(frozen=True, slots=True)
class Word:
    """A receipt as it may be kept: without the address, which stands by its hashes."""

    reference: str
    indexes: tuple[str, ...]
    what: str
    reason: str = ""
    closes: Closed | None = None
    key: str | None = None

    @classmethod
    def of(cls, vault: Vault, channel: str, one: Receipt) -> "Word | None":
        """The word of a receipt; None for one that says nothing for good."""
        kind = kind_of(channel)
        address = KINDS[kind].normal(one.address) if one.address and kind in KINDS else one.address
        indexes = vault.indexes(kind, address) if address else ()
        error = one.error
        if error is not None and not error.permanent:
            return None
        what = {About.opened: OPENED, About.person: PERSON}.get(
            one.about, ARRIVED if error is None else FAILED
        )
        reason, closes = (error.message[:500], error.closes) if error else ("", None)
        return cls(one.reference[:200], indexes, what, reason, closes, one.key)


class Row(NamedTuple):
    """A delivery as far as receipts need it."""

    id: int
    key: str
    push_id: int
    batch_id: int
    batch_key: str
    state: str
    address_index: str
    call: int | None
    reference: str
    attempts: int
    in_hand: int | None


def rows(session: Session, source: Source, word: Word, now: datetime) -> list[Row]:
    """The deliveries a word speaks of, in whatever state; none where it is about nobody of ours."""
    own = _KEY.fullmatch(word.reference)
    if own is not None:
        found = _all(session, _of(source).where(col(Delivery.key) == own[1]))
        return [one for one in found if _same_person(source, word, one)]
    if word.indexes:
        found = _all(session, _to(session, source, word, now))
        named = [one for one in found if word.reference and one.reference == word.reference]
        return named or _unnamed(word, found)
    if not word.reference:
        return []
    recent = _of(source).where(
        col(Delivery.reference) == word.reference, col(Push.created_at) >= now - _RECENT
    )
    return _all(session, recent)


def early(
    session: Session, source: Source, word: Word, found: Sequence[Row], now: datetime
) -> list[str] | None:
    """Whose hashes to keep a word under until our own settling has caught up; None where it cannot be early."""
    held = [one.address_index for one in found if on_its_way(one)]
    if found or word.what == PERSON:
        return held or None
    if word.indexes:
        here = _all(session, _to(session, source, word, now))
        return [one.address_index for one in here if on_its_way(one)] or None
    under_way = (
        select(Delivery.id)
        .join(Push, col(Push.id) == Delivery.push_id)
        .where(col(Push.account_id).in_(source.accounts), col(Push.state).in_(_MOVING))
        .where(col(Delivery.state).in_((DeliveryState.sending, DeliveryState.queued)))
    )
    return [""] if session.exec(under_way.limit(1)).first() else None


def is_key(reference: str) -> bool:
    """Whether this is a key of ours alone, and no platform's name for the message."""
    found = _KEY.fullmatch(reference)
    return found is not None and not found[2]


def on_its_way(one: Row) -> bool:
    """Whether a worker has it in its hands, or will send it again as it was."""
    if one.state != DeliveryState.queued or one.call is None:
        return one.state == DeliveryState.sending
    return one.call == one.in_hand or one.attempts > 0


def _unnamed(word: Word, found: Sequence[Row]) -> list[Row]:
    """Rows in doubt have no reference: by the key that the platform says back, else the only one it can be."""
    unknown = [one for one in found if one.state in _SETTLED and not one.reference]
    moving = [one for one in found if on_its_way(one)]
    if word.key is not None:
        both = [*unknown, *moving]
        return [one for one in both if word.key in (one.key, call_key(one.batch_key, one.call or 0))]
    if moving:
        return moving  # kept until it is settled: then its reference tells
    doubtful = [one for one in unknown if one.state == DeliveryState.uncertain]
    return doubtful if len(doubtful) == 1 else []


def _same_person(source: Source, word: Word, one: Row) -> bool:
    """A key names a row; the address that comes along must be its own (of a letter it must come along)."""
    if not word.indexes:
        return source.channel != "email"
    return one.address_index in word.indexes


def _to(session: Session, source: Source, word: Word, now: datetime) -> Select[Any]:
    """The rows of an address, by the contacts that have it: rows of the outbox stand in the order of contacts."""
    since = now - _KNOWN
    return _of(source).where(*writing.to_addresses(session, source.channel, word.indexes, since, _by(source)))


def _by(source: Source) -> ColumnElement[bool]:
    """Whether a push went, or some of its batches, by the accounts that speak."""
    mine = exists().where(col(Batch.push_id) == Push.id, col(Batch.account_id).in_(source.accounts))
    return col(Push.account_id).in_(source.accounts) | mine


def _of(source: Source) -> Select[Any]:
    other = {"batch_key": col(Batch.key), "in_hand": col(Batch.sending)}
    columns = [other[name] if name in other else getattr(Delivery, name) for name in Row._fields]
    account = func.coalesce(Batch.account_id, Push.account_id)
    return (
        sql_select(*columns)
        .join(Batch, col(Batch.id) == Delivery.batch_id)
        .join(Push, col(Push.id) == Delivery.push_id)
        .where(account.in_(source.accounts))
    )


def _all(session: Session, query: Select[Any]) -> list[Row]:
    return [Row(*one) for one in session.connection().execute(query)]
