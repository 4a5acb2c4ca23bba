"""What campaigns hold about people: contacts with their consents and lists; refusals that outlive them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_
from sqlmodel import Session, col, select

from campaign import former
from campaign.addresses import IN_CONTACT, index_in, known_by
from campaign.among import among
from campaign.audience_models import ContactAddress, ContactGroup, PurposeRefusal
from campaign.contact_imports.models import ContactImport, ContactImportMember
from campaign.contacts import (
    CHANNEL_NAMES,
    DIARY,
    PURPOSE_NAMES,
    Consent,
    Contact,
    ContactList,
    ContactMember,
    FormerIndex,
    Refusal,
)
from core.i18n import gettext, mark
from core.privacy import Vault
from institution import holders, retention, sealed
from institution.holders import Holder, Section, Sought
from institution.retention import Rule
from institution.sealed import Opened, Row, Sealed

_COLUMNS = tuple((f"{name}_sealed", f"{name}_index", kind) for kind, name in IN_CONTACT.items())
_AT_ONCE = 500


def _indexes(_row: Row, opened: Opened, vault: Vault) -> dict[str, str]:
    """The indexes of the addresses; the first address a person has is also their identity."""
    found = {
        index: vault.index(kind, opened[column]) for column, index, kind in _COLUMNS if opened.get(column)
    }
    return found | ({"identity": next(iter(found.values()))} if found else {})


def _kept(session: Session, vault: Vault) -> Counter[str]:
    """Refusals under an older key whose address nobody holds any more, by that key."""
    known = select(FormerIndex.former)
    held = (col(column) == Refusal.address_index for column in _contact_columns())
    query = select(Refusal.address_index).where(
        col(Refusal.address_index).not_in(known), ~select(Contact.id).where(or_(*held)).exists()
    )
    return Counter(vault.key_of_index(index) for index in session.exec(query))


sealed.declare(
    Sealed(
        Contact,
        ("name_sealed", "email_sealed", "phone_sealed", "webhook_sealed"),
        mark("联系人"),
        _indexes,
    )
)


def _beside(row: Row, opened: Opened, vault: Vault) -> dict[str, str]:
    return {"address_index": vault.index(row["channel"], known_by(row["channel"], opened["sealed"]))}


sealed.declare(Sealed(ContactAddress, ("sealed",), mark("联系人在各平台的地址"), _beside))
sealed.declare(Sealed(ContactImport, ("fault_sealed",), mark("联系人导入的问题")))
sealed.keep(mark("已删除资料者的退订登记"), _kept)


def _contact_columns() -> tuple[object, ...]:
    return tuple(index_in(Contact, kind) for kind in IN_CONTACT)


def _under(indexes: Iterable[str]) -> ColumnElement[bool]:
    wanted = list(indexes)
    return or_(*(col(column).in_(wanted) for column in _contact_columns()))


def _follow(session: Session, moves: Sequence[tuple[str, str]]) -> None:
    """Link what moved with a contact; an index that only a letter had leads nowhere."""
    new = [index for _old, index in moves]
    held = {index for row in session.exec(select(Contact).where(_under(new))) for index in _held(row)}
    beside = select(ContactAddress.address_index).where(col(ContactAddress.address_index).in_(new))
    held.update(session.exec(beside))
    former.link(session, [move for move in moves if move[1] in held])


sealed.follow(_follow)


def contacts_of(session: Session, person: Sought) -> list[Contact]:
    """The rows of a person, in every part of the tree: those that hold the address itself."""
    query = select(Contact).where(_under(person.indexes)).order_by(col(Contact.id))
    return list(session.exec(query))


def beside(session: Session, indexes: Iterable[str]) -> list[int]:
    """The contacts that have one of these addresses on a channel that `contact` has no column for."""
    query = select(ContactAddress.contact_id).where(among(ContactAddress.address_index, indexes))
    return list(session.exec(query))


def _related(session: Session, indexes: Iterable[str]) -> set[str]:
    rows = session.exec(select(Contact).where(_under(indexes)))
    found = {index for row in rows for index in _held(row)}
    return found | {one for index in found | set(indexes) for one in former.family(session, index)}


def _all_held(session: Session, row: Contact) -> list[str]:
    return [*_held(row), *_elsewhere(session, [row.id])]


def _held(row: Contact) -> list[str]:
    return [index for kind in IN_CONTACT if (index := index_in(row, kind))]


def _find(session: Session, person: Sought) -> int:
    return session.exec(select(func.count()).select_from(Contact).where(_under(person.indexes))).one()


def _export(session: Session, vault: Vault, person: Sought) -> Section:
    return [_shown(session, vault, row) for row in contacts_of(session, person)]


def _shown(session: Session, vault: Vault, row: Contact) -> dict[str, str]:
    lists = select(ContactList.name).join(ContactMember).where(ContactMember.contact_id == row.id)
    consents = session.exec(select(Consent).where(Consent.contact_id == row.id).order_by(col(Consent.id)))
    beside = session.exec(select(ContactAddress).where(ContactAddress.contact_id == row.id))
    held = _all_held(session, row)
    refusals = session.exec(select(Refusal).where(col(Refusal.address_index).in_(held))).all()
    some = session.exec(select(PurposeRefusal).where(col(PurposeRefusal.address_index).in_(held))).all()
    said: list[Refusal | PurposeRefusal] = [*refusals, *some]
    return {
        gettext("姓名"): _open(vault, row.name_sealed),
        gettext("电子邮箱"): _open(vault, row.email_sealed),
        gettext("手机号"): _open(vault, row.phone_sealed),
        gettext("接口标识"): _open(vault, row.webhook_sealed),
        gettext("其他渠道的地址"): gettext("；").join(
            f"{_channel(one.channel)} {vault.decrypt(one.sealed)}" for one in beside
        ),
        gettext("网点"): row.outlet_code,
        gettext("省份"): row.province,
        gettext("登记时间"): _moment(row.created_at),
        gettext("更新时间"): _moment(row.updated_at),
        gettext("名单"): gettext("；").join(session.exec(lists)),
        gettext("同意"): gettext("；").join(_consent(one) for one in consents),
        gettext("退订"): gettext("；").join(
            f"{_channel(one.channel)} {_purpose(one)}{_moment(one.refused_at)}" for one in said
        ),
    }


def _consent(one: Consent) -> str:
    purpose = gettext(PURPOSE_NAMES.get(one.purpose, one.purpose))
    parts = (_channel(one.channel), purpose, _moment(one.given_at), one.source, one.text_version)
    return " ".join(part for part in parts if part)


def _purpose(one: Refusal | PurposeRefusal) -> str:
    """What a refusal is about, where it is not about all of the channel."""
    if isinstance(one, Refusal):
        return ""
    name = mark("小宝成长日记") if one.purpose == DIARY else PURPOSE_NAMES.get(one.purpose, one.purpose)
    return f"{gettext(name)} "


def _channel(channel: str) -> str:
    return gettext(CHANNEL_NAMES.get(channel, channel))


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="minutes")


def _open(vault: Vault, text: str) -> str:
    return vault.decrypt(text) if text else ""


def _erase(session: Session, person: Sought) -> int:
    return erase(session, contacts_of(session, person))


def _elsewhere(session: Session, ids: Sequence[int | None]) -> set[str]:
    """The indexes of the addresses that stand beside the contacts."""
    query = select(ContactAddress.address_index).where(col(ContactAddress.contact_id).in_(ids))
    return set(session.exec(query))


def erase(session: Session, rows: Sequence[Contact]) -> int:
    """Delete contacts with their memberships and consents; refusals stay, as hashes that name nobody."""
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        ids = [row.id for row in part]
        held = {index for row in part for index in _held(row)} | _elsewhere(session, ids)
        for table in (ContactMember, ContactImportMember, Consent, ContactAddress, ContactGroup):
            session.execute(delete(table).where(col(table.contact_id).in_(ids)))
        session.execute(delete(Contact).where(col(Contact.id).in_(ids)))
        former.forget(session, sorted(held))
    return len(rows)


holders.declare(Holder("contact", mark("名单联系人"), _find, _export, _erase, _related))


def _idle(before: datetime) -> ColumnElement[bool]:
    """Contacts that nobody may write to: in no list, or without any consent."""
    listed = select(ContactMember.contact_id).where(ContactMember.contact_id == Contact.id).exists()
    agreed = select(Consent.id).where(Consent.contact_id == Contact.id).exists()
    return (col(Contact.updated_at) < before) & (~listed | ~agreed)


def _clear_idle(session: Session, before: datetime) -> int:
    return erase(session, list(session.exec(select(Contact).where(_idle(before)))))


retention.declare(
    Rule(
        "contact.idle",
        mark("不在任何名单里，或没有同意凭据的联系人"),
        30,
        mark("《个人信息保护法》第四十七条：目的已实现或不再必要时应当删除"),
        count=lambda session, before: session.exec(
            select(func.count()).select_from(Contact).where(_idle(before))
        ).one(),
        clear=_clear_idle,
    )
)
retention.stand(mark("名单里的联系人与同意凭据"), mark("同意有效期间保存；退订或要求删除时处理"))
retention.stand(
    mark("退订登记（只有哈希）"),
    mark("长期保存，保证退订的人不会再收到；《消费者权益保护管理办法》第四十一条"),
)
