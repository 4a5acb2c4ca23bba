"""How many people a question about contacts finds, quickly at a million: the few who may not be written to are counted
and taken off, rather than looked up for each of the many who may."""

from typing import Any

from sqlalchemy import ColumnElement, func, or_, union_all
from sqlmodel import Session, col, select

from campaign.audience_models import ClosedAddress, PurposeRefusal
from campaign.contacts import Contact, Refusal
from campaign.recipients import agreed, index_column


def count(session: Session, where: ColumnElement[bool], kind: str = "", purpose: str = "") -> int:
    """The contacts for which `where` holds; with a kind of address, those whom it reaches for the purpose.

    The first count reads narrow indexes alone. The second begins with what was refused or closed.
    """
    if not kind:
        return _number(session, where)
    said = agreed(Contact.id, kind, purpose)
    index: Any = index_column(Contact, kind)
    left_out = or_(index.is_(None), index.in_(_shut(kind, purpose)))
    return _number(session, where, said) - _number(session, where, said, left_out)


def _number(session: Session, *where: ColumnElement[bool]) -> int:
    return session.exec(select(func.count(col(Contact.id))).where(*where)).one()


def _shut(kind: str, purpose: str) -> Any:
    """The addresses that take nothing (for this purpose) on the channels of a kind."""
    some = select(PurposeRefusal.address_index).where(
        PurposeRefusal.channel == kind, PurposeRefusal.purpose == purpose
    )
    every = select(Refusal.address_index).where(Refusal.channel == kind)
    closed = select(ClosedAddress.address_index).where(ClosedAddress.channel == kind)
    return union_all(every, some, closed)
