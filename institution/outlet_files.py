"""Outlet lists as files: CSV (UTF-8, GB18030) and XLSX, read into rows. Cells are plain text here."""

import csv
import io
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openpyxl import load_workbook

from core.cells import plain
from core.errors import Invalid
from core.i18n import current_locale, mark

# field: (label, other headings that mean it); the English heading is the field's name with spaces
COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "code": (mark("编号"), ("机构编号", "机构代码", "网点编号", "网点代码", "代码")),
    "name": (mark("名称"), ("机构名称", "网点名称")),
    "kind": (mark("级别"), ("机构级别", "类型", "机构类型", "层级", "type", "level")),
    "parent_code": (mark("上级编号"), ("上级机构编号", "上级机构代码", "上级代码", "上级", "parent")),
    "province": (mark("省份"), ("省", "所在省", "省级行政区")),
    "city": (mark("城市"), ("市", "地市", "所在市")),
    "county": (mark("区县"), ("县", "区", "县区", "所在县", "district")),
    "address": (mark("地址"), ("详细地址", "网点地址")),
    "longitude": (mark("经度"), ("lng", "lon")),
    "latitude": (mark("纬度"), ("lat",)),
    "phone": (mark("电话"), ("联系电话", "网点电话", "telephone", "tel")),
    "hours": (mark("营业时间"), ("服务时间", "开放时间", "opening hours", "business hours")),
    "plaque_number": (mark("基地牌匾编号"), ("牌匾编号", "牌匾号", "挂牌编号", "plaque no", "plaque")),
    "plaque_on": (mark("挂牌日期"), ("牌匾日期", "plaque date")),
    "open_on": (
        mark("开业日期"),
        (
            "启用日期",
            "开业时间",
            "成立日期",
            "open since",
            "opened on",
            "opened",
            "open from",
            "open date",
            "opening date",
        ),
    ),
    "closed_on": (
        mark("撤并日期"),
        ("关闭日期", "撤销日期", "停业日期", "closed", "closed since", "close date", "closing date"),
    ),
}
LABELS = {name: label for name, (label, _others) in COLUMNS.items()}
MAX_ROWS = 200_000
MAX_UNPACKED = 256 * 1024 * 1024
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: its number as a spreadsheet shows it (the heading is 1), its cells by field."""

    number: int
    cells: dict[str, str]
    original: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that was read: the headings as they stood, the unknown ones, the rows that hold anything."""

    headings: list[str]
    unknown: list[str]
    missing: list[str]
    rows: list[Row]


def read(data: bytes) -> Sheet:
    """The sheet in a CSV or XLSX file, told apart by content; Invalid says what is wrong with the file."""
    table = cells_of(data)
    headings = next(table, [])
    if not any(headings):
        raise Invalid(mark("文件是空的：第 1 行应是列名。可用 signpost outlets template 得到样表。"))
    fields = [_field(heading) for heading in headings]
    known = [name for name in fields if name]
    for name in known:
        if known.count(name) > 1:
            raise Invalid(mark("列“%(column)s”出现了两次，请删去一列。"), column=LABELS[name])
    unknown = [heading for heading, name in zip(headings, fields, strict=True) if heading and not name]
    missing = [name for name in ("code", "name") if name not in known]
    return Sheet(headings, unknown, missing, list(_rows(table, fields)))


def cells_of(data: bytes) -> Iterator[list[str]]:
    """The rows of any CSV or XLSX file as texts, the heading first; Invalid as above."""
    if data.startswith(_OLD_EXCEL):
        raise Invalid(mark("这是旧版 Excel（.xls）文件，请另存为 .xlsx 或 CSV 后再导入。"))
    return _xlsx(data) if data.startswith(b"PK") else _csv(data)


def _rows(table: Iterator[list[str]], fields: list[str | None]) -> Iterator[Row]:
    for number, cells in enumerate(table, start=2):
        if number > MAX_ROWS:
            raise Invalid(mark("文件超过 %(count)s 行，请分成几份导入。"), count=MAX_ROWS)
        if any(cells):
            padded = cells + [""] * (len(fields) - len(cells))
            named = {name: plain(cell) for name, cell in zip(fields, padded, strict=False) if name}
            yield Row(number, named, cells)


def _field(heading: str) -> str | None:
    wanted = _squeezed(heading)
    for name, (label, others) in COLUMNS.items():
        if wanted in (_squeezed(word) for word in (name, label, *others)):
            return name
    return None


def _squeezed(heading: str) -> str:
    return re.sub(r"[\s_\-*]|[(（].*[)）]", "", unicodedata.normalize("NFKC", heading)).lower()


def _csv(data: bytes) -> Iterator[list[str]]:
    text = _decoded(data)
    first = text.partition("\n")[0]
    delimiter = max(",\t;，", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield [cell.strip() for cell in cells]
    except csv.Error as error:
        raise Invalid(
            mark("第 %(line)s 行附近的引号没有配对，请检查这一行。"), line=reader.line_num
        ) from error


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Invalid(mark("文件编码是 UTF-16，请另存为“CSV UTF-8”后再导入。"))
    if b"\x00" in data:
        raise Invalid(mark("这不是 CSV 或 XLSX 文件，请检查是否选错了文件。"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    guess = data.decode("utf-8", "replace")
    # GB18030 text read as UTF-8 is nearly all replacement marks; UTF-8 text with a broken byte is not.
    broken = guess.count("\ufffd") * 4 < sum("\u4e00" <= letter <= "\u9fff" for letter in guess)
    try:
        if not broken and not data.startswith(b"\xef\xbb\xbf"):
            return data.decode("gb18030")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    raise Invalid(mark("第 %(line)s 行有无法识别的字节：文件编码应是 UTF-8 或 GB18030。"), line=line)


def _xlsx(data: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
                raise Invalid(mark("这个 XLSX 文件展开后过大，请删去无关的工作表。"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that do not matter here
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise Invalid(mark("XLSX 文件已损坏或有密码，请在 Excel 里打开后另存一份。")) from error
    sheet = book.worksheets[0]
    sheet.reset_dimensions()
    for cells in sheet.iter_rows(values_only=True):
        yield [_text(cell) for cell in cells]


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == cell.min.time() else cell.isoformat(" ")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def headings() -> list[str]:
    """The headings that files are written with, in the language in force."""
    if current_locale() == "zh":
        return list(LABELS.values())
    return [name.replace("_", " ") for name in COLUMNS]
