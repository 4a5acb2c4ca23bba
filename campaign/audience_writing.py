"""Rows of a contact file written to the database: some thousand at a time, one look-up per table, plain tuples."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, text, update
from sqlmodel import Session, col, select

from campaign import audience, former
from campaign.addresses import IN_CONTACT
from campaign.among import among
from campaign.audience_models import ContactAddress, ContactGroup
from campaign.audience_ready import KEPT, Ready, kept, ready
from campaign.audience_rows import ContactRow
from campaign.contacts import Consent, Contact, ContactMember
from core.bulk import Bulk
from core.database import Prepared
from core.privacy import Vault

_Values = dict[str, Any]

_CONTACT = Bulk(Contact, "id", "identity", "holder_code", "created_at", "updated_at", *KEPT)
_CONSENT = Bulk(
    Consent, "contact_id", "channel", "purpose", "given_at", "source", "text_version", "recorded_at"
)
_MEMBER, _GROUP = Bulk(ContactMember, "list_id", "contact_id"), Bulk(ContactGroup, "contact_id", "name")
_ADDRESS = Bulk(ContactAddress, "contact_id", "channel", "sealed", "address_index", "since")
_CHANGE = Prepared(
    update(Contact)
    .where(col(Contact.id) == bindparam("number"))
    .values({name: bindparam(name, type_=Contact.__table__.c[name].type) for name in (*KEPT, "updated_at")})  # type: ignore[attr-defined]
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
        self.added = self.changed = self.unchanged = self.refused = 0

    def run(self, rows: Sequence[ContactRow]) -> None:
        """One part of the file."""
        self.write(ready(rows, self._vault, many_keys=many_keys(self._session, self._vault)))

    def write(self, rows: Sequence[Ready]) -> None:
        """The same of rows that were made ready."""
        held = self._look_up(rows)
        new = [one for at, one in enumerate(rows) if at not in held]
        old = [(rows[at], contact) for at, contact in held.items()]
        ids = {contact.id for _one, contact in old}
        beside = self._beside(ids)
        self._count_refused(rows)
        changes = [
            (one, contact, values) for one, contact in old if (values := self._changes(one, contact, beside))
        ]
        self.added += len(new)
        self.changed += len(changes)
        self.unchanged += len(old) - len(changes)
        if self._join is not None:
            self._session.flush()
            former.adopt(self._session, [
                (family[0], family)
                for one in (*new, *(each for each, _contact, _values in changes))
                for _kind, _text, family in one.families if len(family) > 1
            ])  # fmt: skip
            self._change(changes)
            pairs = list(zip(new, self._put(new), strict=True))
            pairs += [(one, contact.id) for one, contact in old]
            self._follow(pairs, ids, beside)
            self._join([number for _one, number in pairs])

    def _look_up(self, rows: Sequence[Ready]) -> dict[int, Held]:
        """The contacts that are known already, by the place of their row, under whichever key their identity was
        computed."""
        of = {index: at for at, one in enumerate(rows) for index in one.families[0][2]}
        query = select(*_HELD).where(among(Contact.identity, of), Contact.holder_code == self._holder)
        found = {of[one.identity]: Held._make(one) for one in self._session.connection().execute(query)}
        return {at: found[at] for at in sorted(found)}

    def _beside(self, ids: set[int]) -> dict[tuple[int, str], str]:
        """The hashes of addresses of platforms, by contact and channel."""
        one = ContactAddress
        query = select(one.contact_id, one.channel, one.address_index).where(col(one.contact_id).in_(ids))
        found = self._session.connection().execute(query) if ids else ()
        return {(number, channel): index for number, channel, index in found}

    def _changes(self, one: Ready, contact: Held, beside: dict[tuple[int, str], str]) -> _Values:
        """The columns of Contact that this row sets; an address or name left empty keeps what is known. What stands
        beside the contact and is new sets none, and shows as `more`."""
        values: _Values = {}
        row = one.row
        for kind, given, family in one.families:
            name = IN_CONTACT.get(kind)
            if name is None:
                if beside.get((contact.id, kind)) not in family:
                    values["more"] = True
            elif getattr(contact, f"{name}_index") not in family:
                values[f"{name}_index"], values[f"{name}_sealed"] = family[0], self._sealed(given)
        known_name = self._vault.decrypt(contact.name_sealed) if contact.name_sealed else ""
        if row.name and row.name != known_name:
            values["name_sealed"] = self._sealed(row.name)
        served = row.outlet_code or ("" if contact.outlet_code else self._holder)
        for name, said in (("outlet_code", served), ("province", row.province), ("language", row.language)):
            if said and getattr(contact, name) != said:
                values[name] = said
        return values

    def _sealed(self, given: str) -> str:
        """Ciphertext; nothing when nothing is written."""
        return self._vault.encrypt(given) if self._join is not None else "-"

    def _put(self, new: list[Ready]) -> list[int]:
        """Insert who is new; their numbers."""
        numbers = _numbers(self._session, len(new))
        vault, holder, now = self._vault, self._holder, self._now
        rows = [
            (number, one.identity, holder, now, now, *(one.kept or kept(one, vault, holder)))
            for one, number in zip(new, numbers, strict=True)
        ]
        _CONTACT.on(self._session.connection(), rows)
        return numbers

    def _change(self, changes: list[tuple[Ready, Held, _Values]]) -> None:
        rows = [
            {name: values.get(name, getattr(contact, name)) for name in KEPT}
            | {"updated_at": self._now, "number": contact.id}
            for _one, contact, values in changes
        ]
        if rows:
            _CHANGE.on(self._session.connection(), *rows)

    def _follow(
        self, pairs: list[tuple[Ready, int]], old: set[int], beside: dict[tuple[int, str], str]
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

    def _count_refused(self, rows: Sequence[Ready]) -> None:
        by_kind: dict[str, dict[str, int]] = {}
        for one in rows:
            for kind, _given, family in one.families:
                by_kind.setdefault(kind, {}).update(dict.fromkeys(family, one.row.line))
        for kind, lines in by_kind.items():
            refused = audience.refused_among(self._session, kind, lines)
            self.refused += len({lines[index] for index in refused})


def many_keys(session: Session, vault: Vault) -> bool:
    """Whether an address may stand under several hashes: with more than one key, or one that names itself in them."""
    return len(vault.key_ids) > 1 or former.is_named(session, vault.key_ids[0])


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
