"""Whom a push goes to, page by page in the order of contacts: an address, consent, no refusal; nothing is kept."""

from dataclasses import dataclass

from sqlalchemy import Select, and_, bindparam, case, func, select
from sqlmodel import Session, col

from campaign.audience import Recipient
from campaign.contacts import EDUCATION, EMAIL, SMS, WEBHOOK, Consent, Contact, ContactMember, Refusal
from core.database import Prepared

_INDEX = {EMAIL: Contact.email_index, WEBHOOK: Contact.webhook_index, SMS: Contact.phone_index}


@dataclass(frozen=True, slots=True)
class Figures:
    """How many of a list a push goes to, and how many it leaves out for which reason. Addresses that stand twice in
    the list are counted twice here and written to once."""

    chosen: int
    no_address: int
    no_consent: int
    refused: int


def page(session: Session, list_id: int, channel: str, *, after: int, limit: int) -> list[Recipient]:
    """The next recipients whose contact id is above `after`, at most `limit` of them."""
    values = {"list": list_id, "after": after, "most": limit}
    return [Recipient(*row) for row in _PAGES[channel].on(session.connection(), values)]


def figures(session: Session, list_id: int, channel: str) -> Figures:
    """How many there are now: an estimate of what will be cut, since people come and go meanwhile."""
    (row,) = _FIGURES[channel].on(session.connection(), {"list": list_id})
    return Figures(*(int(number or 0) for number in row))


def _parts(channel: str) -> tuple[object, object, object]:
    index = col(_INDEX[channel])
    agreed = select(Consent.id).where(
        Consent.contact_id == Contact.id, Consent.channel == channel, Consent.purpose == EDUCATION
    )  # fmt: skip
    said_no = select(Refusal.channel).where(Refusal.channel == channel, col(Refusal.address_index) == index)
    return and_(index.is_not(None), index != ""), agreed.exists(), said_no.exists()


def _paged(channel: str) -> Select[tuple[int, str, str]]:
    has, agreed, said_no = _parts(channel)
    return (
        select(col(ContactMember.contact_id), col(_INDEX[channel]), col(Contact.outlet_code))
        .join(Contact, col(ContactMember.contact_id) == col(Contact.id))
        .where(
            col(ContactMember.list_id) == bindparam("list"),
            col(ContactMember.contact_id) > bindparam("after"),
            has, agreed, ~said_no,  # type: ignore[arg-type, operator]
        )
        .order_by(col(ContactMember.contact_id))
        .limit(bindparam("most"))
    )  # fmt: skip


def _counted(channel: str) -> Select[tuple[int, int, int, int]]:
    has, agreed, said_no = _parts(channel)
    reason = case((~has, 1), (~agreed, 2), (said_no, 3), else_=0).label("reason")  # type: ignore[arg-type, operator]
    rows = (
        select(reason)
        .select_from(ContactMember)
        .join(Contact, col(ContactMember.contact_id) == col(Contact.id))
        .where(col(ContactMember.list_id) == bindparam("list"))
        .subquery()
    )
    return select(*(func.sum(case((rows.c.reason == number, 1), else_=0)) for number in range(4)))


_PAGES = {channel: Prepared(_paged(channel)) for channel in _INDEX}
_FIGURES = {channel: Prepared(_counted(channel)) for channel in _INDEX}
