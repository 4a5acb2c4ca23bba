"""Outlet lists as files: encodings, headings, XLSX, formula cells."""

import io
import zipfile
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from core import cells
from core.cells import neutral, plain
from core.errors import Invalid
from core.i18n import using_locale
from institution import outlet_files, outlet_output
from institution.outlet_files import read

CHINESE = "编号,名称,级别,上级编号\n100000,示范人寿保险,总公司,\n330000,浙江省分公司,省级分公司,100000\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_files_in_every_encoding(encoding: str) -> None:
    sheet = read(CHINESE.encode(encoding))
    assert [row.cells["name"] for row in sheet.rows] == ["示范人寿保险", "浙江省分公司"]
    assert [row.number for row in sheet.rows] == [2, 3]
    assert sheet.unknown == [] and sheet.missing == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (CHINESE.encode("utf-16"), "UTF-16"),
        (CHINESE.encode()[:-20] + b"\xff\xff" + CHINESE.encode()[-20:], "第 3 行"),
        (b"\xef\xbb\xbf" + CHINESE.encode("gb18030"), "UTF-8 或 GB18030"),
        (b"", "空的"),
        (b"\n\n", "空的"),
        (b"\xd0\xcf\x11\xe0old", ".xls"),
        (b"PK\x03\x04 not a workbook", "损坏"),
        (b"code,name\n\x00\x01", "不是 CSV"),
        (b'code,name\n1,"open', "引号"),
        (b"code,name,code\n", "两次"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(data: bytes, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(data)
    assert words in str(caught.value)


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_english_headings_any_delimiter_and_blank_rows(delimiter: str) -> None:
    lines = ["code,name,parent code,opening hours", "1,A,,x", ",,,", "", "2,B,1,y"]
    sheet = read("\n".join(lines).replace(",", delimiter).encode())
    assert [(row.number, row.cells["code"]) for row in sheet.rows] == [(2, "1"), (5, "2")]
    assert sheet.rows[1].cells == {"code": "2", "name": "B", "parent_code": "1", "hours": "y"}


def test_xlsx_cells_become_the_text_that_a_person_sees() -> None:
    book = Workbook()
    sheet_in = book.create_sheet(index=0)
    sheet_in.append(["编号", "名称", "开业日期", "经度", "怪列"])
    sheet_in.append([33010601, "文三路柜面", date(2008, 5, 6), 120.13, None])
    out = io.BytesIO()
    book.save(out)
    sheet = read(out.getvalue())
    assert sheet.unknown == ["怪列"]
    assert sheet.rows[0].cells == {
        "code": "33010601", "name": "文三路柜面", "open_on": "2008-05-06", "longitude": "120.13",
    }  # fmt: skip


def test_a_zip_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet_files, "MAX_UNPACKED", 1000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "0" * 2000)
    with pytest.raises(Invalid, match="过大"):
        read(out.getvalue())


@given(st.text(alphabet="=+-@\t'a1 .中", max_size=6).map(str.strip))
def test_a_neutral_cell_starts_no_formula_and_comes_back(cell: str) -> None:
    safe = neutral(cell)
    assert not safe.startswith(("=", "+", "@")) and (not safe.startswith("-") or float(safe) <= 0)
    assert plain(safe) == cell


def test_written_files_carry_no_formula() -> None:
    data = cells.to_csv(["a"], [["=HYPERLINK(1)"], ["-73.9"], [-1.5], [date(2023, 1, 2)], [None, 1]])
    assert data.decode("utf-8-sig").split("\r\n")[:-1] == [
        "a",
        "'=HYPERLINK(1)",
        "-73.9",
        "-1.5",
        "2023-01-02",
        ",1",
    ]


@pytest.mark.parametrize("xlsx", [False, True])
@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_example_is_read_in_both_languages(xlsx: bool, locale: str) -> None:
    with using_locale(locale):
        data = outlet_output.example(xlsx=xlsx)
    sheet = read(data)
    assert sheet.unknown == [] and len(sheet.rows) == 4
    assert set(sheet.rows[0].cells) == set(outlet_files.COLUMNS)
