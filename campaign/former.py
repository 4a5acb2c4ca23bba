"""Indexes of addresses when keys change: refusals hold under each, old links keep their meaning, counts their people.

While keys change one address may stand under two indexes in two lists. So a refusal is written under every
index that the address is known by, and looking one up stays a look at one row.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, inspect, or_
from sqlmodel import Session, col, select

from campaign.addresses import IN_CONTACT, index_in
from campaign.among import among
from campaign.audience_models import ClosedAddress, ContactAddress, PurposeRefusal
from campaign.contacts import Contact, FormerIndex, Refusal
from core import clock

_INDEXES = tuple(index_in(Contact, kind) for kind in IN_CONTACT)
# What is remembered of an address by its hash alone, and so stands under each of its indexes.
_REMEMBERED: tuple[Any, ...] = (Refusal, ClosedAddress, PurposeRefusal)


def family(session: Session, index: str) -> list[str]:
    """Every index by which this address is known, the present one first."""
    found = session.get(FormerIndex, index)
    present = found.current if found else index
    query = select(FormerIndex.former).where(FormerIndex.current == present)
    return list(dict.fromkeys([present, *session.exec(query)]))


def firsts(session: Session, indexes: Iterable[str]) -> dict[str, str]:
    """The first index of each address that ever had another: who counts people counts by it."""
    query = (
        select(FormerIndex.current, FormerIndex.former)
        .where(col(FormerIndex.current).in_(list(indexes)))
        .order_by(col(FormerIndex.moved_at).desc(), col(FormerIndex.former))
    )
    return dict(list(session.exec(query)))  # the earliest comes last, and stays


def hold(session: Session, channel: str, index: str) -> None:
    """Wait for a rotation that has this address in its hands, so that it cannot miss what is written next."""
    column = index_in(Contact, channel)
    if column is not None:
        list(session.exec(select(Contact.id).where(column == index).with_for_update()))
        return
    mine = (ContactAddress.channel == channel, ContactAddress.address_index == index)
    list(session.exec(select(ContactAddress.id).where(*mine).with_for_update()))


def refuse(session: Session, channel: str, index: str, *, via: str, now: datetime) -> bool:
    """Write a refusal under every index of the address; False when it had said so before."""
    hold(session, channel, index)
    known = family(session, index)
    rows = [one for one in known if session.get(Refusal, (channel, one)) is None]
    session.add_all(Refusal(channel=channel, address_index=one, refused_at=now, via=via) for one in rows)
    session.flush()
    return len(rows) == len(known)


def link(session: Session, moves: Sequence[tuple[str, str]]) -> None:
    """Addresses stand under another index from now on (old, new): what was refused stays refused under both."""
    if not moves:
        return
    new_of, now = dict(moves), clock.now()
    for one in session.exec(select(FormerIndex).where(col(FormerIndex.current).in_(new_of))).all():
        one.current = new_of[one.current]
        session.add(one)
    session.flush()
    known = set(session.exec(select(FormerIndex.former).where(col(FormerIndex.former).in_(new_of))))
    rows = [{"former": old, "current": new, "moved_at": now} for old, new in moves if old not in known]
    if rows:
        session.execute(insert(FormerIndex), rows)
    _share_refusals(session, moves)


def is_named(session: Session, key: str) -> bool:
    """Whether any address stands under an index that names this key (they begin with it)."""
    columns = [table.address_index for table in (*_REMEMBERED, ContactAddress)]
    return any(
        session.exec(select(column).where(column >= key, column < f"{key}g").limit(1)).first()
        for column in (*columns, *_INDEXES)
    )


def adopt(session: Session, wanted: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Addresses come in under a new index, with every other that they may be known by: link those in use."""
    others = {other: new for new, all_ in wanted for other in all_ if other != new}
    if not others:
        return
    used: set[str] = set()
    for table in (*_REMEMBERED, ContactAddress):
        used.update(session.exec(select(table.address_index).where(among(table.address_index, others))))
    for column in _INDEXES:
        used |= {one for one in session.exec(select(column).where(among(column, others))) if one}
    link(session, sorted((old, others[old]) for old in used))


def forget(session: Session, indexes: Sequence[str]) -> None:
    """The person's data goes: nothing leads from an old index to another, and a refusal is kept once."""
    either = or_(col(FormerIndex.current).in_(indexes), col(FormerIndex.former).in_(indexes))
    for one in list(session.exec(select(FormerIndex).where(either))):
        if not _used(session, (one.former, one.current)):
            _keep_one_refusal(session, one)
            session.delete(one)
    session.flush()


def _used(session: Session, indexes: Sequence[str]) -> bool:
    """Whether another row, of another part of the tree, still holds the address."""
    held = or_(*(col(column).in_(indexes) for column in _INDEXES))
    elsewhere = select(ContactAddress.id).where(col(ContactAddress.address_index).in_(indexes))
    return any(session.exec(query.limit(1)).first() for query in (select(Contact.id).where(held), elsewhere))


def _keep_one_refusal(session: Session, one: FormerIndex) -> None:
    for table in _REMEMBERED:
        for row in list(session.exec(select(table).where(table.address_index == one.former))):
            if session.get(table, _twin(row, one.current)) is not None:
                session.delete(row)


def _share_refusals(session: Session, moves: Sequence[tuple[str, str]]) -> None:
    other = dict(moves) | {new: old for old, new in moves}
    for table in _REMEMBERED:
        query = select(table).where(col(table.address_index).in_(list(other)))
        for row in list(session.exec(query)):
            key = _twin(row, other[row.address_index])
            if session.get(table, key) is None:
                session.add(table(**row.model_dump() | key))
    session.flush()


def _twin(row: Refusal | ClosedAddress | PurposeRefusal, index: str) -> dict[str, str]:
    """The key of the same row under another index."""
    names = [column.name for column in inspect(type(row)).primary_key]
    return {name: getattr(row, name) for name in names} | {"address_index": index}
