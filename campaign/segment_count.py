"""How many people a question about contacts finds, quickly at a million: the few who may not be written to are counted
and taken off, rather than looked up for each of the many who may."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, func, or_, union_all
from sqlmodel import Session, select

from campaign.addresses import IN_CONTACT
from campaign.audience_models import ClosedAddress, PurposeRefusal
from campaign.contacts import Contact, Refusal
from campaign.recipients import agreed, index_column, may_write

# What a filter may ask of a contact: all but its ciphertext.
_OPEN = [getattr(Contact, name) for name in Contact.model_fields if not name.endswith("_sealed")]
Where = Callable[[Any], ColumnElement[bool]]


def count(session: Session, where: Where, kind: str = "", purpose: str = "") -> int:
    """The contacts for which `where` holds; with a kind of address, those whom it reaches for the purpose.

    The first count goes along narrow indexes alone. The second begins with what was refused or closed, and holds what
    it found (MATERIALIZED): else an engine looks through everybody for the few.
    """
    if not kind:
        return _number(session, Contact, where(Contact))
    if kind not in IN_CONTACT:
        return _number(session, Contact, where(Contact), may_write(kind, purpose, Contact))
    index: Any = index_column(Contact, kind)
    shut = select(*_OPEN).where(or_(index.is_(None), index.in_(_shut(kind, purpose))))
    few = shut.cte("shut").prefix_with("MATERIALIZED").c
    willing = _number(session, Contact, where(Contact), agreed(Contact.id, kind, purpose))
    return willing - _number(session, few, where(few), agreed(few.id, kind, purpose))


def _number(session: Session, contact: Any, *where: ColumnElement[bool]) -> int:
    return session.exec(select(func.count(contact.id)).where(*where)).one()


def _shut(kind: str, purpose: str) -> Any:
    """The addresses that take nothing (for this purpose) on the channels of a kind."""
    some = select(PurposeRefusal.address_index).where(
        PurposeRefusal.channel == kind, PurposeRefusal.purpose == purpose
    )
    every = select(Refusal.address_index).where(Refusal.channel == kind)
    closed = select(ClosedAddress.address_index).where(ClosedAddress.channel == kind)
    return union_all(every, some, closed)
