"""Who may be written to: consent, refusals that nothing overrides; the lists themselves are `lists`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, null
from sqlalchemy import select as sa_select
from sqlmodel import Session, col

from campaign import closed, former, personal, segments
from campaign.addresses import IN_CONTACT, index_in, kind_of, mask, sealed_in
from campaign.among import Given, among, among_numbers, listed, values_of
from campaign.audience_models import ContactAddress
from campaign.closed import close_address, closed_among
from campaign.contacts import EDUCATION, Contact, Refusal
from campaign.lists import (
    ListRow,
    MaskedContact,
    find_list,
    get_contact,
    get_list,
    indexes_of,
    lists,
    make_list,
    members,
)
from campaign.recipients import Audience, LeftOut, takes_nothing
from core.database import Prepared
from core.errors import Invalid
from core.gathering import Gathered
from core.i18n import mark
from core.privacy import Vault
from institution import audit

__all__ = [
    "LeftOut",
    "ListRow",
    "MaskedContact",
    "close_address",
    "closed_among",
    "find_list",
    "get_list",
    "lists",
    "make_list",
    "members",
]

audit.declare(
    {
        "contact.refuse": mark("登记退订"),
        "contact.erase": mark("删除联系人资料"),
    }
)


class Address(NamedTuple):
    """Where one message goes, in clear: only for the moment of sending, never stored or logged."""

    contact_id: int
    name: str
    address: str


def audience_of(session: Session, *, list_id: int | None = None, segment_id: int | None = None) -> Audience:
    """The list or the segment; NotFound when it is gone, ValueError unless exactly one is named."""
    if (list_id is None) == (segment_id is None):
        raise ValueError("a list or a segment")
    if list_id is not None:
        return Audience(list_id=list_id)
    return segments.audience_of(session, segment_id or 0)


def addresses(
    session: Session, vault: Vault, channel: str, contact_ids: Sequence[int], *, names: bool = True
) -> dict[int, Address]:
    """The addresses in clear of these contacts, by contact id; an erased contact is missing. Without `names` nobody is
    called by name, which halves the cost."""
    session.flush()
    rows = _addresses(channel, names).on(session.connection(), contacts=listed(contact_ids))
    return {
        number: Address(number, vault.decrypt(name) if name else "", vault.decrypt(held))
        for number, name, held in rows
        if held
    }


@lru_cache(64)
def _addresses(channel: str, names: bool) -> Gathered:
    mine = with_addresses(sa_select(col(Contact.id)), channel, names=names)
    return Gathered(mine.where(among_numbers(Contact.id, bindparam("contacts"))))


def with_addresses(query: Select[Any], channel: str, *, names: bool) -> Select[Any]:
    """A question that has contacts among its tables, with two columns more, both encrypted: the name (null if it is not
    asked for) and the address on a channel (null for who has none)."""
    kind = kind_of(channel)
    held: Any = sealed_in(Contact, kind)
    if kind not in IN_CONTACT:
        mine = and_(col(ContactAddress.contact_id) == Contact.id, col(ContactAddress.channel) == kind)
        query, held = query.outerjoin(ContactAddress, mine), col(ContactAddress.sealed)
    name: Any = col(Contact.name_sealed) if names else null()
    return query.add_columns(name.label("name"), held.label("held"))


def masked_addresses(
    session: Session, vault: Vault, channel: str, contact_ids: Sequence[int]
) -> dict[int, str]:
    """The same, masked, for the desk."""
    found = addresses(session, vault, channel, contact_ids)
    return {key: mask(channel, row.address) for key, row in found.items()}


def refuse(session: Session, channel: str, address_index: str, *, via: str, now: datetime) -> bool:
    """Record that an address wants nothing more on a channel; False when it had said so before.

    Law (消费者权益保护管理办法 art. 41): after a refusal nothing is sent again in the same way.
    """
    return closed.refuse(session, channel, address_index, via=via, now=now)


def is_refused(session: Session, channel: str, address_index: str) -> bool:
    """Whether this address said no on this channel."""
    return session.get(Refusal, (kind_of(channel), address_index)) is not None


def refused_among(
    session: Session, channel: str, indexes: Iterable[str], purpose: str = EDUCATION
) -> set[str]:
    """Which of these addresses take nothing (for this purpose) on this channel: refused, or closed for any reason."""
    session.flush()
    rows = _refused_among(kind_of(channel), purpose).on(session.connection(), {"indexes": listed(indexes)})
    return {index for (index,) in rows}


@lru_cache(64)
def _refused_among(kind: str, purpose: str) -> Prepared:
    each = values_of(bindparam("indexes"))
    return Prepared(sa_select(each.c.value).where(takes_nothing(each.c.value, kind, purpose)))


def out_of_reach(
    contact_id: Any, address_index: Any, channel: str, purpose: str = EDUCATION
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Of rows that name a contact and its address (columns): whether the contact is erased, whether the address takes
    nothing. One question for all of a call instead of one for each."""
    there = exists().where(col(Contact.id) == contact_id)
    return ~there, takes_nothing(address_index, channel, purpose)


def sharing(session: Session, channel: str, indexes: Iterable[str]) -> list[int]:
    """The contacts that have one of these addresses on a channel: a mailbox may be shared."""
    session.flush()
    rows = _sharing(kind_of(channel)).on(session.connection(), {"indexes": listed(indexes)})
    return [number for (number,) in rows]


@lru_cache(64)
def _sharing(kind: str) -> Prepared:
    given: Given = bindparam("indexes")
    if kind in IN_CONTACT:
        return Prepared(sa_select(col(Contact.id)).where(among(index_in(Contact, kind), given)))
    of_kind = col(ContactAddress.channel) == kind
    return Prepared(
        sa_select(col(ContactAddress.contact_id)).where(of_kind, among(ContactAddress.address_index, given))
    )


def refuse_contact(session: Session, contact_id: int, channel: str, *, now: datetime) -> None:
    """Record at the desk what a person said on the telephone or at a counter."""
    contact = get_contact(session, contact_id)
    index = indexes_of(session, contact).get(kind_of(channel))
    if not index:
        raise Invalid(mark("这位联系人没有这个渠道的地址。"), field="channel")
    former.refuse(session, kind_of(channel), index, via="desk", now=now)
    audit.record(
        session, "contact.refuse", "contact", contact_id, after={"channel": channel},
        outlet_code=contact.holder_code,
    )  # fmt: skip


def erase(session: Session, contact_id: int) -> None:
    """Delete a person's data on request (PIPL art. 47); refusals stay, as hashes that name nobody."""
    contact = get_contact(session, contact_id)
    personal.erase(session, [contact])
    audit.record(session, "contact.erase", "contact", contact_id, outlet_code=contact.holder_code)
