"""Rules of one row, each named with row, column and what to do."""

from datetime import date

import pytest

from institution.outlet_files import Row
from institution.outlet_rows import draft

GOOD = {
    "code": "1",
    "name": "甲",
    "kind": "柜面",
    "parent_code": "9",
    "longitude": "116.4",
    "latitude": "39.9",
}


@pytest.mark.parametrize(
    ("cells", "field", "words"),
    [
        ({"code": ""}, "code", "不能为空"),
        ({"name": " "}, "name", "不能为空"),
        ({"code": "1.10105E+07"}, "code", "科学计数法"),
        ({"code": "a b"}, "code", "只能用"),
        ({"code": "=1+1"}, "code", "只能用"),
        ({"kind": "门店"}, "kind", "不认识的级别"),
        ({"open_on": "2023-02-30"}, "open_on", "不是日历上的日子"),
        ({"plaque_on": "去年"}, "plaque_on", "不是日期"),
        ({"closed_on": "45000"}, "closed_on", "不是日期"),
        ({"longitude": "abc"}, "longitude", "不是度数"),
        ({"longitude": "nan"}, "longitude", "超出范围"),
        ({"longitude": "39.9", "latitude": "116.4"}, "latitude", "写反了"),
        ({"longitude": "43.8", "latitude": "87.6"}, "longitude", "写反了"),
        ({"longitude": "200"}, "longitude", "-180 到 180"),
        ({"longitude": "0", "latitude": "0"}, "longitude", "大海"),
        ({"latitude": ""}, "longitude", "都填"),
        ({"open_on": "2020-01-02", "closed_on": "2020-01-01"}, "closed_on", "早于开业日期"),
        ({"parent_code": "1"}, "parent_code", "不能是自己"),
        ({"address": "长" * 301}, "address", "最多 300 个字"),
        ({"name": "甲\n乙"}, "name", "控制字符"),
        ({"name": "#REF!"}, "name", "错误值"),
    ],
)
def test_a_wrong_cell_is_named(cells: dict[str, str], field: str, words: str) -> None:
    _draft, faults = draft(Row(7, GOOD | cells))
    assert [fault.field for fault in faults] == [field]
    assert words in faults[0].line() and faults[0].line().startswith("第 7 行，“")


@pytest.mark.parametrize(
    "text", ["2023-03-05", "2023/3/5", "2023.03.05", "2023年3月5日", "20230305", "2023-03-05 00:00:00"]
)
def test_dates_as_people_write_them(text: str) -> None:
    read, faults = draft(Row(2, GOOD | {"open_on": text}))
    assert not faults and read.values["open_on"] == date(2023, 3, 5)


@pytest.mark.parametrize("word", ["outlet", "Outlet", "柜面网点", "网点", "柜面"])
def test_levels_in_both_languages(word: str) -> None:
    assert draft(Row(2, GOOD | {"kind": word}))[0].values["kind"] == "outlet"


def test_every_fault_of_a_row_is_told() -> None:
    _draft, faults = draft(Row(2, GOOD | {"name": "", "kind": "x", "open_on": "y"}))
    assert [fault.field for fault in faults] == ["name", "kind", "open_on"]
