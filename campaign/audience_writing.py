"""Rows of a contact file written to the database: a thousand at a time, one look-up per table, prepared inserts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, update
from sqlmodel import Session, SQLModel, col, select

from campaign import audience, former
from campaign.addresses import IN_CONTACT, known_by
from campaign.among import among
from campaign.audience_models import ContactAddress, ContactGroup
from campaign.audience_rows import ContactRow
from campaign.contacts import Consent, Contact, ContactMember
from core.database import Prepared
from core.privacy import Vault

_Values = dict[str, Any]


def _insert(table: type[SQLModel], *without: str) -> Prepared:
    columns = SQLModel.metadata.tables[str(table.__tablename__)].c
    wanted = [column for column in columns if column.name not in without]
    return Prepared(insert(table).values({one.name: bindparam(one.name, type_=one.type) for one in wanted}))


_CONTACT, _CONSENT = _insert(Contact, "id"), _insert(Consent, "id")
_MEMBER, _GROUP, _ADDRESS = _insert(ContactMember), _insert(ContactGroup), _insert(ContactAddress, "id")
_EMPTY: _Values = {
    name: None if name.endswith("_index") else ""
    for name in Contact.model_fields
    if name not in ("id", "created_at", "updated_at")
}


@dataclass(frozen=True, slots=True)
class _Known:
    """A row of the file with the hash it is known by, and the contact that has it already, if there is one."""

    row: ContactRow
    identity: str
    contact: Contact | None
    indexes: dict[str, tuple[str, ...]]


class Writing:
    """Counts what the rows do, and does it when `apply` says so."""

    def __init__(
        self, session: Session, vault: Vault, now: datetime, holder: str, list_id: int, *, apply: bool
    ) -> None:
        self._session, self._vault, self._now, self._holder = session, vault, now, holder
        self._list_id, self._apply = list_id, apply
        self.added = self.changed = self.unchanged = self.refused = 0

    def run(self, rows: Sequence[ContactRow]) -> None:
        """One part of the file."""
        known = self._look_up(rows)
        beside = self._beside([one.contact.id or 0 for one in known if one.contact])
        self._count_refused(known)
        new: list[_Values] = []
        moves: list[tuple[str, tuple[str, ...]]] = []
        for one in known:
            values, more = self._changes(one), self._elsewhere(one, beside)
            self._tally(one, bool(values or more))
            if values or more:
                moves += [(indexes[0], indexes) for indexes in one.indexes.values()]
            if self._apply and one.contact is None:
                given = {"identity": one.identity, "holder_code": self._holder} | values
                new.append(_EMPTY | given | {"created_at": self._now, "updated_at": self._now})
            elif self._apply and (values or more):
                self._change(one.contact, values)
        if self._apply:
            self._session.flush()
            self._run(_CONTACT, new)
            former.adopt(self._session, moves)
            self._follow(known, beside)

    def _run(self, statement: Prepared, rows: list[_Values]) -> None:
        if rows:
            statement.on(self._session.connection(), *rows)

    def _look_up(self, rows: Sequence[ContactRow]) -> list[_Known]:
        """The contacts that are known already, under whichever key their identity was computed."""
        indexes = {
            row.line: {kind: self._vault.indexes(kind, known_by(kind, text)) for kind, text in row.addresses}
            for row in rows
        }
        of = {index: row.line for row in rows for index in indexes[row.line][row.address[0]]}
        query = select(Contact).where(
            among(self._session, Contact.identity, of), Contact.holder_code == self._holder
        )
        found = {of[contact.identity]: contact for contact in self._session.exec(query)}
        return [
            _Known(row, indexes[row.line][row.address[0]][0], found.get(row.line), indexes[row.line])
            for row in rows
        ]

    def _beside(self, ids: list[int]) -> dict[tuple[int, str], ContactAddress]:
        if not ids:
            return {}
        query = select(ContactAddress).where(col(ContactAddress.contact_id).in_(ids))
        return {(one.contact_id, one.channel): one for one in self._session.exec(query)}

    def _tally(self, one: _Known, changes: bool) -> None:
        self.added += one.contact is None
        self.changed += one.contact is not None and changes
        self.unchanged += one.contact is not None and not changes

    def _changes(self, one: _Known) -> _Values:
        """The columns of Contact that this row sets; an address or name left empty keeps what is known."""
        values: _Values = {}
        row, contact = one.row, one.contact
        for kind, text in row.addresses:
            name = IN_CONTACT.get(kind)
            if name and (contact is None or getattr(contact, f"{name}_index") not in one.indexes[kind]):
                values[f"{name}_index"], values[f"{name}_sealed"] = one.indexes[kind][0], self._sealed(text)
        known_name = self._vault.decrypt(contact.name_sealed) if contact and contact.name_sealed else ""
        if row.name and row.name != known_name:
            values["name_sealed"] = self._sealed(row.name)
        served = row.outlet_code or ("" if contact and contact.outlet_code else self._holder)
        for name, text in (("outlet_code", served), ("province", row.province), ("language", row.language)):
            if text and (contact is None or getattr(contact, name) != text):
                values[name] = text
        return values

    def _sealed(self, text: str) -> str:
        """Ciphertext; nothing when nothing is written: it costs more than all the rest."""
        return self._vault.encrypt(text) if self._apply else "-"

    def _elsewhere(self, one: _Known, beside: dict[tuple[int, str], ContactAddress]) -> list[tuple[str, str]]:
        """The addresses of this row that stand beside the contact, and are new."""
        number = one.contact.id or 0 if one.contact else 0
        return [
            (kind, text)
            for kind, text in one.row.addresses
            if kind not in IN_CONTACT
            and ((held := beside.get((number, kind))) is None or held.address_index not in one.indexes[kind])
        ]

    def _change(self, contact: Contact | None, values: _Values) -> None:
        if contact is not None:
            row = values | {"updated_at": self._now}
            self._session.execute(update(Contact).where(col(Contact.id) == contact.id).values(row))

    def _follow(self, known: list[_Known], beside: dict[tuple[int, str], ContactAddress]) -> None:
        """What hangs on the contacts: the list, consents, groups, addresses of platforms."""
        fresh = [one.identity for one in known if one.contact is None]
        query = select(Contact.identity, Contact.id).where(
            among(self._session, Contact.identity, fresh), Contact.holder_code == self._holder
        )
        ids: dict[str, int | None] = dict(self._session.exec(query).all()) if fresh else {}
        pairs = [(one, (one.contact.id if one.contact else ids[one.identity]) or 0) for one in known]
        old = [number for one, number in pairs if one.contact is not None]
        self._join([number for _one, number in pairs], old)
        self._consent(pairs, old)
        self._group(pairs, old)
        self._put_beside(pairs, beside)

    def _join(self, numbers: list[int], old: list[int]) -> None:
        query = select(ContactMember.contact_id).where(
            ContactMember.list_id == self._list_id, col(ContactMember.contact_id).in_(old)
        )
        present = set(self._session.exec(query)) if old else set()
        rows = [{"list_id": self._list_id, "contact_id": key} for key in numbers if key not in present]
        self._run(_MEMBER, rows)

    def _consent(self, pairs: list[tuple[_Known, int]], old: list[int]) -> None:
        query = select(Consent).where(col(Consent.contact_id).in_(old))
        kept = self._session.exec(query) if old else ()
        present = {(one.contact_id, one.channel, one.purpose, one.given_at) for one in kept}
        self._run(_CONSENT, [
            {
                "contact_id": number, "channel": channel, "purpose": purpose, "given_at": one.row.given_at,
                "source": one.row.source, "text_version": one.row.text_version, "recorded_at": self._now,
            }
            for one, number in pairs for channel in one.row.channels for purpose in one.row.purposes
            if (number, channel, purpose, one.row.given_at) not in present
        ])  # fmt: skip

    def _group(self, pairs: list[tuple[_Known, int]], old: list[int]) -> None:
        query = select(ContactGroup.contact_id, ContactGroup.name).where(
            col(ContactGroup.contact_id).in_(old)
        )
        present = set(self._session.exec(query).all()) if old else set()
        wanted = [(number, name) for one, number in pairs for name in one.row.groups]
        rows = [
            {"contact_id": number, "name": name} for number, name in wanted if (number, name) not in present
        ]
        self._run(_GROUP, rows)

    def _put_beside(
        self, pairs: list[tuple[_Known, int]], beside: dict[tuple[int, str], ContactAddress]
    ) -> None:
        rows = []
        for one, number in pairs:
            for kind, text in self._elsewhere(one, beside):
                given = {
                    "sealed": self._sealed(text),
                    "address_index": one.indexes[kind][0],
                    "since": self._now,
                }
                if held := beside.get((number, kind)):
                    held.sqlmodel_update(given)
                    self._session.add(held)
                else:
                    rows.append({"contact_id": number, "channel": kind} | given)
        self._run(_ADDRESS, rows)

    def _count_refused(self, known: list[_Known]) -> None:
        by_kind: dict[str, dict[str, int]] = {}
        for one in known:
            for kind, indexes in one.indexes.items():
                by_kind.setdefault(kind, {}).update(dict.fromkeys(indexes, one.row.line))
        for kind, lines in by_kind.items():
            refused = audience.refused_among(self._session, kind, lines)
            self.refused += len({lines[index] for index in refused})


def take_turns(session: Session, holder: str) -> None:
    """One import into a node at a time, so that two of the same file find each other's people (PostgreSQL; on SQLite
    whoever writes is alone)."""
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(f"import:{holder}".encode()).digest()[:8], "big", signed=True)
        session.execute(select(func.pg_advisory_xact_lock(number)))
