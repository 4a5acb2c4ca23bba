"""Files of contacts as rows of cells, read again as often as wanted and never held whole: CSV or XLSX.

CSV in UTF-8 with or without BOM, in GB18030, or in UTF-16 with its BOM ("Unicode text" of spreadsheets).
"""

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
_MOST_STRINGS = 512 << 20  # bytes of its words, which stand in memory
_LONGEST_HEAD = 1 << 16
_XLSX = b"PK\x03\x04"


class Source:
    """An uploaded file. `sha256` of its bytes; `rows()` from the beginning, with the number of the line."""

    def __init__(self, data: bytes | BinaryIO) -> None:
        self._file: BinaryIO = io.BytesIO(data) if isinstance(data, bytes) else data
        self._file.seek(0)
        begins = self._file.read(len(_XLSX))
        self.is_book, self._is_wide = (
            begins == _XLSX,
            begins[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
        )
        self.size = self._file.seek(0, io.SEEK_END)
        self._line = self._lines = 0
        self.sha256, self._encoding = self._look_through()

    def rows(self) -> Iterator[Row]:
        """Every row with its line; Invalid for what cannot be read."""
        self._file.seek(0)
        return self._book_rows() if self.is_book else self._text_rows()

    def share(self) -> float:
        """How much of the file the last `rows()` has behind it, 0 to 1; of a workbook that does not say how long it is
        nothing is known."""
        if self.is_book:
            return min(1.0, self._line / self._lines) if self._lines else 0.0
        return self._file.tell() / self.size if self.size else 1.0

    def _look_through(self) -> tuple[str, str]:
        """The hash of the bytes and the encoding in which all of them can be read; Invalid when there is none."""
        self._file.seek(0)
        total = hashlib.sha256()
        names = ("utf-16",) if self._is_wide else ("utf-8-sig", "gb18030")
        open_to = {name: codecs.getincrementaldecoder(name)() for name in names}
        while piece := self._file.read(_PIECE):
            total.update(piece)
            if not self.is_book:
                open_to = {name: one for name, one in open_to.items() if _reads(one, piece)}
        if self.is_book:
            return total.hexdigest(), ""
        for name, one in open_to.items():
            if _reads(one, b"", final=True):
                return total.hexdigest(), name
        raise Invalid(mark("读不出这个文件：请另存为 CSV（UTF-8、UTF-16 或 GB18030）再试。"), field="file")

    def _text_rows(self) -> Iterator[Row]:
        text = io.TextIOWrapper(self._file, self._encoding, newline="")
        try:
            mark_between = "\t" if "\t" in text.readline(_LONGEST_HEAD) else ","
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
            if not self._file.closed:  # as when nobody reads to the end
                text.detach()

    def _book_rows(self) -> Iterator[Row]:
        """The first sheet of a workbook, row by row."""
        try:
            _check_sizes(self._file)
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # openpyxl warns of styles and extensions that do not matter here
                book = load_workbook(self._file, read_only=True, data_only=True)
        except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
            rule = mark("XLSX 文件已损坏或有密码，请在 Excel 里打开后另存一份。")
            raise Invalid(rule, field="file") from error
        sheet = book.worksheets[0]
        self._lines = sheet.max_row or 0
        sheet.reset_dimensions()
        for line, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            self._line = line
            yield line, [_cell(cell) for cell in cells]


def _reads(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    try:
        return "\x00" not in decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False


def _check_sizes(file: BinaryIO) -> None:
    """Invalid for a small file that would unpack to more than a machine holds."""
    with zipfile.ZipFile(file) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    words = max((size for name, size in sizes.items() if "sharedstrings" in name.lower()), default=0)
    if sum(sizes.values()) > _MOST_UNPACKED or words > _MOST_STRINGS:
        raise Invalid(mark("这个 XLSX 文件展开后过大，请删去无关的工作表，或另存为 CSV。"), field="file")


def _cell(cell: Any) -> str:
    """A cell as a person reads it: whole numbers without a point (a telephone is a number in many files)."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
