"""Importing a contact file: all rows or none (or the good ones and a list of the rest), and twice is once."""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, pairwise
from typing import BinaryIO
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

from campaign import audience_rows, lists
from campaign.audience_columns import BadRow
from campaign.audience_rows import ContactRow, Sheet
from campaign.audience_writing import Writing, joins, take_turns
from campaign.contacts import ContactList
from core.errors import DomainError, Invalid
from core.i18n import mark
from core.privacy import Vault
from institution import audit
from institution.models import Outlet
from institution.powers import WHOLE, Scope

_CHUNK = 1_000
_MOST_BAD = 20_000  # a file with more of them has its columns mixed up, and is not to be read row by row
audit.declare(
    {
        "list.import": mark("导入名单"),
        "list.import.ask": mark("交来名单文件"),
        "list.import.apply": mark("确认导入名单"),
        "list.import.cancel": mark("放弃导入名单"),
        "list.rejected": mark("下载名单中有错的行"),
    }
)


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
    data: bytes | BinaryIO,
    *,
    list_name: str,
    vault: Vault,
    zone: ZoneInfo,
    now: datetime,
    dry_run: bool = False,
    skip_bad: bool = False,
    outlet_code: str = WHOLE,
    progress: Callable[[int], None] = lambda _rows: None,
) -> ImportResult:
    """Put the people of a CSV or XLSX file into a list, made if new. With bad rows nothing is applied unless
    `skip_bad`; with `dry_run` nothing is ever applied. The caller commits.

    The list belongs to node `outlet_code`, and so do its people: rows for outlets outside of it are bad, and
    what another part of the tree knows of the same person is neither seen nor changed. The file is read twice, and
    no more than some thousand rows of it are held at a time; `progress` is told how many were looked at or written.
    """
    sheet = audience_rows.read(data)
    checked = _Checking(session, sheet, zone, now, outlet_code)
    result = ImportResult(rows=checked.look(progress), bad=checked.bad)
    if result.bad:
        result.rejected_csv = audience_rows.rejected_csv(sheet.columns.header, result.bad)
    result.applied = not dry_run and (skip_bad or not result.bad)
    if result.applied:
        take_turns(session, outlet_code)
    into, made = into_list(session, list_name, now, outlet_code, make=result.applied)
    join = joins(session, into.id or 0) if into and result.applied else None
    writing = Writing(session, vault, now, outlet_code, join)
    for number, rows in enumerate(_chunks(checked.good()), 1):
        writing.run(rows)
        progress(number * _CHUNK)
    for name in ("added", "changed", "unchanged", "refused"):
        setattr(result, name, getattr(writing, name))
    if result.applied and into is not None:
        _record(session, result, into, sheet.source.sha256, made=made)
    return result


def record_rejected(session: Session, rows: int, name: str, outlet_code: str) -> None:
    """Write down that the rejected rows of a file, addresses in clear, were handed out as a file."""
    after = {"name": name.strip()[:80], "rows": rows}
    audit.record(session, "list.rejected", "list", "", after=after, outlet_code=outlet_code)


def _record(session: Session, result: ImportResult, into: ContactList, sha256: str, *, made: bool) -> None:
    counts = {name: getattr(result, name) for name in ("rows", "added", "changed", "unchanged", "refused")}
    after = {"name": into.name, "new_list": made, **counts, "bad": len(result.bad), "file_sha256": sha256}
    audit.record(session, "list.import", "list", into.id, after=after, outlet_code=into.outlet_code)


def into_list(
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


def outlets_of(session: Session, outlet_code: str) -> set[str]:
    """The codes that rows of an import into a node may name."""
    inside = Scope(frozenset({outlet_code})).condition(Outlet.code)
    return set(session.exec(select(Outlet.code).where(inside)))


class _Checking:
    """Looks at every row of a file; what it keeps of a good one is eight bytes, to find the same address twice."""

    def __init__(
        self, session: Session, sheet: Sheet, zone: ZoneInfo, now: datetime, outlet_code: str
    ) -> None:
        self._outlets = outlets_of(session, outlet_code)
        self._sheet, self._zone, self._now = sheet, zone, now
        self.bad: list[BadRow] = []

    def look(self, progress: Callable[[int], None]) -> int:
        """Find the bad rows, in the order of their lines; how many rows there are. Invalid when most are bad."""
        rows, seen = 0, array("q")
        for line, raw in self._sheet.rows:
            rows += 1
            try:
                seen.append(hash(self._row(line, raw).address))
            except DomainError as error:
                self._note(line, error, raw)
            if rows % _CHUNK == 0:
                progress(rows)
        self._find_twins(seen)
        self.bad.sort(key=lambda one: one.line)
        return rows

    def good(self) -> Iterator[ContactRow]:
        """The good rows, read anew."""
        bad = {one.line for one in self.bad}
        for line, raw in self._sheet.rows:
            if line not in bad:
                yield self._row(line, raw)

    def _row(self, line: int, raw: list[str]) -> ContactRow:
        cells = self._sheet.columns.cells(raw)
        return audience_rows.check(
            line, cells, zone=self._zone, now=self._now, is_outlet=self._outlets.__contains__
        )

    def _find_twins(self, seen: "array[int]") -> None:
        ordered = sorted(seen)
        twice = {one for one, after in pairwise(ordered) if one == after}
        if not twice:
            return
        first_of: dict[tuple[str, str], int] = {}
        bad = {one.line for one in self.bad}
        for line, raw in self._sheet.rows:
            if line in bad or hash((row := self._row(line, raw)).address) not in twice:
                continue
            first = first_of.setdefault(row.address, line)
            if first != line:
                self._note(line, audience_rows.twin(row, first), raw)

    def _note(self, line: int, error: DomainError, raw: list[str]) -> None:
        self.bad.append(self._sheet.columns.bad(line, error, raw))
        if len(self.bad) > _MOST_BAD:
            raise audience_rows.too_many(_MOST_BAD, self.bad[0])


def _chunks(rows: Iterator[ContactRow]) -> Iterator[list[ContactRow]]:
    while part := list(islice(rows, _CHUNK)):
        yield part
