"""A report as a file: CSV, XLSX, JSON, or a table of text; what people type into names stays text.

The first seven columns stand where they always stood, for those who read files by position; what came later
stands to their right: the bases and growth of the other two figures, and the second grouping.
"""

import io
import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter

from openpyxl import Workbook
from openpyxl.cell import Cell as TypedCell
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from core.cells import XLSX, to_csv, typed
from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import mark
from tracking import periods
from tracking.definition import KIND_NAMES, PEOPLE_ERROR
from tracking.groupings import BY_NAMES, CAMPAIGN, DAY, KIND
from tracking.measure import MOST_ROWS
from tracking.report_json import as_json
from tracking.reports import Line, Report, drop_name

Cell = str | int | float | date | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, the heading where the base is the period before, what of a line it shows, its width
    in a sheet."""

    label: str
    shows: str
    width: int
    label_previous: str = ""

    def heading(self, report: Report) -> str:
        """The heading in the language in force."""
        previous = report.ask.compared.mode == periods.PREVIOUS and self.label_previous
        return _(self.label_previous if previous else self.label)


_COLUMNS = (
    Column(mark("编号"), "key", 16),
    Column(mark("名称"), "name", 36),
    Column(mark("触达人次"), "gross", 14),
    Column(mark("去重人次"), "deduplicated", 14),
    Column(mark("触达人数（估）"), "people", 16),
    Column(mark("上年同期触达人次"), "gross_before", 18, mark("上期触达人次")),
    Column(mark("增幅"), "growth", 10),
    Column(mark("上年同期去重人次"), "deduplicated_before", 18, mark("上期去重人次")),
    Column(mark("去重增幅"), "deduplicated_growth", 10),
    Column(mark("上年同期触达人数（估）"), "people_before", 22, mark("上期触达人数（估）")),
    Column(mark("人数增幅"), "people_growth", 10),
)
_SECOND = (
    Column(mark("编号二"), "key2", 16),
    Column(mark("名称二"), "name2", 36),
)
_FIRST_SEVEN = 7
_DASH = "—"
_BOLD = Font(bold=True)


def columns(report: Report) -> tuple[Column, ...]:
    """The columns of a report's files; the last two only where there are two groupings."""
    return _COLUMNS + (_SECOND if len(report.ask.by) == 2 else ())


def _cells(shown: Sequence[Column]) -> Callable[[Line], tuple[Cell, ...]]:
    """What takes the cells of a line."""
    return attrgetter(*(column.shows for column in shown))


def as_csv(report: Report) -> bytes:
    """Comma-separated UTF-8 with a byte order mark (Excel needs it); the total is the last line."""
    shown = columns(_bounded(report))
    lines = map(_cells(shown), (*report.rows, report.total))
    return to_csv([column.heading(report) for column in shown], lines)


def as_xlsx(report: Report) -> bytes:
    """A workbook: the rows with typed cells, and a sheet that says what was asked and how it was counted."""
    shown = columns(_bounded(report))
    book = Workbook(write_only=True)
    rows = book.create_sheet(_("触达报告"))
    rows.freeze_panes = "C2"
    for number, column in enumerate(shown, 1):
        rows.column_dimensions[get_column_letter(number)].width = column.width
    rows.append([_bold(_typed(rows, column.heading(report))) for column in shown])
    days, cells = _days(report), _cells(shown)
    for line in report.rows:
        rows.append([_typed(rows, cell, day=days.get(place)) for place, cell in enumerate(cells(line))])
    rows.append([_bold(_typed(rows, cell)) for cell in cells(report.total)])
    rows.auto_filter.ref = f"A1:{get_column_letter(len(shown))}{len(report.rows) + 1}"
    _about(book, report)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _about(book: Workbook, report: Report) -> None:
    about = book.create_sheet(_("口径与筛选"))
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 24, 80
    compared = report.ask.compared
    dated: list[tuple[str, Cell]] = [
        (_("开始日期"), compared.period.first),
        (_("结束日期"), compared.period.last),
    ]
    if compared.base:
        dated += [(_("比较开始日期"), compared.base.first), (_("比较结束日期"), compared.base.last)]
    for label, value in (*dated, *facts(report)):
        about.append([_bold(_typed(about, label)), _typed(about, value)])


def _days(report: Report) -> dict[int, Callable[[str], date]]:
    """The places of columns whose keys are days."""
    at = report.ask.by.index(DAY) if DAY in report.ask.by else None
    return {} if at is None else {(0, len(_COLUMNS))[at]: date.fromisoformat}


def as_json_text(report: Report) -> bytes:
    """The report as JSON, indented, Chinese readable."""
    return (json.dumps(as_json(_bounded(report)), ensure_ascii=False, indent=2) + "\n").encode()


def as_table(report: Report) -> bytes:
    """A table for a terminal, with the definition and what was left out under it."""
    first, rest = _COLUMNS[:2], _COLUMNS[2:_FIRST_SEVEN]
    shown = (*first, *(_SECOND if len(report.ask.by) == 2 else ()), *rest)
    words = len(shown) - len(rest)
    head, cells = [column.heading(report) for column in shown], _cells(shown)
    body, (total,) = (
        [[_shown(cell, place >= words) for place, cell in enumerate(cells(line))] for line in lines]
        for lines in (report.rows, (report.total,))
    )
    widths = [max(_width(row[place]) for row in (head, *body, total)) for place in range(len(head))]
    rule = "  ".join("─" * width for width in widths)
    lines = [_aligned(head, widths, words), rule, *(_aligned(row, widths, words) for row in body), rule]
    lines += [
        _aligned(total, widths, words), "", *(f"{label}：{value}" for label, value in facts(report)),
    ]  # fmt: skip
    return ("\n".join(lines) + "\n").encode()


FORMATS: dict[str, tuple[Callable[[Report], bytes], str]] = {
    "table": (as_table, "text/plain; charset=utf-8"),
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "json": (as_json_text, "application/json"),
    "xlsx": (as_xlsx, XLSX),
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
    yield from _narrowed(report)
    yield _("触达定义"), report.definition.sentence
    yield _("去重规则"), _("同一访客同日同网点同渠道同内容计 1 次，另加活动人数")
    yield _("触达人数误差"), f"± {PEOPLE_ERROR:.1%}"
    for note in report.notes:
        yield _("批注"), note
    left = "，".join(f"{drop_name(reason)} {number:,}" for reason, number in report.dropped.items())
    yield _("剔除"), left or _("无")


def _narrowed(report: Report) -> Iterator[tuple[str, str]]:
    for name, values in report.ask.where:
        called = [_(KIND_NAMES[one]) if name == KIND and one in KIND_NAMES else one for one in values]
        label = _(BY_NAMES[name]) if name == CAMPAIGN else _("只看%(name)s", name=_(BY_NAMES[name]))
        yield label, "，".join(called)


def _bounded(report: Report) -> Report:
    """The report, if a file of it can be made; Invalid for more rows than that."""
    if len(report.rows) > MOST_ROWS:
        raise Invalid(
            mark("结果超过 %(most)s 行，请缩短时间范围或换一种分组。"), field="by", most=f"{MOST_ROWS:,}"
        )
    return report


def _typed(sheet: WriteOnlyWorksheet, value: Cell, *, day: Callable[[str], date] | None = None) -> TypedCell:
    if day is not None and isinstance(value, str):
        value = day(value)
    if isinstance(value, date):
        dated: TypedCell = WriteOnlyCell(sheet, datetime(value.year, value.month, value.day))  # noqa: DTZ001
        dated.number_format = "yyyy-mm-dd"
        return dated
    cell = typed(sheet, value)
    if isinstance(value, float):
        cell.number_format = "0.0%"
    elif isinstance(value, int):
        cell.number_format = "#,##0"
    return cell


def _bold(cell: TypedCell) -> TypedCell:
    cell.font = _BOLD
    return cell


def _shown(cell: Cell, figure: bool) -> str:
    if cell is None:
        return _DASH
    if isinstance(cell, float):
        return f"{cell:+.1%}"
    return f"{cell:,}" if isinstance(cell, int) and figure else str(cell)


def _aligned(row: Sequence[str], widths: Sequence[int], words: int) -> str:
    cells = [
        text + " " * (width - _width(text)) if place < words else " " * (width - _width(text)) + text
        for place, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
