"""core.cells: what is written to a file is never calculated by a spreadsheet, and comes back as it was."""

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from core import cells

TEXT = st.text(alphabet="=+-@＝＋－＠\t\r\n'\"a1;, .中", max_size=8)
DANGEROUS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


@given(TEXT)
def test_a_cell_is_no_formula_and_comes_back(text: str) -> None:
    safe = cells.neutral(text)
    assert not safe.startswith(DANGEROUS) or float(safe.rstrip("%")) <= 0
    assert cells.plain(safe) == text


@given(st.lists(TEXT, min_size=1, max_size=3))
def test_a_csv_row_holds_no_formula(row: list[str]) -> None:
    data = cells.to_csv(["a"] * len(row), [row]).decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(data, newline="")))[1]
    assert [cells.plain(cell) for cell in read] == row


@pytest.mark.parametrize("number", ["-1", "-73.95", "12%", "-0.5%", "0"])
def test_numbers_stay(number: str) -> None:
    assert cells.neutral(number) == number


def test_a_workbook_holds_text_as_text() -> None:
    rows = [["=1+1", "-5", 3, -2.5, None, date(2026, 3, 15), True, "a\x00b\x1b"]]
    sheet = load_workbook(io.BytesIO(cells.to_xlsx(["=A1"] * 8, rows))).worksheets[0]
    assert sheet["A1"].value == "'=A1" and sheet["A1"].data_type == "s"
    written = [cell.value for cell in sheet[2]]
    assert written == ["'=1+1", "-5", 3, -2.5, None, "2026-03-15", "True", "ab"]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
