"""Who may be written to: lists, contacts shown masked, consent, refusals that nothing overrides."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from campaign import former
from campaign.contacts import (
    EDUCATION,
    EMAIL,
    SMS,
    WEBHOOK,
    Consent,
    Contact,
    ContactList,
    ContactMember,
    Refusal,
)
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from core.privacy import Vault, mask_email, mask_name, mask_phone

PAGE = 50
_INDEX = {EMAIL: Contact.email_index, WEBHOOK: Contact.webhook_index, SMS: Contact.phone_index}
_MASKS = {EMAIL: mask_email, SMS: mask_phone, WEBHOOK: mask_phone}


@dataclass(frozen=True, slots=True)
class ListRow:
    """A list and how many people stand in it."""

    id: int
    name: str
    size: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class MaskedContact:
    """What the desk may see of a contact; `refused` names the channels the person said no on."""

    id: int
    name: str
    email: str
    phone: str
    webhook_id: str
    outlet_code: str
    province: str
    agreed: tuple[str, ...]
    refused: tuple[str, ...]


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


def make_list(session: Session, name: str, now: datetime) -> ContactList:
    """A new list under a name nobody uses yet."""
    name = name.strip()
    if not name or len(name) > 80:
        raise Invalid(mark("请给名单起一个名字（不超过 80 个字）。"), field="name")
    if find_list(session, name):
        raise Conflict(mark("已有名为“%(name)s”的名单，请换一个名字。"), field="name", name=name)
    made = ContactList(name=name, created_at=now, updated_at=now)
    session.add(made)
    session.flush()
    return made


def find_list(session: Session, name: str) -> ContactList | None:
    """The list of this name, if there is one."""
    return session.exec(select(ContactList).where(ContactList.name == name.strip())).first()


def get_list(session: Session, list_id: int) -> ContactList:
    """The list, or NotFound."""
    found = session.get(ContactList, list_id)
    if found is None:
        raise NotFound(mark("没有找到这份名单。"))
    return found


def lists(session: Session) -> list[ListRow]:
    """All lists with their sizes, by name."""
    size = func.count(col(ContactMember.contact_id))
    query = (
        select(ContactList, size)
        .join(ContactMember, col(ContactMember.list_id) == ContactList.id, isouter=True)
        .group_by(col(ContactList.id))
        .order_by(ContactList.name)
    )
    return [ListRow(row.id or 0, row.name, count, row.updated_at) for row, count in session.exec(query)]


def members(session: Session, vault: Vault, list_id: int, page: int) -> tuple[list[MaskedContact], int]:
    """One page of a list, masked, and the number of pages."""
    total = session.exec(
        select(func.count()).select_from(ContactMember).where(ContactMember.list_id == list_id)
    ).one()
    query = (
        select(Contact)
        .join(ContactMember, col(ContactMember.contact_id) == Contact.id)
        .where(ContactMember.list_id == list_id)
        .order_by(col(Contact.id))
        .offset((page - 1) * PAGE)
        .limit(PAGE)
    )
    rows = list(session.exec(query))
    agreed = _agreed(session, [row.id or 0 for row in rows])
    masked = [_masked(session, vault, row, agreed.get(row.id or 0, ())) for row in rows]
    return masked, max(1, -(-total // PAGE))


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
    return former.refuse(session, channel, address_index, via=via, now=now)


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
    contact = _contact(session, contact_id)
    index = {EMAIL: contact.email_index, WEBHOOK: contact.webhook_index, SMS: contact.phone_index}.get(
        channel
    )
    if not index:
        raise Invalid(mark("这位联系人没有这个渠道的地址。"), field="channel")
    refuse(session, channel, index, via="desk", now=now)


def erase(session: Session, contact_id: int) -> None:
    """Delete a person's data on request (PIPL art. 47); refusals stay, as hashes that name nobody."""
    contact = _contact(session, contact_id)
    indexes = [one for one in (contact.email_index, contact.phone_index, contact.webhook_index) if one]
    session.execute(delete(ContactMember).where(col(ContactMember.contact_id) == contact_id))
    session.execute(delete(Consent).where(col(Consent.contact_id) == contact_id))
    session.execute(delete(Contact).where(col(Contact.id) == contact_id))
    former.forget(session, indexes)


def touch(session: Session, list_id: int, now: datetime) -> None:
    """Note that a list was changed."""
    session.execute(update(ContactList).where(col(ContactList.id) == list_id).values(updated_at=now))


def _contact(session: Session, contact_id: int) -> Contact:
    contact = session.get(Contact, contact_id)
    if contact is None:
        raise NotFound(mark("没有找到这位联系人，可能已按本人要求删除。"))
    return contact


def _agreed(session: Session, contact_ids: list[int]) -> dict[int, tuple[str, ...]]:
    query = (
        select(Consent.contact_id, Consent.channel).where(col(Consent.contact_id).in_(contact_ids)).distinct()
    )
    found: dict[int, tuple[str, ...]] = {}
    for contact_id, channel in session.exec(query):
        found[contact_id] = (*found.get(contact_id, ()), channel)
    return found


def _masked(session: Session, vault: Vault, row: Contact, agreed: tuple[str, ...]) -> MaskedContact:
    return MaskedContact(
        id=row.id or 0,
        name=mask_name(_open(vault, row.name_sealed)),
        email=mask_email(_open(vault, row.email_sealed)) if row.email_sealed else "",
        phone=mask_phone(_open(vault, row.phone_sealed)) if row.phone_sealed else "",
        webhook_id=mask_phone(_open(vault, row.webhook_sealed)) if row.webhook_sealed else "",
        outlet_code=row.outlet_code,
        province=row.province,
        agreed=agreed,
        refused=tuple(_refused_channels(session, row)),
    )


def _open(vault: Vault, sealed: str) -> str:
    return vault.decrypt(sealed) if sealed else ""


def _refused_channels(session: Session, row: Contact) -> Iterator[str]:
    for channel, index in ((EMAIL, row.email_index), (WEBHOOK, row.webhook_index), (SMS, row.phone_index)):
        if index and is_refused(session, channel, index):
            yield channel
