"""A file of counts as cells: CSV (UTF-8, GB18030) or XLSX, with the heading found and a hash of what it says."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from core.cells import plain
from core.errors import Invalid
from core.i18n import mark
from institution import outlet_files

MOST_ROWS, MOST_COLUMNS = 200_000, 60


@dataclass(frozen=True, slots=True)
class Table:
    """Headings, and the rows that hold anything, each with its number as a spreadsheet shows it.

    `hash` is the SHA-256 (hex) of the cells: the same table saved in another format or encoding is the same.
    """

    headings: tuple[str, ...]
    rows: Sequence[tuple[int, list[str]]]
    hash: str


def read(data: bytes) -> Table:
    """The table in a file; Invalid says what is wrong with it."""
    found = outlet_files.cells_of(data)
    headings = tuple(next(found, []))
    while headings and not headings[-1]:
        headings = headings[:-1]
    if not headings:
        raise Invalid(mark("文件是空的：第 1 行应是列名。"), field="file")
    if len(headings) > MOST_COLUMNS:
        raise Invalid(mark("文件超过 %(count)s 列，请删去无关的列。"), field="file", count=MOST_COLUMNS)
    width = len(headings)
    rows: list[tuple[int, list[str]]] = []
    digest = hashlib.sha256("\x1f".join(headings).encode())
    for number, cells in enumerate(found, 2):
        if not any(cells):
            continue
        if len(rows) >= MOST_ROWS:
            raise Invalid(mark("文件超过 %(count)s 行，请分成几份导入。"), field="file", count=MOST_ROWS)
        taken = [plain(cell) for cell in cells[:width]] + [""] * (width - len(cells))
        rows.append((number, taken))
        digest.update(("\x1e" + "\x1f".join(taken)).encode("utf-8", "surrogatepass"))
    if not rows:
        raise Invalid(mark("文件只有列名，没有数据。"), field="file")
    return Table(headings, rows, digest.hexdigest())
