"""A report as a file: CSV, XLSX, JSON, or a table of text; what people type into names stays text."""

import io
import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from openpyxl import Workbook
from openpyxl.cell import Cell as TypedCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from core.cells import to_csv, typed
from core.i18n import gettext as _
from core.i18n import mark
from tracking import periods
from tracking.definition import PEOPLE_ERROR
from tracking.groupings import BY_NAMES
from tracking.reports import Line, Report, as_json, drop_name

Cell = str | int | float | None
COLUMNS = (
    mark("编号"),
    mark("名称"),
    mark("触达人次"),
    mark("去重人次"),
    mark("触达人数（估）"),
    mark("上年同期触达人次"),
    mark("增幅"),
)
_DASH = "—"


def as_csv(report: Report) -> bytes:
    """Comma-separated UTF-8 with a byte order mark (Excel needs it); the total is the last line."""
    lines = (*report.rows, report.total)
    return to_csv([_(column) for column in COLUMNS], [_cells(line) for line in lines])


def as_xlsx(report: Report) -> bytes:
    """A workbook: the rows with typed cells, and a sheet that says what was asked and how it was counted."""
    book = Workbook(write_only=True)
    rows = book.create_sheet(_("触达报告"))
    rows.freeze_panes = "C2"
    for letter, width in zip("ABCDEFG", (16, 36, 14, 14, 14, 18, 10), strict=True):
        rows.column_dimensions[letter].width = width
    rows.append([_(column) for column in COLUMNS])
    for line in (*report.rows, report.total):
        rows.append([_typed(rows, cell) for cell in _cells(line)])
    about = book.create_sheet(_("口径与筛选"))
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 24, 80
    for label, value in facts(report):
        about.append([_typed(about, label), _typed(about, value)])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def as_json_text(report: Report) -> bytes:
    """The report as JSON, indented, Chinese readable."""
    return (json.dumps(as_json(report), ensure_ascii=False, indent=2) + "\n").encode()


def as_table(report: Report) -> bytes:
    """A table for a terminal, with the definition and what was left out under it."""
    head = [_(column) for column in COLUMNS]
    body = [[_shown(cell, place) for place, cell in enumerate(_cells(line))] for line in report.rows]
    total = [_shown(cell, place) for place, cell in enumerate(_cells(report.total))]
    widths = [max(_width(row[place]) for row in (head, *body, total)) for place in range(len(head))]
    rule = "  ".join("─" * width for width in widths)
    lines = [_aligned(head, widths), rule, *(_aligned(row, widths) for row in body), rule]
    lines += [_aligned(total, widths), "", *(f"{label}：{value}" for label, value in facts(report))]
    return ("\n".join(lines) + "\n").encode()


FORMATS: dict[str, tuple[Callable[[Report], bytes], str]] = {
    "table": (as_table, "text/plain; charset=utf-8"),
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "json": (as_json_text, "application/json"),
    "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """What was asked, how it was counted and what was left out, as label and value."""
    compared = report.ask.compared
    yield _("统计时间"), f"{compared.period.first} – {compared.period.last}"
    yield _("比较方式"), _(periods.MODE_NAMES[compared.mode])
    if compared.base:
        yield _("比较时间"), f"{compared.base.first} – {compared.base.last}"
    if report.per_day:
        now, before = report.per_day
        yield _("日均触达人次"), f"{now:,.1f} / {before:,.1f}"
    yield _("机构范围"), report.within_name
    yield _("分组"), " × ".join(_(BY_NAMES[by]) for by in report.ask.by)
    if report.ask.campaign:
        yield _("活动期"), report.ask.campaign
    yield _("触达定义"), report.definition.sentence
    yield _("去重规则"), _("同一访客同日同网点同渠道同内容计 1 次，另加活动人数")
    yield _("触达人数误差"), f"± {PEOPLE_ERROR:.1%}"
    for note in report.notes:
        yield _("批注"), note
    left = "，".join(f"{drop_name(reason)} {number:,}" for reason, number in report.dropped.items())
    yield _("剔除"), left or _("无")


def _cells(line: Line) -> Sequence[Cell]:
    return (
        line.key, line.name, line.gross, line.deduplicated, line.people, line.gross_before, line.growth,
    )  # fmt: skip


def _typed(sheet: WriteOnlyWorksheet, value: Cell) -> TypedCell:
    cell = typed(sheet, value)
    if isinstance(value, float):
        cell.number_format = "0.0%"
    elif isinstance(value, int):
        cell.number_format = "#,##0"
    return cell


def _shown(cell: Cell, place: int) -> str:
    if cell is None:
        return _DASH
    if isinstance(cell, float):
        return f"{cell:+.1%}"
    return f"{cell:,}" if isinstance(cell, int) and place > 1 else str(cell)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        text + " " * (width - _width(text)) if place < 2 else " " * (width - _width(text)) + text
        for place, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
