"""Contact lists and the people in them as the desk sees them: by part of the tree, masked."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, update
from sqlmodel import Session, col, select

from campaign.addresses import IN_CONTACT, index_in, sealed_in
from campaign.audience_models import ContactAddress
from campaign.contacts import (
    CHANNEL_NAMES,
    EMAIL,
    SMS,
    WEBHOOK,
    Consent,
    Contact,
    ContactList,
    ContactMember,
    Refusal,
    put_unless_there,
)
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from core.privacy import Vault, mask_email, mask_name, mask_phone, normal_email, normal_phone
from institution import audit, places
from institution.powers import WHOLE

PAGE = 50
_MOST_NARROWED = 10_000
audit.declare({"list.make": mark("新建名单"), "list.export": mark("导出名单（脱敏）")})


@dataclass(frozen=True, slots=True)
class ListRow:
    """A list, where it belongs, and how many people stand in it."""

    id: int
    name: str
    size: int
    updated_at: datetime
    outlet_code: str = WHOLE
    place: str = ""


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
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list's people are narrowed by: an outlet, a channel agreed to, a whole address (found by index)."""

    outlet_code: str = ""
    channel: str = ""
    address: str = ""


def make_list(session: Session, name: str, now: datetime, *, outlet_code: str = WHOLE) -> ContactList:
    """A new list of a node, under a name that the node does not use yet."""
    made = new_list(session, name, now, outlet_code=outlet_code)
    audit.record(session, "list.make", "list", made.id, after={"name": made.name}, outlet_code=outlet_code)
    return made


def new_list(session: Session, name: str, now: datetime, *, outlet_code: str = WHOLE) -> ContactList:
    """`make_list` for an import, which leaves one record for all of it."""
    name = name.strip()
    if not name or len(name) > 80:
        raise Invalid(mark("请给名单起一个名字（不超过 80 个字）。"), field="name")
    made = ContactList(name=name, outlet_code=outlet_code, created_at=now, updated_at=now)
    number = put_unless_there(session, made, "outlet_code", "name")
    if number is None:
        raise Conflict(mark("已有名为“%(name)s”的名单，请换一个名字。"), field="name", name=name)
    return session.get_one(ContactList, number)


def found_or_made(session: Session, name: str, now: datetime) -> ContactList:
    """The list of the whole institution that people join by themselves; the first two of them in one moment make one."""
    try:
        return find_list(session, name) or make_list(session, name, now)
    except Conflict:
        found = find_list(session, name)
        assert found is not None  # noqa: S101  (whoever was first has committed it)
        return found


def find_list(session: Session, name: str, *, outlet_code: str = WHOLE) -> ContactList | None:
    """The list of this name at a node, if there is one."""
    query = select(ContactList).where(
        ContactList.name == name.strip(), ContactList.outlet_code == outlet_code
    )
    return session.exec(query).first()


def get_list(session: Session, list_id: int) -> ContactList:
    """The list, or NotFound."""
    found = session.get(ContactList, list_id)
    if found is None:
        raise NotFound(mark("没有找到这份名单。"))
    return found


def get_contact(session: Session, contact_id: int) -> Contact:
    """The contact, or NotFound."""
    contact = session.get(Contact, contact_id)
    if contact is None:
        raise NotFound(mark("没有找到这位联系人，可能已按本人要求删除。"))
    return contact


def lists(session: Session, *where: ColumnElement[bool]) -> list[ListRow]:
    """The lists for which the conditions hold, with their sizes, by name."""
    size = func.count(col(ContactMember.contact_id))
    query = (
        select(ContactList, size)
        .join(ContactMember, col(ContactMember.list_id) == ContactList.id, isouter=True)
        .where(*where)
        .group_by(col(ContactList.id))
        .order_by(ContactList.name, col(ContactList.id))
    )
    rows = list(session.exec(query))
    names = places.names(session, {row.outlet_code for row, _count in rows})
    return [
        ListRow(row.id or 0, row.name, count, row.updated_at, row.outlet_code, names[row.outlet_code])
        for row, count in rows
    ]


def touch(session: Session, list_id: int, now: datetime) -> None:
    """Note that a list was changed."""
    session.execute(update(ContactList).where(col(ContactList.id) == list_id).values(updated_at=now))


def members(
    session: Session, vault: Vault, list_id: int, page: int, wanted: Wanted | None = None
) -> tuple[list[MaskedContact], int]:
    """One page of a list, masked, and the number of pages: of a narrowed list as many as its first ten thousand fill.

    Both go along the key of the list alone, and only the people shown are looked up: 0.1 s at a million.
    """
    narrowed = wanted or Wanted()
    member = ContactMember.contact_id
    numbers = select(member).where(col(ContactMember.list_id) == list_id)
    if narrowed != Wanted():
        numbers = select(member).join(Contact, col(Contact.id) == member)
        numbers = numbers.where(*_where(vault, list_id, narrowed)).limit(_MOST_NARROWED)
    total = session.exec(select(func.count()).select_from(numbers.subquery())).one()
    shown = numbers.order_by(col(member)).offset((page - 1) * PAGE).limit(PAGE)
    query = select(Contact).where(col(Contact.id).in_(shown)).order_by(col(Contact.id))
    return masked(session, vault, list(session.exec(query))), max(1, -(-total // PAGE))


def export(
    session: Session, vault: Vault, of: ContactList, wanted: Wanted | None = None
) -> list[MaskedContact]:
    """All people of a list, masked, for a file; it is written down that they were exported."""
    where = _where(vault, of.id or 0, wanted or Wanted())
    query = select(Contact).join(ContactMember, col(ContactMember.contact_id) == Contact.id).where(*where)
    rows = masked(session, vault, list(session.exec(query.order_by(col(Contact.id)))))
    after = {"name": of.name, "rows": len(rows)}
    audit.record(session, "list.export", "list", of.id, after=after, outlet_code=of.outlet_code)
    return rows


def masked(session: Session, vault: Vault, rows: Sequence[Contact]) -> list[MaskedContact]:
    """What the desk may see of these contacts."""
    agreed, refused = _agreed(session, rows), _refused(session, rows)
    return [
        MaskedContact(
            id=row.id or 0,
            name=mask_name(_open(vault, row.name_sealed)),
            email=mask_email(_open(vault, row.email_sealed)) if row.email_sealed else "",
            phone=mask_phone(_open(vault, row.phone_sealed)) if row.phone_sealed else "",
            webhook_id=mask_phone(_open(vault, row.webhook_sealed)) if row.webhook_sealed else "",
            outlet_code=row.outlet_code,
            province=row.province,
            agreed=tuple(sorted(agreed[row.id or 0])),
            refused=tuple(
                channel
                for channel in CHANNEL_NAMES
                if (index := index_in(row, channel)) and (channel, index) in refused
            ),
            updated_at=row.updated_at,
        )
        for row in rows
    ]


def addresses_sealed(session: Session, kind: str, rows: Sequence[Contact]) -> dict[int, str]:
    """The encrypted addresses of a kind that these contacts have, by contact."""
    if kind in IN_CONTACT:
        return {row.id or 0: held for row in rows if (held := sealed_in(row, kind))}
    mine = (ContactAddress.channel == kind, col(ContactAddress.contact_id).in_([row.id for row in rows]))
    query = select(ContactAddress.contact_id, ContactAddress.sealed).where(*mine)
    return dict(session.exec(query).all())


def indexes_of(session: Session, contact: Contact) -> dict[str, str]:
    """The blind indexes of all addresses of a contact, by kind."""
    query = select(ContactAddress.channel, ContactAddress.address_index)
    more = dict(session.exec(query.where(ContactAddress.contact_id == contact.id)).all())
    return {kind: index for kind in IN_CONTACT if (index := index_in(contact, kind))} | more


def _where(vault: Vault, list_id: int, wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [col(ContactMember.list_id) == list_id]
    if wanted.outlet_code:
        found.append(col(Contact.outlet_code) == wanted.outlet_code)
    if wanted.channel:
        mine = (col(Consent.contact_id) == ContactMember.contact_id, col(Consent.channel) == wanted.channel)
        found.append(exists().where(and_(*mine)))
    if wanted.address.strip():
        found.append(col(ContactMember.contact_id).in_(select(Contact.id).where(_at(vault, wanted.address))))
    return found


def _at(vault: Vault, text: str) -> ColumnElement[bool]:
    """Who has exactly this address; nothing of it is written anywhere."""
    email, phone = vault.indexes(EMAIL, normal_email(text)), vault.indexes(SMS, normal_phone(text))
    hook = vault.indexes(WEBHOOK, text.strip())
    return (
        col(Contact.email_index).in_(email)
        | col(Contact.phone_index).in_(phone)
        | col(Contact.webhook_index).in_(hook)
    )


def _parts(ids: Sequence[str | int]) -> list[Sequence[str | int]]:
    return [ids[start : start + 500] for start in range(0, len(ids), 500)]


def _agreed(session: Session, rows: Sequence[Contact]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for part in _parts([row.id or 0 for row in rows]):
        query = select(Consent.contact_id, Consent.channel).where(col(Consent.contact_id).in_(part))
        for contact_id, channel in session.exec(query):
            found[contact_id].add(channel)
    return found


def _refused(session: Session, rows: Sequence[Contact]) -> set[tuple[str, str]]:
    indexes = [index for row in rows for channel in CHANNEL_NAMES if (index := index_in(row, channel))]
    found: set[tuple[str, str]] = set()
    for part in _parts(indexes):
        query = select(Refusal.channel, Refusal.address_index).where(col(Refusal.address_index).in_(part))
        found.update(session.exec(query).all())
    return found


def _open(vault: Vault, sealed: str) -> str:
    return vault.decrypt(sealed) if sealed else ""
