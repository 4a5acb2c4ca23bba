"""Rows of a contact file written to the database: some thousand at a time, one look-up per table, plain tuples."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import compress
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, text, update
from sqlmodel import Session, col, select

from campaign import audience, former
from campaign.addresses import IN_CONTACT
from campaign.among import among
from campaign.audience_models import ContactAddress, ContactGroup
from campaign.audience_ready import KEPT, Ready, kept, picked, ready
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
    """Counts what the rows do, and does it where there is a `join`, which puts people into the list, each once."""

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

    def write(self, page: Ready) -> None:
        """The same of rows that were made ready."""
        held = self._look_up(page)
        new = [at for at in range(len(page.line)) if at not in held]
        beside = self._beside({one.id for one in held.values()})
        self._count_refused(page)
        changes = {
            at: values for at, contact in held.items() if (values := self._changes(page, at, contact, beside))
        }
        self.added += len(new)
        self.changed += len(changes)
        self.unchanged += len(held) - len(changes)
        if self._join is not None:
            self._session.flush()
            former.adopt(self._session, [
                (family[0], family)
                for each in page.addresses.values()
                for at in each.others if at not in held or at in changes
                for family in (each.family(at),)
            ])  # fmt: skip
            self._change(held, changes)
            numbers = self._put(page, new, held)
            self._follow(page, numbers, held, beside)
            self._join(numbers)

    def _look_up(self, page: Ready) -> dict[int, Held]:
        """The contacts that are known already, by the place of their row, under whichever key their identity was
        computed."""
        of = page.known_as()
        query = select(*_HELD).where(among(Contact.identity, of), Contact.holder_code == self._holder)
        found = {of[one.identity]: Held._make(one) for one in self._session.connection().execute(query)}
        return {at: found[at] for at in sorted(found)}

    def _beside(self, ids: set[int]) -> dict[tuple[int, str], str]:
        """The hashes of addresses of platforms, by contact and channel."""
        one = ContactAddress
        query = select(one.contact_id, one.channel, one.address_index).where(col(one.contact_id).in_(ids))
        found = self._session.connection().execute(query) if ids else ()
        return {(number, channel): index for number, channel, index in found}

    def _changes(self, page: Ready, at: int, contact: Held, beside: dict[tuple[int, str], str]) -> _Values:
        """The columns of Contact that this row sets; an address or name left empty keeps what is known. What stands
        beside the contact and is new sets none, and shows as `more`."""
        values: _Values = {}
        for kind, each in page.addresses.items():
            family, name = each.family(at), IN_CONTACT.get(kind)
            known = getattr(contact, f"{name}_index") if name else beside.get((contact.id, kind))
            if not family or known in family:
                continue
            if name is None:
                values["more"] = True
            else:
                values[f"{name}_index"], values[f"{name}_sealed"] = family[0], self._sealed(each.given[at])
        known_name = self._vault.decrypt(contact.name_sealed) if contact.name_sealed else ""
        if page.name[at] and page.name[at] != known_name:
            values["name_sealed"] = self._sealed(page.name[at])
        served = page.outlet_code[at] or ("" if contact.outlet_code else self._holder)
        said = {"outlet_code": served, "province": page.province[at], "language": page.language[at]}
        return values | {name: one for name, one in said.items() if one and getattr(contact, name) != one}

    def _sealed(self, given: str) -> str:
        """Ciphertext; nothing when nothing is written."""
        return self._vault.encrypt(given) if self._join is not None else "-"

    def _put(self, page: Ready, new: list[int], held: dict[int, Held]) -> list[int]:
        """Insert who is new; the number of each row's contact."""
        added, many = _numbers(self._session, len(new)), len(new)
        identities, now = picked(page.identity, new), [self._now] * many
        rest = (
            [picked(column, new) for column in page.kept]
            if page.kept
            else kept(page, self._vault, self._holder, new)
        )
        _CONTACT.on(self._session.connection(), added, identities, [self._holder] * many, now, now, *rest)
        if not held:
            return added
        numbers = {at: one.id for at, one in held.items()} | dict(zip(new, added, strict=True))
        return [numbers[at] for at in range(len(page.line))]

    def _change(self, held: dict[int, Held], changes: dict[int, _Values]) -> None:
        rows = [
            {name: values.get(name, getattr(held[at], name)) for name in KEPT}
            | {"updated_at": self._now, "number": held[at].id}
            for at, values in changes.items()
        ]
        if rows:
            _CHANGE.on(self._session.connection(), *rows)

    def _follow(
        self,
        page: Ready,
        numbers: list[int],
        held: dict[int, Held],
        beside: dict[tuple[int, str], str],
    ) -> None:
        """What hangs on the contacts: consents, groups, addresses of platforms."""
        connection, old = self._session.connection(), {one.id for one in held.values()}
        agreed, grouped = self._agreed(old), self._grouped(old)
        consents: list[list[Any]] = [[numbers[at] for at in page.consents.at], *page.consents[1:]]
        if agreed:
            fresh = [one not in agreed for one in zip(*consents[:4], strict=True)]
            consents = [list(compress(column, fresh)) for column in consents]
        _CONSENT.on(connection, *consents, [self._now] * len(consents[0]))
        groups = [(numbers[at], name) for at, name in page.groups]
        _GROUP.rows(connection, [one for one in groups if one not in grouped])
        self._put_beside(page, numbers, beside)

    def _agreed(self, old: Iterable[int]) -> set[tuple[Any, ...]]:
        one = Consent
        query = select(one.contact_id, one.channel, one.purpose, one.given_at)
        found = query.where(col(one.contact_id).in_(old))
        return {tuple(each) for each in self._session.connection().execute(found)} if old else set()

    def _grouped(self, old: Iterable[int]) -> set[tuple[Any, ...]]:
        query = select(ContactGroup.contact_id, ContactGroup.name)
        found = query.where(col(ContactGroup.contact_id).in_(old))
        return {tuple(each) for each in self._session.connection().execute(found)} if old else set()

    def _put_beside(self, page: Ready, numbers: list[int], beside: dict[tuple[int, str], str]) -> None:
        one, rows = ContactAddress, []
        for kind, each in page.addresses.items():
            if kind in IN_CONTACT:
                continue
            for at, index in enumerate(each.indexes):
                key = numbers[at], kind
                if index is None or beside.get(key) in each.family(at):
                    continue
                if key not in beside:
                    rows.append((*key, self._sealed(each.given[at]), index, self._now))
                    continue
                mine = update(one).where(col(one.contact_id) == key[0], col(one.channel) == kind)
                self._session.connection().execute(
                    mine.values(sealed=self._sealed(each.given[at]), address_index=index, since=self._now)
                )
        _ADDRESS.rows(self._session.connection(), rows)

    def _count_refused(self, page: Ready) -> None:
        for kind, each in page.addresses.items():
            refused = audience.refused_among(self._session, kind, each.all_indexes)
            if refused:
                lines = {index: line for at, line in enumerate(page.line) for index in each.family(at)}
                self.refused += len({lines[index] for index in refused})


def many_keys(session: Session, vault: Vault) -> bool:
    """Whether an address may stand under several hashes: with more than one key, or one that names itself in them."""
    return len(vault.key_ids) > 1 or former.is_named(session, vault.key_ids[0])


def joins(session: Session, list_id: int) -> Callable[[list[int]], None]:
    """Puts people into a list at once, those who are not in it yet."""

    def join(numbers: list[int]) -> None:
        mine = select(ContactMember.contact_id).where(ContactMember.list_id == list_id)
        present = set(session.exec(mine.where(col(ContactMember.contact_id).in_(numbers))))
        _MEMBER.rows(session.connection(), [(list_id, one) for one in numbers if one not in present])

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
