"""Files of contacts as rows of cells, read again as often as wanted and never held whole: CSV or XLSX."""

import codecs
import csv
import hashlib
import io
import warnings
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from openpyxl import load_workbook

from core.errors import Invalid
from core.i18n import mark

Row = tuple[int, list[str]]
_PIECE = 1 << 20
_MOST_UNPACKED = (
    2 << 30
)  # bytes of an XLSX unpacked: a million rows of fifteen columns take less than half of it
_XLSX = b"PK\x03\x04"


class Source:
    """An uploaded file. `sha256` of its bytes; `rows()` from the beginning, with the number of the line."""

    def __init__(self, data: bytes | BinaryIO) -> None:
        self._file: BinaryIO = io.BytesIO(data) if isinstance(data, bytes) else data
        self._file.seek(0)
        self._is_book = self._file.read(len(_XLSX)) == _XLSX
        self.sha256, self._encoding = self._look_through()

    def rows(self) -> Iterator[Row]:
        """Every row with its line; Invalid for what cannot be read."""
        self._file.seek(0)
        return _book_rows(self._file) if self._is_book else self._text_rows()

    def _look_through(self) -> tuple[str, str]:
        """The hash of the bytes and the encoding in which all of them can be read; Invalid when there is none."""
        self._file.seek(0)
        total = hashlib.sha256()
        open_to = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8-sig", "gb18030")}
        while piece := self._file.read(_PIECE):
            total.update(piece)
            if not self._is_book:
                open_to = {name: one for name, one in open_to.items() if _reads(one, piece)}
        if self._is_book:
            return total.hexdigest(), ""
        for name, one in open_to.items():
            if _reads(one, b"", final=True):
                return total.hexdigest(), name
        raise Invalid(mark("读不出这个文件：请另存为 CSV（UTF-8 或 GB18030）再试。"), field="file")

    def _text_rows(self) -> Iterator[Row]:
        text = io.TextIOWrapper(self._file, self._encoding, newline="")
        try:
            mark_between = "\t" if "\t" in text.readline() else ","
            text.seek(0)
            reader = csv.reader(text, delimiter=mark_between)
            line = 1
            for cells in reader:
                yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise Invalid(
                mark("第 %(line)s 行不是合格的 CSV。"), field="file", line=reader.line_num
            ) from error
        finally:
            text.detach()


def _reads(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    try:
        return "\x00" not in decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False


def _book_rows(file: BinaryIO) -> Iterator[Row]:
    """The first sheet of a workbook, row by row."""
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MOST_UNPACKED:
                raise Invalid(mark("这个 XLSX 文件展开后过大，请删去无关的工作表。"), field="file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that do not matter here
            book = load_workbook(file, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise Invalid(mark("XLSX 文件已损坏或有密码，请在 Excel 里打开后另存一份。"), field="file") from error
    sheet = book.worksheets[0]
    sheet.reset_dimensions()
    for line, cells in enumerate(sheet.iter_rows(values_only=True), 1):
        yield line, [_cell(cell) for cell in cells]


def _cell(cell: Any) -> str:
    """A cell as a person reads it: whole numbers without a point (a telephone is a number in many files)."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
