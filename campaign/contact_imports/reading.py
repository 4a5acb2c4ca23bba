"""Reading an uploaded file once: every row checked, good ones into pages, bad ones set aside, the same person twice found."""

import io
from array import array
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import nullcontext
from itertools import islice
from typing import BinaryIO

from campaign import audience_rows
from campaign.audience_columns import BadRow
from campaign.audience_rows import ContactRow, Sheet
from campaign.contact_imports.sorting import Rules, Sorting
from campaign.contact_imports.staged import Staged
from core.beside import Beside
from core.errors import DomainError, Invalid
from core.i18n import mark
from core.privacy import Vault

MOST_BAD = 20_000  # a file with more of them has its columns mixed up, and is not to be read row by row
MOST_PAGES = 512
_BLOCK, _AHEAD = 1_000, 2  # rows that are handed on together; such blocks that wait for the process beside
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
    """One file on its way into its pages, by this process and, where `beside`, by one more. `tell` is told rows, bad
    rows and the share (0 to 1) that is over, and raises to end it."""

    def __init__(self, staged: Staged, sheet: Sheet, vault: Vault, rules: Rules, *, beside: bool) -> None:
        self._staged, self._sheet, self._vault = staged, sheet, vault
        self._rules, self._beside = rules, beside
        self.rows = self.bad = 0

    def run(self, tell: Tell) -> None:
        """Read to the end; Invalid when it cannot be read, or most of it is bad."""
        self._staged.begin()
        self._staged.put_header(self._sheet.columns.header)
        given = self._staged.of(1), self._vault, self._rules
        with Beside(Sorting, *given) if self._beside else nullcontext() as other:
            persons = self._read(tell, Sorting(self._staged, self._vault, self._rules), other)
        self._set_twins_aside(tell, persons)
        self._staged.finish()

    def _read(self, tell: Tell, here: Sorting, other: Beside | None) -> list["array[int]"]:
        """Blocks of rows to whoever has nothing to do; whose the rows of each page are."""
        rows, under_way = self._sheet.rows, deque[Future[list[BadRow]]]()
        while block := list(islice(rows, _BLOCK)):
            while under_way and under_way[0].done():
                self._note(under_way.popleft().result())
            if other and len(under_way) < _AHEAD:
                under_way.append(other.ask("take", block))
            else:
                self._note(here.take(block))
            self.rows += len(block)
            tell(self.rows, self.bad, self._sheet.source.share() * 0.8)
        for each in under_way:
            self._note(each.result())
        persons = here.end()
        if other:
            for mine, theirs in zip(persons, other.ask("end").result(), strict=True):
                mine.extend(theirs)
        return persons

    def _set_twins_aside(self, tell: Tell, persons: list["array[int]"]) -> None:
        twins: dict[int, ContactRow] = {}
        first_of_twin: dict[int, int] = {}
        for number, mine in enumerate(persons):
            if len(set(mine)) == len(mine):
                continue  # nobody stands in this page twice
            rows, first = self._staged.page(number), dict[tuple[str, str], int]()
            again = [row for row in rows if first.setdefault(row.address, row.line) != row.line]
            if again:
                twins |= {row.line: row for row in again}
                first_of_twin |= {row.line: first[row.address] for row in again}
                self._staged.replace(number, [row for row in rows if row.line not in twins])
            tell(self.rows, self.bad + len(twins), 0.8 + 0.2 * number / len(persons))
        if twins:
            self._note(
                self._sheet.columns.bad(line, audience_rows.twin(twins[line], first_of_twin[line]), raw)
                for line, raw in self._sheet.rows
                if line in twins
            )

    def _note(self, bad: Iterable[BadRow]) -> None:
        for one in bad:
            self.bad += 1
            if self.bad > MOST_BAD:
                raise audience_rows.too_many(MOST_BAD, one)
            self._staged.put_bad(one)


def refused(error: DomainError) -> Invalid:
    """The error as it can be kept: its sentence and what fills it."""
    words = {name: str(value)[:200] for name, value in error.params.items()}
    return Invalid(error.message, field=error.field, **words)
