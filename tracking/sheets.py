"""An answer as a table for people and files: CSV, XLSX with typed cells, JSON, or text for a terminal.

Every sheet carries its facts: what was asked, the definition, and how its columns are to be read.
"""

import io
import json
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from openpyxl import Workbook
from openpyxl.cell import Cell as TypedCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from core.cells import XLSX, to_csv, typed
from core.i18n import gettext as _

Cell = str | int | float | date | None
TEXT, NUMBER, SHARE, POINTS, RATE = "text", "number", "share", "points", "rate"
_FORMATS = {NUMBER: "#,##0", SHARE: "0.0%", POINTS: "+0.00%;-0.00%;0.00%", RATE: "#,##0.0"}
_SHOWN: dict[str, Callable[[float], str]] = {
    NUMBER: lambda number: f"{number:,}",
    SHARE: lambda number: f"{number:.1%}",
    POINTS: lambda number: f"{number:+.2%}",
    RATE: lambda number: f"{number:,.1f}",
}
_DASH = "—"
_WIDTHS = {TEXT: 24}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its key in JSON, its heading (already in the language in force), what its cells are."""

    key: str
    heading: str
    kind: str = NUMBER


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its facts; a cell that is None has no value (not 0)."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]
    facts: Sequence[tuple[str, str]]


def as_csv(sheet: Sheet) -> bytes:
    """Comma-separated UTF-8 with a byte order mark."""
    return to_csv([column.heading for column in sheet.columns], sheet.rows)


def as_xlsx(sheet: Sheet) -> bytes:
    """A workbook: the rows with typed cells, and the facts on a sheet of their own."""
    book = Workbook(write_only=True)
    rows = book.create_sheet(_sheet_name(sheet.title))
    rows.freeze_panes = "B2"
    for number, column in enumerate(sheet.columns):
        rows.column_dimensions[_letter(number)].width = _WIDTHS.get(column.kind, 16)
    rows.append([typed(rows, column.heading) for column in sheet.columns])
    for row in sheet.rows:
        pairs = zip(sheet.columns, row, strict=True)
        rows.append([_typed(rows, cell, column.kind) for column, cell in pairs])
    about = book.create_sheet(_("口径与筛选"))
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 24, 90
    for label, value in sheet.facts:
        about.append([typed(about, label), typed(about, value)])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def as_json(sheet: Sheet) -> bytes:
    """Rows by the keys of their columns; shares are fractions; what has no value is null."""
    keys = [column.key for column in sheet.columns]
    rows = [dict(zip(keys, (_plain(cell) for cell in row), strict=True)) for row in sheet.rows]
    facts = [{"label": label, "value": value} for label, value in sheet.facts]
    told = {"name": sheet.name, "title": sheet.title, "facts": facts, "rows": rows}
    return (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode()


def as_table(sheet: Sheet) -> bytes:
    """A table for a terminal, with the facts under it."""
    head = [column.heading for column in sheet.columns]
    body = [
        [_text(cell, column.kind) for column, cell in zip(sheet.columns, row, strict=True)]
        for row in sheet.rows
    ]
    widths = [max(_width(row[place]) for row in (head, *body)) for place in range(len(head))]
    left = [column.kind == TEXT for column in sheet.columns]
    rule = "  ".join("─" * width for width in widths)
    lines = [_aligned(row, widths, left) for row in body]
    told = [f"{label}：{value}" for label, value in sheet.facts]
    return ("\n".join([_aligned(head, widths, left), rule, *lines, rule, "", *told]) + "\n").encode()


FORMATS: dict[str, tuple[Callable[[Sheet], bytes], str]] = {
    "table": (as_table, "text/plain; charset=utf-8"),
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "json": (as_json, "application/json"),
    "xlsx": (as_xlsx, XLSX),
}


def _typed(sheet: WriteOnlyWorksheet, cell: Cell, kind: str) -> TypedCell:
    made = typed(sheet, cell)
    if kind in _FORMATS and isinstance(cell, (int, float)):
        made.number_format = _FORMATS[kind]
    return made


def _plain(cell: Cell) -> str | int | float | None:
    return cell.isoformat() if isinstance(cell, date) else cell


def _text(cell: Cell, kind: str) -> str:
    if cell is None:
        return _DASH
    return _SHOWN[kind](cell) if kind in _SHOWN and isinstance(cell, (int, float)) else str(cell)


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"A{chr(ord('A') + number - 26)}"


def _sheet_name(title: str) -> str:
    """What a spreadsheet takes as the name of a sheet: at most 31 letters, none of []:*?/\\."""
    return "".join(" " if letter in "[]:*?/\\" else letter for letter in title)[:31]


def _aligned(row: Iterable[str], widths: Sequence[int], left: Sequence[bool]) -> str:
    cells = [
        text + " " * (width - _width(text)) if to_left else " " * (width - _width(text)) + text
        for text, width, to_left in zip(row, widths, left, strict=True)
    ]
    return "  ".join(cells).rstrip()


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
