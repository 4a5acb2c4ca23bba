"""Importing a contact file: all rows or none (or the good ones and a list of the rest), and twice is once."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from campaign import audience, audience_rows, former
from campaign.audience_rows import BadRow, ContactRow, Sheet
from campaign.contacts import EMAIL, SMS, WEBHOOK, Consent, Contact, ContactList, ContactMember
from core.errors import DomainError, Invalid
from core.i18n import mark
from core.privacy import Vault
from institution.models import Outlet

_CHUNK = 500


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
) -> ImportResult:
    """Put the people of a CSV file into a list, made if new. With bad rows nothing is applied unless
    `skip_bad`; with `dry_run` nothing is ever applied. The caller commits."""
    sheet = audience_rows.read(data)
    good, bad = _sorted_out(session, sheet, zone, now)
    result = ImportResult(rows=len(sheet.rows), bad=bad)
    if bad:
        result.rejected_csv = audience_rows.rejected_csv(sheet.header, bad)
    result.applied = not dry_run and (skip_bad or not bad)
    list_id = _list_id(session, list_name, now, make=result.applied)
    for rows in _chunks(good):
        _Chunk(session, vault, now, result).run(rows, list_id)
    return result


def _list_id(session: Session, name: str, now: datetime, *, make: bool) -> int:
    if not name.strip():
        raise Invalid(mark("请给名单起一个名字（不超过 80 个字）。"), field="name")
    found: ContactList | None = audience.find_list(session, name)
    if found is None and make:
        found = audience.make_list(session, name, now)
    if found is None:
        return 0
    if make:
        audience.touch(session, found.id or 0, now)
    return found.id or 0


def _sorted_out(
    session: Session, sheet: Sheet, zone: ZoneInfo, now: datetime
) -> tuple[list[ContactRow], list[BadRow]]:
    outlets = set(session.exec(select(Outlet.code)))
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

    def __init__(self, session: Session, vault: Vault, now: datetime, result: ImportResult) -> None:
        self.session, self.vault, self.now, self.result = session, vault, now, result
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
        query = select(Contact).where(col(Contact.identity).in_(lines))
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
        for name in ("outlet_code", "province"):
            text = getattr(row, name)
            if text and (contact is None or getattr(contact, name) != text):
                values[name] = text
        return values

    def _written(self, contact: Contact | None, identity: str, values: dict[str, Any]) -> Contact:
        if contact is None:
            contact = Contact(identity=identity, created_at=self.now, updated_at=self.now, **values)
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
