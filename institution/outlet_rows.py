"""One row of an outlet list: text cells to typed values, or faults that name row, column and rule."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as made
from datetime import date
from typing import Any

from core.errors import Invalid
from core.i18n import gettext, mark
from institution.models import OutletKind
from institution.outlet_files import COLUMNS, LABELS, Row

KIND_WORDS = {
    OutletKind.head_office: ("总公司", "总部", "总行", "head office", "headoffice", "headquarters", "hq"),
    OutletKind.province: (
        "省级分公司",
        "省分公司",
        "分公司",
        "省公司",
        "省级",
        "省",
        "province",
        "provincial branch",
    ),
    OutletKind.city: (
        "地市公司",
        "地市级",
        "地市",
        "市公司",
        "市分公司",
        "市级",
        "市",
        "中心支公司",
        "city",
        "city branch",
    ),
    OutletKind.county: ("县支公司", "支公司", "县公司", "县级", "县", "区县", "county", "county branch"),
    OutletKind.outlet: ("柜面网点", "柜面", "网点", "服务网点", "outlet", "branch outlet"),
}
_KINDS = {word: kind for kind, words in KIND_WORDS.items() for word in (*words, kind.value)}
_LENGTHS = {
    "code": 32, "name": 120, "parent_code": 32, "province": 40, "city": 40, "county": 40,
    "address": 300, "phone": 40, "hours": 200, "plaque_number": 60,
}  # fmt: skip
_CODE = re.compile(r"^[0-9A-Za-z][0-9A-Za-z._-]*$")
_SCIENTIFIC = re.compile(r"^\d(\.\d+)?[eE]\+\d+$")
_DATE = re.compile(r"^(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?( 00:00(:00)?)?$")
_CELL_ERRORS = {"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row: its number, the field at fault, the rule as a msgid with its parameters."""

    row: int
    field: str
    rule: str
    params: dict[str, object] = made(default_factory=dict)

    def sentence(self) -> str:
        """The rule in the language in force."""
        return gettext(self.rule) % self.params if self.params else gettext(self.rule)

    def column(self) -> str:
        """The heading of the column at fault, in the language in force."""
        return gettext(LABELS[self.field]) if self.field in LABELS else self.field

    def line(self) -> str:
        """Row, column and rule in one sentence."""
        where = gettext("第 %(row)s 行，“%(column)s”：") % {"row": self.row, "column": self.column()}
        return where + self.sentence()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a row says, typed: only the fields whose column the file has."""

    row: Row
    code: str
    values: dict[str, Any]


def draft(row: Row) -> tuple[Draft, list[Fault]]:
    """The typed row and its own faults; what concerns other rows is checked by `outlet_tree`."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name in COLUMNS:
        if name not in row.cells:
            continue
        try:
            values[name] = _typed(name, row.cells[name])
        except Invalid as error:
            faults.append(Fault(row.number, name, error.message, error.params))
    if not faults:
        faults = [Fault(row.number, name, rule, params) for name, rule, params in _together(values)]
    return Draft(row, str(values.get("code") or row.cells.get("code", "")), values), faults


def _typed(name: str, text: str) -> Any:
    text = text.strip()
    if text.upper() in _CELL_ERRORS:
        raise Invalid(mark("单元格是电子表格的错误值“%(value)s”，请改成真实内容。"), value=text)
    if not text:
        if name in ("code", "name", "kind"):
            raise Invalid(mark("不能为空。"))
        return None if name in _NULLABLE else ""
    return _PARSERS.get(name, _plain)(name, text)


def _plain(name: str, text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn") for letter in text):
        raise Invalid(mark("含有看不见的控制字符或换行，请删去。"))
    if len(text) > _LENGTHS[name]:
        raise Invalid(mark("最多 %(most)s 个字，这里有 %(count)s 个。"), most=_LENGTHS[name], count=len(text))
    return text


def _code(name: str, text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    if _SCIENTIFIC.match(text):
        raise Invalid(
            mark("“%(value)s”是被电子表格改成科学计数法的编号，请把这一列设为文本格式。"), value=text
        )
    if not _CODE.match(text):
        raise Invalid(mark("编号“%(value)s”只能用数字、字母和 . _ -。"), value=text)
    return _plain(name, text)


def _kind(_name: str, text: str) -> str:
    kind = _KINDS.get(unicodedata.normalize("NFKC", text).lower().replace("_", " ")) or _KINDS.get(text)
    if kind is None:
        raise Invalid(
            mark("不认识的级别“%(value)s”，请用：总公司、省级分公司、地市公司、县支公司、柜面网点。"),
            value=text,
        )
    return kind.value


def _date(_name: str, text: str) -> date:
    found = _DATE.match(unicodedata.normalize("NFKC", text))
    try:
        if found:
            return date(*(int(part) for part in found.groups()[:3]))
    except ValueError as error:
        raise Invalid(mark("“%(value)s”不是日历上的日子。"), value=text) from error
    raise Invalid(mark("“%(value)s”不是日期，请写成 2023-03-15。"), value=text)


def _degrees(name: str, text: str) -> float:
    limit = 180 if name == "longitude" else 90
    try:
        value = float(unicodedata.normalize("NFKC", text))
    except ValueError as error:
        raise Invalid(mark("“%(value)s”不是度数，请写成 116.404 这样的小数。"), value=text) from error
    if not -limit <= value <= limit:
        swapped = name == "latitude" and abs(value) <= 180
        hint = mark("%(value)s 超出纬度范围 -90 到 90，看起来经度与纬度写反了。")
        raise Invalid(
            hint if swapped else mark("%(value)s 超出范围 -%(limit)s 到 %(limit)s。"), value=text, limit=limit
        )
    return value


def _together(values: dict[str, Any]) -> list[tuple[str, str, dict[str, object]]]:
    """Rules that hold between the cells of one row."""
    found: list[tuple[str, str, dict[str, object]]] = []
    opened, closed = values.get("open_on"), values.get("closed_on")
    if opened and closed and closed < opened:
        found.append(
            (
                "closed_on",
                mark("撤并日期 %(closed)s 早于开业日期 %(opened)s。"),
                {"closed": closed, "opened": opened},
            )
        )
    longitude, latitude = values.get("longitude"), values.get("latitude")
    if (longitude is None) != (latitude is None):
        found.append(("longitude", mark("经度与纬度要么都填，要么都空。"), {}))
    elif longitude is not None and latitude is not None:
        found += _coordinates(longitude, latitude)
    if values.get("code") and values.get("code") == values.get("parent_code"):
        found.append(("parent_code", mark("上级不能是自己。"), {}))
    return found


def _coordinates(longitude: float, latitude: float) -> list[tuple[str, str, dict[str, object]]]:
    if longitude == 0 and latitude == 0:
        return [("longitude", mark("经纬度 0, 0 在大海里；不知道就留空。"), {})]
    # Nobody has a counter north of 73°, while the whole of China lies east of it.
    if abs(latitude) > 73 and abs(longitude) <= 73:
        params: dict[str, object] = {"longitude": longitude, "latitude": latitude}
        return [("longitude", mark("经度 %(longitude)s、纬度 %(latitude)s 看起来写反了，请对调。"), params)]
    return []


_NULLABLE = {"parent_code", "longitude", "latitude", "plaque_on", "open_on", "closed_on"}
_PARSERS: dict[str, Callable[[str, str], Any]] = {
    "code": _code, "parent_code": _code, "kind": _kind, "longitude": _degrees, "latitude": _degrees,
    "plaque_on": _date, "open_on": _date, "closed_on": _date,
}  # fmt: skip
