"""Rows of a contact file written to the database: some thousand at a time, one look-up per table, plain tuples."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, text, update
from sqlmodel import Session, col, select

from campaign import audience, former
from campaign.addresses import IN_CONTACT, known_by
from campaign.among import among
from campaign.audience_models import ContactAddress, ContactGroup
from campaign.audience_rows import ContactRow
from campaign.contacts import Consent, Contact, ContactMember
from core.bulk import Bulk
from core.database import Prepared
from core.privacy import Vault

_Values = dict[str, Any]
Family = tuple[str, ...]

_SET = (
    "name_sealed", "email_sealed", "email_index", "phone_sealed", "phone_index", "webhook_sealed", "webhook_index",
    "outlet_code", "province", "language",
)  # fmt: skip
_EMPTY: _Values = {name: None if name.endswith("_index") else "" for name in _SET}
_CONTACT = Bulk(Contact, "id", "identity", "holder_code", "created_at", "updated_at", *_SET)
_CONSENT = Bulk(
    Consent, "contact_id", "channel", "purpose", "given_at", "source", "text_version", "recorded_at"
)
_MEMBER, _GROUP = Bulk(ContactMember, "list_id", "contact_id"), Bulk(ContactGroup, "contact_id", "name")
_ADDRESS = Bulk(ContactAddress, "contact_id", "channel", "sealed", "address_index", "since")
_CHANGE = Prepared(
    update(Contact)
    .where(col(Contact.id) == bindparam("number"))
    .values({name: bindparam(name, type_=Contact.__table__.c[name].type) for name in (*_SET, "updated_at")})  # type: ignore[attr-defined]
)


class Held(NamedTuple):
    """What is known of a person already."""

    id: int
    identity: str
    name_sealed: str
    email_sealed: str
    email_index: str | None
    phone_sealed: str
    phone_index: str | None
    webhook_sealed: str
    webhook_index: str | None
    outlet_code: str
    province: str
    language: str


_HELD = [getattr(Contact, name) for name in Held._fields]


class _Known(NamedTuple):
    """A row of the file with every hash that its addresses may have, and the contact that it is of, if there is one."""

    row: ContactRow
    families: list[tuple[str, str, Family]]
    contact: Held | None

    @property
    def identity(self) -> str:
        """The hash that the person is known by."""
        return self.families[0][2][0]


class Writing:
    """Counts what the rows do, and does it when `apply` says so. `join` puts people into the list, each once."""

    def __init__(
        self,
        session: Session,
        vault: Vault,
        now: datetime,
        holder: str,
        join: Callable[[list[int]], None] | None,
    ) -> None:
        self._session, self._vault, self._now, self._holder = session, vault, now, holder
        self._join = join
        self._family = families(session, vault)
        self.added = self.changed = self.unchanged = self.refused = 0

    def run(self, rows: Sequence[ContactRow], *, in_order: bool = False) -> None:
        """One part of the file; `in_order` of the index, for the sake of the database's pages."""
        known = self._look_up(rows)
        if in_order:
            known.sort(key=lambda one: one.families[0][2][0])
        old = [one for one in known if one.contact is not None]
        beside = self._beside([one.contact.id for one in old if one.contact])
        self._count_refused(known)
        changes = [(one, values) for one in old if (values := self._changes(one, one.contact, beside))]
        self.added += len(known) - len(old)
        self.changed += len(changes)
        self.unchanged += len(old) - len(changes)
        if self._join is not None:
            self._session.flush()
            new = [one for one in known if one.contact is None]
            former.adopt(self._session, [
                (family[0], family)
                for one in (*new, *(each for each, _values in changes))
                for _kind, _text, family in one.families if len(family) > 1
            ])  # fmt: skip
            self._change(changes)
            numbers = self._put(new)
            pairs = [(one, number) for one, number in zip(new, numbers, strict=True)]
            pairs += [(one, one.contact.id) for one in old if one.contact]
            self._follow(pairs, {one.contact.id for one in old if one.contact}, beside)
            self._join([number for _one, number in pairs])

    def _look_up(self, rows: Sequence[ContactRow]) -> list[_Known]:
        """The contacts that are known already, under whichever key their identity was computed."""
        family = self._family
        made = [
            (row, [(kind, given, family(kind, known_by(kind, given))) for kind, given in row.addresses])
            for row in rows
        ]
        of = {index: at for at, (_row, families) in enumerate(made) for index in families[0][2]}
        query = select(*_HELD).where(among(Contact.identity, of), Contact.holder_code == self._holder)
        found = {of[one.identity]: Held._make(one) for one in self._session.connection().execute(query)}
        return [_Known(row, families, found.get(at)) for at, (row, families) in enumerate(made)]

    def _beside(self, ids: list[int]) -> dict[tuple[int, str], str]:
        """The hashes of addresses of platforms, by contact and channel."""
        one = ContactAddress
        query = select(one.contact_id, one.channel, one.address_index).where(col(one.contact_id).in_(ids))
        found = self._session.connection().execute(query) if ids else ()
        return {(number, channel): index for number, channel, index in found}

    def _changes(
        self, one: _Known, contact: Held | None, beside: dict[tuple[int, str], str] | None = None
    ) -> _Values:
        """The columns of Contact that this row sets; an address or name left empty keeps what is known. What stands
        beside the contact and is new sets none, and shows as `more`."""
        values: _Values = {}
        row = one.row
        for kind, given, family in one.families:
            name = IN_CONTACT.get(kind)
            if name is None:
                if contact and beside is not None and beside.get((contact.id, kind)) not in family:
                    values["more"] = True
            elif contact is None or getattr(contact, f"{name}_index") not in family:
                values[f"{name}_index"], values[f"{name}_sealed"] = family[0], self._sealed(given)
        known_name = self._vault.decrypt(contact.name_sealed) if contact and contact.name_sealed else ""
        if row.name and row.name != known_name:
            values["name_sealed"] = self._sealed(row.name)
        served = row.outlet_code or ("" if contact and contact.outlet_code else self._holder)
        for name, said in (("outlet_code", served), ("province", row.province), ("language", row.language)):
            if said and (contact is None or getattr(contact, name) != said):
                values[name] = said
        return values

    def _sealed(self, given: str) -> str:
        """Ciphertext; nothing when nothing is written."""
        return self._vault.encrypt(given) if self._join is not None else "-"

    def _put(self, new: list[_Known]) -> list[int]:
        """Insert who is new; their numbers."""
        numbers = _numbers(self._session, len(new))
        rows = []
        for one, number in zip(new, numbers, strict=True):
            values = _EMPTY | self._changes(one, None)
            rows.append(
                (number, one.identity, self._holder, self._now, self._now, *[values[name] for name in _SET])
            )
        _CONTACT.on(self._session.connection(), rows)
        return numbers

    def _change(self, changes: list[tuple[_Known, _Values]]) -> None:
        rows = [
            {name: values.get(name, getattr(one.contact, name)) for name in _SET}
            | {"updated_at": self._now, "number": one.contact.id if one.contact else 0}
            for one, values in changes
        ]
        if rows:
            _CHANGE.on(self._session.connection(), *rows)

    def _follow(
        self, pairs: list[tuple[_Known, int]], old: set[int], beside: dict[tuple[int, str], str]
    ) -> None:
        """What hangs on the contacts: consents, groups, addresses of platforms."""
        connection, now = self._session.connection(), self._now
        agreed, grouped = self._agreed(old), self._grouped(old)
        consents, groups, addresses = [], [], []
        for one, number in pairs:
            row, is_old = one.row, number in old
            for channel in row.channels:
                for purpose in row.purposes:
                    if not is_old or (number, channel, purpose, row.given_at) not in agreed:
                        consents.append(
                            (number, channel, purpose, row.given_at, row.source, row.text_version, now)
                        )
            groups += [(number, name) for name in row.groups if (number, name) not in grouped]
            if len(one.families) > 1 or one.families[0][0] not in IN_CONTACT:
                addresses += [
                    (number, kind, self._sealed(given), family[0], now)
                    for kind, given, family in one.families
                    if kind not in IN_CONTACT and beside.get((number, kind)) not in family
                ]
        _CONSENT.on(connection, consents)
        _GROUP.on(connection, groups)
        self._put_beside(addresses, beside)

    def _agreed(self, old: Iterable[int]) -> set[tuple[Any, ...]]:
        one = Consent
        query = select(one.contact_id, one.channel, one.purpose, one.given_at)
        found = query.where(col(one.contact_id).in_(old))
        return {tuple(each) for each in self._session.connection().execute(found)} if old else set()

    def _grouped(self, old: Iterable[int]) -> set[tuple[Any, ...]]:
        query = select(ContactGroup.contact_id, ContactGroup.name)
        found = query.where(col(ContactGroup.contact_id).in_(old))
        return {tuple(each) for each in self._session.connection().execute(found)} if old else set()

    def _put_beside(self, rows: list[tuple[Any, ...]], beside: dict[tuple[int, str], str]) -> None:
        _ADDRESS.on(self._session.connection(), [row for row in rows if (row[0], row[1]) not in beside])
        one = ContactAddress
        for number, channel, sealed, index, since in rows:
            if (number, channel) in beside:
                mine = update(one).where(col(one.contact_id) == number, col(one.channel) == channel)
                self._session.connection().execute(
                    mine.values(sealed=sealed, address_index=index, since=since)
                )

    def _count_refused(self, known: list[_Known]) -> None:
        by_kind: dict[str, dict[str, int]] = {}
        for one in known:
            for kind, _given, family in one.families:
                by_kind.setdefault(kind, {}).update(dict.fromkeys(family, one.row.line))
        for kind, lines in by_kind.items():
            refused = audience.refused_among(self._session, kind, lines)
            self.refused += len({lines[index] for index in refused})


def families(session: Session, vault: Vault) -> Callable[[str, str], Family]:
    """Every hash under which an address may stand. With one key, and nothing that names it, the bare one alone."""
    if len(vault.key_ids) > 1 or former.is_named(session, vault.key_ids[0]):
        return vault.indexes
    return lambda kind, given: (vault.index(kind, given),)


def joins(session: Session, list_id: int) -> Callable[[list[int]], None]:
    """Puts people into a list at once, those who are not in it yet."""

    def join(numbers: list[int]) -> None:
        mine = select(ContactMember.contact_id).where(ContactMember.list_id == list_id)
        present = set(session.exec(mine.where(col(ContactMember.contact_id).in_(numbers))))
        _MEMBER.on(session.connection(), [(list_id, one) for one in numbers if one not in present])

    return join


def _numbers(session: Session, count: int) -> list[int]:
    """The next numbers of contacts. On SQLite whoever writes is alone; PostgreSQL has a sequence."""
    if session.get_bind().dialect.name == "postgresql":
        asked = text(
            "SELECT nextval(pg_get_serial_sequence('contact', 'id')) FROM generate_series(1, :count)"
        )
        return [int(one) for (one,) in session.connection().execute(asked, {"count": count})]
    last = session.exec(select(func.max(Contact.id))).one() or 0
    return list(range(last + 1, last + 1 + count))


def take_turns(session: Session, holder: str) -> None:
    """One import into a node at a time, so that two of the same file find each other's people (PostgreSQL; on SQLite
    whoever writes is alone)."""
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(f"import:{holder}".encode()).digest()[:8], "big", signed=True)
        session.execute(select(func.pg_advisory_xact_lock(number)))
