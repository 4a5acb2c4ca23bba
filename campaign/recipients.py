"""Whom a channel may reach for a purpose: an address, consent, no refusal, not closed; each address once.

All of it is one question to the database, asked page by page along the contacts' numbers: a million people take no
more memory than a thousand, and what was refused meanwhile is missing from the next page.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, true, union
from sqlalchemy import select as sa_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col, select

from campaign.addresses import IN_CONTACT, index_in, kind_of
from campaign.audience_models import ClosedAddress, ContactAddress, PurposeRefusal
from campaign.contacts import Consent, Contact, ContactMember, Refusal, levels


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many of an audience a push reaches, and how many it leaves out for which reason: the first that holds."""

    reached: int
    no_address: int
    no_consent: int
    refused: int
    closed: int


@dataclass(frozen=True, slots=True)
class Audience:
    """A list or a segment: the condition under which a contact (a table or an alias of it) belongs to it."""

    list_id: int | None = None
    where: Any = None

    def holds(self, contact: Any) -> ColumnElement[bool]:
        """Whether this contact belongs to the audience."""
        if self.list_id is not None:
            member = alias(ContactMember)
            return exists().where(member.list_id == self.list_id, member.contact_id == contact.id)
        found: ColumnElement[bool] = self.where(contact)
        return found


def alias(table: type[SQLModel]) -> Any:
    """The table under a name of its own, for a question within a question."""
    return aliased(table)


def chosen(audience: Audience, channel: str, purpose: str, *, after_id: int, limit: int) -> Select[Any]:
    """The question for the next recipients after a contact's number, in the order of their numbers: `contact_id`,
    `address_index` (no address, only its hash), `outlet_code`; no row is the end."""
    kind, twin = kind_of(channel), alias(Contact)
    index = index_column(Contact, kind)
    before = (
        exists()
        .where(index_column(twin, kind) == index, twin.id < col(Contact.id), audience.holds(twin))
        .where(agreed(twin.id, kind, purpose))
        .correlate(Contact)
    )
    start = sa_select(
        col(Contact.id).label("contact_id"), index.label("address_index"), col(Contact.outlet_code)
    )
    number = col(Contact.id if audience.list_id is None else ContactMember.contact_id)
    found: Select[Any] = _along(audience, start).where(number > after_id).order_by(number)
    return found.where(may_write(kind, purpose), ~before).limit(limit)


def left_out(session: Session, audience: Audience, channel: str, purpose: str) -> LeftOut:
    """The counts of an audience; people who share an address count each.

    Who takes nothing is looked up from the few that said so, not asked of every contact.
    """
    kind = kind_of(channel)
    index, agrees = index_column(Contact, kind), agreed(Contact.id, kind, purpose)
    mine = select(
        func.count().label("whole"),
        func.count(index).label("has_address"),
        func.sum(case((index.is_not(None) & agrees, 1), else_=0)).label("agrees"),
    )
    people = _along(audience, mine).subquery("people")
    refused = _refused(index, kind, purpose)
    told = select(func.count().label("takes_nothing"), func.sum(case((refused, 1), else_=0)).label("refused"))
    among = index.in_(_said_no(kind, purpose))
    silent = told.select_from(Contact).where(among, audience.holds(Contact), agrees).subquery("silent")
    query = select(*people.c, *silent.c).select_from(people.join(silent, true()))
    whole, has_address, agree, none, no = (int(number or 0) for number in session.execute(query).one())
    return LeftOut(agree - none, whole - has_address, has_address - agree, no, none - no)


def _along(audience: Audience, asked: Any) -> Any:
    """A question about the contacts of an audience; of a list along its key, which is the order they lie in."""
    asked = asked.select_from(Contact)
    if audience.list_id is None:
        return asked.where(audience.holds(Contact))
    member = col(ContactMember.contact_id) == Contact.id
    return asked.join(ContactMember, member).where(col(ContactMember.list_id) == audience.list_id)


def may_write(kind: str, purpose: str, contact: Any = Contact) -> ColumnElement[bool]:
    """Whether a contact can be written to: for pushes, and for segments by consent."""
    index = index_column(contact, kind)
    return and_(index.is_not(None), agreed(contact.id, kind, purpose), ~takes_nothing(index, kind, purpose))


def index_column(contact: Any, kind: str) -> Any:
    """What gives the index of a contact's address of a kind: a column, or a question beside it."""
    if kind in IN_CONTACT:
        return index_in(contact, kind)
    one = alias(ContactAddress)
    held = select(one.address_index).where(one.contact_id == contact.id, one.channel == kind)
    return held.correlate(contact).scalar_subquery()


def takes_nothing(index: Any, channel: str, purpose: str) -> ColumnElement[bool]:
    """Whether an address (a column) takes nothing for a purpose on a channel: refused, or closed for any reason."""
    kind = kind_of(channel)
    return or_(_refused(index, kind, purpose), _closed(index, kind))


def agreed(contact_id: Any, kind: str, purpose: str) -> ColumnElement[bool]:
    """Whether a contact agreed to a kind of address for a purpose."""
    one = alias(Consent)
    return exists().where(
        one.contact_id == contact_id, one.channel == kind, one.purpose == levels(purpose)[0]
    )


def _refused(index: Any, kind: str, purpose: str) -> ColumnElement[bool]:
    every, some = alias(Refusal), alias(PurposeRefusal)
    meant = or_(
        *(some.purpose == level for level in levels(purpose))
    )  # written out: a prepared statement has no lists
    return or_(
        exists().where(every.channel == kind, every.address_index == index),
        exists().where(some.channel == kind, some.address_index == index, meant),
    )


def _said_no(kind: str, purpose: str) -> Any:
    """The addresses of a kind that refused, or were closed."""
    every = select(Refusal.address_index).where(Refusal.channel == kind)
    some = select(PurposeRefusal.address_index).where(
        PurposeRefusal.channel == kind, col(PurposeRefusal.purpose).in_(levels(purpose))
    )
    gone = select(ClosedAddress.address_index).where(ClosedAddress.channel == kind)
    return union(every, some, gone)


def _closed(index: Any, kind: str) -> ColumnElement[bool]:
    one = alias(ClosedAddress)
    return exists().where(one.channel == kind, one.address_index == index)
