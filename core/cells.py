"""Cells of CSV and XLSX files: the one place that writes them, so that no cell is ever a formula.

OWASP, CSV injection: a spreadsheet calculates what begins with = + - @ (also in full width), a tab or a line
break. Such a cell gets an apostrophe in front; `plain` takes it away again when a file comes back.
"""

import csv
import io
import re
from collections.abc import Iterable
from datetime import date
from typing import TextIO

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")
_AS_IT_IS = (int, float, type(None))  # what the writer of CSV writes as it is meant
_NUMBER = re.compile(r"-?\d+(\.\d+)?%?", re.ASCII)


def neutral(cell: str) -> str:
    """The cell so that no spreadsheet takes it for a formula; numbers stay numbers."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def plain(cell: str) -> str:
    """The cell without the apostrophe that `neutral` put before it."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def shown(value: object) -> str:
    """A value as a file shows it: nothing for None, days as 2026-03-15."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


class SafeWriter:
    """Writes rows of CSV whose cells are neutral, one at a time: for files too long to hold."""

    def __init__(self, target: TextIO) -> None:
        self._writer = csv.writer(target)

    def row(self, cells: Iterable[object]) -> None:
        """One row; int and float are written as they are."""
        self._writer.writerow(_csv_row(cells))

    def rows(self, rows: Iterable[Iterable[object]]) -> None:
        """Many."""
        self._writer.writerows(map(_csv_row, rows))


def _csv_row(cells: Iterable[object]) -> list[object]:
    return [cell if type(cell) in _AS_IT_IS else _csv_cell(cell) for cell in cells]


def _csv_cell(cell: object) -> object:
    return cell if isinstance(cell, (int, float)) and not isinstance(cell, bool) else neutral(shown(cell))


def to_csv(heading: Iterable[object], rows: Iterable[Iterable[object]]) -> bytes:
    """CSV as spreadsheets in China open it rightly: UTF-8 with BOM."""
    out = io.StringIO(newline="")
    writer = SafeWriter(out)
    writer.row(heading)
    writer.rows(rows)
    return out.getvalue().encode("utf-8-sig")


def to_xlsx(heading: Iterable[object], rows: Iterable[Iterable[object]]) -> bytes:
    """The same as XLSX: text stays text and is never a formula, numbers stay numbers."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append([typed(sheet, cell) for cell in heading])
    for row in rows:
        sheet.append([typed(sheet, cell) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def typed(sheet: WriteOnlyWorksheet, value: object) -> Cell:
    """A cell of a write-only sheet: a number, or text that is kept as text.

    The text is neutral too: who saves the sheet as CSV would otherwise let the formula loose.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number: Cell = WriteOnlyCell(sheet, value)
        return number
    cell: Cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", neutral(shown(value))))
    cell.data_type = "s"
    return cell
