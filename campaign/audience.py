"""Who may be written to: consent, refusals that nothing overrides; the lists themselves are `lists`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from campaign import former
from campaign.contacts import EDUCATION, EMAIL, SMS, WEBHOOK, Consent, Contact, ContactMember, Refusal
from campaign.lists import (
    ListRow,
    MaskedContact,
    find_list,
    get_contact,
    get_list,
    index_of,
    lists,
    make_list,
    members,
)
from core.errors import Invalid
from core.i18n import mark
from core.privacy import Vault, mask_email, mask_phone
from institution import audit

__all__ = ["ListRow", "MaskedContact", "find_list", "get_list", "lists", "make_list", "members"]

audit.declare(
    {
        "contact.unsubscribe": mark("本人退订"),
        "contact.refuse": mark("登记退订"),
        "contact.erase": mark("删除联系人资料"),
    }
)

_INDEX = {EMAIL: Contact.email_index, WEBHOOK: Contact.webhook_index, SMS: Contact.phone_index}
_SHOWN_OF_INDEX = 16  # of the keyed hash: enough to tell two apart in the log, too little to look one up
_MASKS = {EMAIL: mask_email, SMS: mask_phone, WEBHOOK: mask_phone}


@dataclass(frozen=True, slots=True)
class Recipient:
    """A member of a list who agreed to the channel and did not refuse it; no address, only its hash."""

    contact_id: int
    address_index: str
    outlet_code: str


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom a push goes to, and how many of the list it leaves out for which reason."""

    chosen: list[Recipient]
    no_address: int
    no_consent: int
    refused: int


@dataclass(frozen=True, slots=True)
class Address:
    """Where one message goes, in clear: only for the moment of sending, never stored or logged."""

    contact_id: int
    name: str
    address: str


def recipients(session: Session, list_id: int, channel: str) -> Recipients:
    """Whom of the list the channel may reach now: an address, consent, no refusal, each address once."""
    index = _INDEX[channel]
    query = (
        select(Contact.id, index, Contact.outlet_code)
        .join(ContactMember, col(ContactMember.contact_id) == Contact.id)
        .where(ContactMember.list_id == list_id)
        .order_by(col(Contact.id))
    )
    agreed = set(
        session.exec(
            select(Consent.contact_id)
            .join(ContactMember, col(ContactMember.contact_id) == Consent.contact_id)
            .where(ContactMember.list_id == list_id, Consent.channel == channel, Consent.purpose == EDUCATION)
        )
    )
    said_no = set(
        session.exec(
            select(Refusal.address_index)
            .join(Contact, index == Refusal.address_index)  # type: ignore[arg-type]
            .join(ContactMember, col(ContactMember.contact_id) == Contact.id)
            .where(ContactMember.list_id == list_id, Refusal.channel == channel)
        )
    )
    chosen: dict[str, Recipient] = {}
    no_address = no_consent = refused = 0
    for contact_id, address_index, outlet in session.exec(query):
        if not address_index:
            no_address += 1
        elif contact_id not in agreed:
            no_consent += 1
        elif address_index in said_no:
            refused += 1
        else:
            chosen.setdefault(address_index, Recipient(contact_id or 0, address_index, outlet))
    return Recipients(list(chosen.values()), no_address, no_consent, refused)


def addresses(session: Session, vault: Vault, channel: str, contact_ids: Sequence[int]) -> dict[int, Address]:
    """The addresses in clear of these contacts, by contact id; an erased contact is missing."""
    found = {}
    for row in session.exec(select(Contact).where(col(Contact.id).in_(contact_ids))):
        sealed = {EMAIL: row.email_sealed, WEBHOOK: row.webhook_sealed, SMS: row.phone_sealed}[channel]
        if sealed and row.id is not None:
            name = vault.decrypt(row.name_sealed) if row.name_sealed else ""
            found[row.id] = Address(row.id, name, vault.decrypt(sealed))
    return found


def masked_addresses(
    session: Session, vault: Vault, channel: str, contact_ids: Sequence[int]
) -> dict[int, str]:
    """The same, masked, for the desk."""
    found = addresses(session, vault, channel, contact_ids)
    return {key: _MASKS[channel](row.address) for key, row in found.items()}


def refuse(session: Session, channel: str, address_index: str, *, via: str, now: datetime) -> bool:
    """Record that an address wants nothing more on a channel; False when it had said so before.

    Law (消费者权益保护管理办法 art. 41): after a refusal nothing is sent again in the same way.
    """
    if not former.refuse(session, channel, address_index, via=via, now=now):
        return False
    after = {"channel": channel, "via": via}
    audit.record(session, "contact.unsubscribe", "refusal", address_index[:_SHOWN_OF_INDEX], after=after)
    return True


def is_refused(session: Session, channel: str, address_index: str) -> bool:
    """Whether this address said no on this channel."""
    return session.get(Refusal, (channel, address_index)) is not None


def refused_among(session: Session, channel: str, indexes: Iterable[str]) -> set[str]:
    """Which of these addresses said no on this channel."""
    query = select(Refusal.address_index).where(
        Refusal.channel == channel, col(Refusal.address_index).in_(list(indexes))
    )
    return set(session.exec(query))


def refuse_contact(session: Session, contact_id: int, channel: str, *, now: datetime) -> None:
    """Record at the desk what a person said on the telephone or at a counter."""
    contact = get_contact(session, contact_id)
    index = index_of(contact, channel)
    if not index:
        raise Invalid(mark("这位联系人没有这个渠道的地址。"), field="channel")
    former.refuse(session, channel, index, via="desk", now=now)
    audit.record(
        session, "contact.refuse", "contact", contact_id, after={"channel": channel},
        outlet_code=contact.holder_code,
    )  # fmt: skip


def erase(session: Session, contact_id: int) -> None:
    """Delete a person's data on request (PIPL art. 47); refusals stay, as hashes that name nobody."""
    contact = get_contact(session, contact_id)
    indexes = [one for channel in _INDEX if (one := index_of(contact, channel))]
    session.execute(delete(ContactMember).where(col(ContactMember.contact_id) == contact_id))
    session.execute(delete(Consent).where(col(Consent.contact_id) == contact_id))
    session.execute(delete(Contact).where(col(Contact.id) == contact_id))
    former.forget(session, indexes)
    audit.record(session, "contact.erase", "contact", contact_id, outlet_code=contact.holder_code)
