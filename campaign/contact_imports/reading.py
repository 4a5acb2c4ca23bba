"""Reading an uploaded file once: every row checked, good ones into pages, bad ones set aside, the same person twice found."""

import io
from array import array
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

from campaign import audience_rows
from campaign.audience_rows import BadRow, ContactRow, Sheet
from campaign.contact_imports.staged import Staged
from core.errors import DomainError, Invalid
from core.i18n import mark
from core.privacy import Vault

MOST_BAD = 20_000  # a file with more of them has its columns mixed up, and is not to be read row by row
MOST_PAGES = 512
_TELL = 1_000
_LOOKED_AT = 2 << 20  # bytes of a workbook that opens in a moment
_ROW_BYTES, _PACKED = 120, 4  # of a usual row as text; how many times smaller a workbook is
Tell = Callable[[int, int, float], None]


def look(data: BinaryIO) -> None:
    """Invalid for a file whose columns cannot be right, told at once; a workbook of size tells it when it is read."""
    size = data.seek(0, io.SEEK_END)
    data.seek(0)
    if size == 0:
        raise Invalid(mark("文件是空的。"), field="file")
    if size <= _LOOKED_AT or data.read(2) != b"PK":
        audience_rows.read(data)
    data.seek(0)


def pages_of(size: int, page_rows: int, *, is_book: bool) -> int:
    """Into how many pages a file of so many bytes is put: a power of two, about `page_rows` in each."""
    rows = size * (_PACKED if is_book else 1) // _ROW_BYTES
    pages = 1
    while pages < MOST_PAGES and pages * page_rows < rows:
        pages *= 2
    return pages


class Reading:
    """One file on its way into its pages. `tell` is told rows, bad rows and the share (0 to 1) that is over, and
    raises to end it."""

    def __init__(
        self,
        staged: Staged,
        sheet: Sheet,
        vault: Vault,
        *,
        outlets: set[str],
        pages: int,
        zone: ZoneInfo,
        now: datetime,
    ) -> None:
        self._staged, self._sheet, self._vault = staged, sheet, vault
        self._outlets, self._pages, self._zone, self._now = outlets, pages, zone, now
        # an index under a key of the ring begins with the key's name, which is the same for all
        newest, derived = vault.key_ids[0], vault.key_ids[-1]
        self._from = 0 if newest == derived else len(newest)
        self.rows = self.bad = 0
        # whose the rows of each page are: eight bytes of the hash of each person
        self._persons = [array("Q") for _page in range(pages)]

    def run(self, tell: Tell) -> None:
        """Read to the end; Invalid when it cannot be read, or most of it is bad."""
        staged, is_outlet = self._staged, self._outlets.__contains__
        staged.begin()
        staged.put_header(self._sheet.header)
        for line, cells, raw in self._sheet.rows:
            self.rows += 1
            try:
                row = audience_rows.check(line, cells, zone=self._zone, now=self._now, is_outlet=is_outlet)
            except DomainError as error:
                self._note(line, error, raw)
            else:
                staged.put(self._page_of(row), row)
            if self.rows % _TELL == 0:
                tell(self.rows, self.bad, self._sheet.source.share() * 0.8)
        staged.finish()
        self._set_twins_aside(tell)
        staged.finish()

    def _page_of(self, row: ContactRow) -> int:
        """The page of a row, noting whose it is: all rows of one person are in one, and pages are in the order of the
        index."""
        person = int(self._vault.index(*row.address)[self._from : self._from + 16], 16)
        page = person * self._pages >> 64
        self._persons[page].append(person)
        return page

    def _set_twins_aside(self, tell: Tell) -> None:
        twins: dict[int, ContactRow] = {}
        first_of_twin: dict[int, int] = {}
        for number, persons in enumerate(self._persons):
            if len(set(persons)) == len(persons):
                continue  # nobody stands in this page twice
            rows, first = self._staged.page(number), dict[tuple[str, ...], int]()
            again = [row for row in rows if first.setdefault(tuple(row.address), row.line) != row.line]
            if again:
                twins |= {row.line: row for row in again}
                first_of_twin |= {row.line: first[tuple(row.address)] for row in again}
                self._staged.replace(number, [row for row in rows if row.line not in twins])
            tell(self.rows, self.bad + len(twins), 0.8 + 0.2 * number / self._pages)
        if twins:
            for line, _cells, raw in self._sheet.rows:
                if line in twins:
                    self._note(line, audience_rows.twin(twins[line], first_of_twin[line]), raw)

    def _note(self, line: int, error: DomainError, raw: Sequence[str]) -> None:
        one = BadRow(line, audience_rows.heading(self._sheet, error.field or ""), error, tuple(raw))
        self.bad += 1
        if self.bad > MOST_BAD:
            raise audience_rows.too_many(MOST_BAD, one)
        self._staged.put_bad(one)


def refused(error: DomainError) -> Invalid:
    """The error as it can be kept: its sentence and what fills it."""
    words = {name: str(value)[:200] for name, value in error.params.items()}
    return Invalid(error.message, field=error.field, **words)
