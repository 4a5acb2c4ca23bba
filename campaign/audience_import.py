"""Importing a contact file: all rows or none (or the good ones and a list of the rest), and twice is once."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from campaign import audience, audience_rows, former, lists
from campaign.audience_rows import BadRow, ContactRow, Sheet
from campaign.contacts import EMAIL, SMS, WEBHOOK, Consent, Contact, ContactList, ContactMember
from core.errors import DomainError, Invalid
from core.i18n import mark
from core.privacy import Vault
from institution import audit
from institution.models import Outlet
from institution.powers import WHOLE, Scope

_CHUNK = 500
audit.declare({"list.import": mark("导入名单"), "list.rejected": mark("下载名单中有错的行")})


@dataclass
class ImportResult:
    """What an import did, or would do: counts, and every bad row with line, column and rule."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    applied: bool = False
    bad: list[BadRow] = field(default_factory=list)
    rejected_csv: bytes = b""


def import_file(
    session: Session,
    data: bytes,
    *,
    list_name: str,
    vault: Vault,
    zone: ZoneInfo,
    now: datetime,
    dry_run: bool = False,
    skip_bad: bool = False,
    outlet_code: str = WHOLE,
) -> ImportResult:
    """Put the people of a CSV file into a list, made if new. With bad rows nothing is applied unless
    `skip_bad`; with `dry_run` nothing is ever applied. The caller commits.

    The list belongs to node `outlet_code`, and so do its people: rows for outlets outside of it are bad, and
    what another part of the tree knows of the same person is neither seen nor changed.
    """
    sheet = audience_rows.read(data)
    good, bad = _sorted_out(session, sheet, zone, now, outlet_code)
    result = ImportResult(rows=len(sheet.rows), bad=bad)
    if bad:
        result.rejected_csv = audience_rows.rejected_csv(sheet.header, bad)
    result.applied = not dry_run and (skip_bad or not bad)
    into, made = _list(session, list_name, now, outlet_code, make=result.applied)
    for rows in _chunks(good):
        _Chunk(session, vault, now, result, outlet_code).run(rows, into.id or 0 if into else 0)
    if result.applied and into is not None:
        _record(session, result, into, hashlib.sha256(data).hexdigest(), made=made)
    return result


def record_rejected(session: Session, result: ImportResult, name: str, outlet_code: str) -> None:
    """Write down that the rejected rows of a file, addresses in clear, were handed out as a file."""
    after = {"name": name.strip()[:80], "rows": len(result.bad)}
    audit.record(session, "list.rejected", "list", "", after=after, outlet_code=outlet_code)


def _record(session: Session, result: ImportResult, into: ContactList, sha256: str, *, made: bool) -> None:
    counts = {name: getattr(result, name) for name in ("rows", "added", "changed", "unchanged", "refused")}
    after = {"name": into.name, "new_list": made, **counts, "bad": len(result.bad), "file_sha256": sha256}
    audit.record(session, "list.import", "list", into.id, after=after, outlet_code=into.outlet_code)


def _list(
    session: Session, name: str, now: datetime, outlet_code: str, *, make: bool
) -> tuple[ContactList | None, bool]:
    """The list of this name, made if new and wanted, and whether it was."""
    if not name.strip():
        raise Invalid(mark("请给名单起一个名字（不超过 80 个字）。"), field="name")
    found = lists.find_list(session, name, outlet_code=outlet_code)
    if not make:
        return found, False
    if found is None:
        return lists.new_list(session, name, now, outlet_code=outlet_code), True
    lists.touch(session, found.id or 0, now)
    return found, False


def _sorted_out(
    session: Session, sheet: Sheet, zone: ZoneInfo, now: datetime, outlet_code: str
) -> tuple[list[ContactRow], list[BadRow]]:
    inside = Scope(frozenset({outlet_code})).condition(Outlet.code)
    outlets = set(session.exec(select(Outlet.code).where(inside)))
    good: list[ContactRow] = []
    bad: list[BadRow] = []
    seen: dict[tuple[str, str], int] = {}
    for line, cells, raw in sheet.rows:
        try:
            row = audience_rows.check(line, cells, zone=zone, now=now, is_outlet=outlets.__contains__)
            first = seen.setdefault(row.address, line)
            if first != line:
                raise Invalid(mark("与第 %(line)s 行是同一个地址。"), field=_column(row), line=first)
            good.append(row)
        except DomainError as error:
            bad.append(BadRow(line, _heading(sheet, error.field or ""), error, raw))
    return good, bad


def _column(row: ContactRow) -> str:
    return {EMAIL: "email", WEBHOOK: "webhook_id", SMS: "phone"}[row.address[0]]


def _heading(sheet: Sheet, name: str) -> str:
    """The column as the file itself calls it."""
    words = audience_rows.COLUMNS.get(name, ())
    return next((cell for cell in sheet.header if cell.lower() in words), name)


def _chunks(rows: list[ContactRow]) -> list[list[ContactRow]]:
    return [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]


class _Chunk:
    """Applies some hundred rows with one look-up per table."""

    def __init__(
        self, session: Session, vault: Vault, now: datetime, result: ImportResult, holder: str
    ) -> None:
        self.session, self.vault, self.now, self.result, self.holder = session, vault, now, result, holder
        self._new_indexes: list[tuple[str, tuple[str, ...]]] = []

    def run(self, rows: list[ContactRow], list_id: int) -> None:
        """Count what each row does, and do it when the result says so."""
        identities = {row.line: self.vault.index(*row.address) for row in rows}
        known = self._known(rows)
        self._count_refused(rows)
        contacts = []
        for row in rows:
            contact = known.get(row.line)
            values = self._changes(row, contact)
            self._tally(contact, values)
            if self.result.applied:
                contacts.append((row, self._written(contact, identities[row.line], values)))
        if self.result.applied:
            self.session.flush()
            former.adopt(self.session, self._new_indexes)
            self._join(list_id, [contact.id or 0 for _, contact in contacts])
            self._consent(contacts)

    def _known(self, rows: list[ContactRow]) -> dict[int, Contact]:
        """The contacts that are known already, by line, under whichever key their identity was computed."""
        lines = {index: row.line for row in rows for index in self.vault.indexes(*row.address)}
        query = select(Contact).where(col(Contact.identity).in_(lines), Contact.holder_code == self.holder)
        return {lines[contact.identity]: contact for contact in self.session.exec(query)}

    def _tally(self, contact: Contact | None, values: dict[str, Any]) -> None:
        if contact is None:
            self.result.added += 1
        elif values:
            self.result.changed += 1
        else:
            self.result.unchanged += 1

    def _changes(self, row: ContactRow, contact: Contact | None) -> dict[str, Any]:
        """The columns of Contact that this row sets; an address or name left empty keeps what is known."""
        values: dict[str, Any] = {}
        for name, kind, text in (
            ("email", EMAIL, row.email),
            ("phone", SMS, row.phone),
            ("webhook", WEBHOOK, row.webhook_id),
        ):
            indexes = self.vault.indexes(kind, text) if text else ()
            if indexes and (contact is None or getattr(contact, f"{name}_index") not in indexes):
                values[f"{name}_index"], values[f"{name}_sealed"] = indexes[0], self.vault.encrypt(text)
                self._new_indexes.append((indexes[0], indexes))
        known_name = self.vault.decrypt(contact.name_sealed) if contact and contact.name_sealed else ""
        if row.name and row.name != known_name:
            values["name_sealed"] = self.vault.encrypt(row.name)
        served = row.outlet_code or ("" if contact and contact.outlet_code else self.holder)
        for name, text in (("outlet_code", served), ("province", row.province)):
            if text and (contact is None or getattr(contact, name) != text):
                values[name] = text
        return values

    def _written(self, contact: Contact | None, identity: str, values: dict[str, Any]) -> Contact:
        if contact is None:
            given = {"identity": identity, "holder_code": self.holder} | values
            contact = Contact(created_at=self.now, updated_at=self.now, **given)
            self.session.add(contact)
        elif values:
            for name, value in values.items():
                setattr(contact, name, value)
            contact.updated_at = self.now
            self.session.add(contact)
        return contact

    def _join(self, list_id: int, contact_ids: list[int]) -> None:
        query = select(ContactMember.contact_id).where(
            ContactMember.list_id == list_id, col(ContactMember.contact_id).in_(contact_ids)
        )
        present = set(self.session.exec(query))
        self.session.add_all(
            ContactMember(list_id=list_id, contact_id=key) for key in contact_ids if key not in present
        )

    def _consent(self, contacts: list[tuple[ContactRow, Contact]]) -> None:
        query = select(Consent).where(col(Consent.contact_id).in_([contact.id for _, contact in contacts]))
        present = {(c.contact_id, c.channel, c.purpose, c.given_at) for c in self.session.exec(query)}
        for row, contact in contacts:
            for channel in row.channels:
                if (contact.id, channel, row.purpose, row.given_at) not in present:
                    self.session.add(
                        Consent(
                            contact_id=contact.id or 0,
                            channel=channel,
                            purpose=row.purpose,
                            given_at=row.given_at,
                            source=row.source,
                            text_version=row.text_version,
                            recorded_at=self.now,
                        )
                    )

    def _count_refused(self, rows: list[ContactRow]) -> None:
        for kind, attribute in ((EMAIL, "email"), (WEBHOOK, "webhook_id"), (SMS, "phone")):
            known = {
                index: row.line
                for row in rows
                if (text := getattr(row, attribute))
                for index in self.vault.indexes(kind, text)
            }
            if known:
                refused = audience.refused_among(self.session, kind, known)
                self.result.refused += len({known[index] for index in refused})
