"""Writing what was staged: a page in a transaction that moves the mark on, and the list in the last one."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, literal, update
from sqlmodel import Session, col, select

from campaign import audience_import
from campaign.audience_ready import Ready
from campaign.audience_rows import ContactRow
from campaign.audience_writing import Writing, take_turns
from campaign.contact_imports.models import APPLYING, DONE, ContactImport, ContactImportMember
from campaign.contacts import Contact, ContactList, ContactMember
from core.bulk import Bulk
from core.errors import Conflict
from core.i18n import mark
from core.privacy import Vault
from institution import audit
from institution.models import Staff

_JOINING = Bulk(ContactImportMember, "import_id", "contact_id")
_COUNTS = ("added", "changed", "unchanged", "refused")


def write_page(
    session: Session,
    one: ContactImport,
    page: int,
    rows: Ready,
    *,
    vault: Vault,
    now: datetime,
    lease: datetime,
) -> None:
    """Write a page, and move the mark on in the same transaction; Conflict when another did so or holds the import."""
    take_turns(session, one.outlet_code)
    writing = Writing(session, vault, now, one.outlet_code, _joins(session, one.id or 0))
    writing.write(rows)
    counts = {name: getattr(ContactImport, name) + getattr(writing, name) for name in _COUNTS}
    values = counts | {"applied": page + 1, "share": (page + 1) / one.pages, "leased_until": lease}
    _move(session, one, page, values)


def count_page(
    session: Session, one: ContactImport, rows: list[ContactRow], vault: Vault, now: datetime
) -> None:
    """Add to the counts what the rows of a page would do."""
    writing = Writing(session, vault, now, one.outlet_code, None)
    writing.run(rows)
    for name in _COUNTS:
        setattr(one, name, getattr(one, name) + getattr(writing, name))


def finish(session: Session, one: ContactImport, now: datetime) -> None:
    """All pages are written: everybody into the list at once, the record, the end."""
    take_turns(session, one.outlet_code)
    into, made = _list(session, one, now)
    number, mine = into.id or 0, ContactImportMember
    already = exists().where(
        col(ContactMember.list_id) == number, col(ContactMember.contact_id) == mine.contact_id
    )
    whom = (
        select(literal(number), mine.contact_id)
        .join(Contact, col(Contact.id) == mine.contact_id)
        .where(mine.import_id == one.id, ~already)
        .order_by(col(mine.contact_id))
    )
    session.connection().execute(insert(ContactMember).from_select(["list_id", "contact_id"], whom))
    session.connection().execute(delete(ContactImportMember).where(col(mine.import_id) == one.id))
    ended = {"state": DONE, "list_id": number, "share": 1.0, "ended_at": now, "leased_until": None}
    _move(session, one, one.pages, ended)
    by = session.get(Staff, one.made_by) if one.made_by else None
    with audit.acting(audit.Actor(one.made_by, by.name, "job") if by else audit.SYSTEM):
        counts = {name: getattr(one, name) for name in ("rows", *_COUNTS)}
        after = {"name": into.name, "new_list": made, **counts, "bad": one.bad, "file_sha256": one.sha256}
        audit.record(session, "list.import", "list", number, after=after, outlet_code=one.outlet_code)


def _list(session: Session, one: ContactImport, now: datetime) -> tuple[ContactList, bool]:
    known = session.get(ContactList, one.list_id) if one.list_id else None
    name = known.name if known else one.list_name
    into, made = audience_import.into_list(session, name, now, one.outlet_code, make=True)
    assert into is not None  # noqa: S101  (it was to be made)
    return into, made


def _joins(session: Session, number: int) -> Callable[[list[int]], None]:
    return lambda contacts: _JOINING.on(session.connection(), [number] * len(contacts), contacts)


def _move(session: Session, one: ContactImport, page: int, values: dict[str, Any]) -> None:
    mine = update(ContactImport).where(
        col(ContactImport.id) == one.id, col(ContactImport.state) == APPLYING,
        col(ContactImport.worker) == one.worker, col(ContactImport.applied) == page,
    )  # fmt: skip
    if session.connection().execute(mine.values(**values)).rowcount != 1:
        raise Conflict(mark("它的状态刚刚变了，请刷新后再看。"))
