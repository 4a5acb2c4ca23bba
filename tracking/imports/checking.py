"""The dry run: every row against every rule, each fault with its row and column; or the lines that will count."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, cast

from core.i18n import gettext as _
from core.i18n import mark
from institution.powers import WHOLE
from tracking.imports import lines
from tracking.imports.fields import DAY, KEYS, KIND, LABELS, OUTLET, RECEIPT, STATUS
from tracking.imports.known import Known
from tracking.imports.lines import Keys, Line
from tracking.imports.mapping import Columns
from tracking.imports.table import Table

EARLIEST = date(2000, 1, 1)
_DAY = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d\d)(\d\d))(?:[ T].*)?", re.ASCII)
_EXCEL_DAY = re.compile(r"[1-9]\d{4}(?:\.\d+)?", re.ASCII)
_NUMBER = re.compile(r"-?(?:\d+|\d{1,3}(?:[,，]\d{3})+)", re.ASCII)
_PHONE = re.compile(r"(?:\+?86[- ]?)?1[3-9]\d{9}", re.ASCII)
_NOTHING = frozenset(("", "-", "--", "—", "/"))
_ARRIVED = frozenset(
    ("delivrd", "success", "delivered", "ok", "3", "true", "成功", "送达", "已送达", "接收成功", "发送成功")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row: its number, the heading of the column, the rule (a msgid) and its words."""

    row: int
    column: str
    rule: str
    words: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The rule in the language in force."""
        return _(self.rule) % self.words if self.words else _(self.rule)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a dry run found: the faults, the lines, how many rows there were, and how many count nothing."""

    faults: Sequence[Fault]
    lines: Sequence[Line]
    rows: int
    skipped: int

    @property
    def quantity(self) -> int:
        """All that would count, added up."""
        return sum(one.quantity for one in self.lines)


@dataclass(frozen=True, slots=True)
class _Bad:
    """A cell breaks a rule: the place of its column, the rule, its words."""

    at: int | None
    rule: str
    words: Mapping[str, Any] = field(default_factory=dict)


def check(table: Table, columns: Columns, known: Known, today: date) -> Checked:
    """Look at every row; lines hold only what good rows say, and nothing is to be applied while one is bad."""
    run = _Run(table, columns, known, today)
    faults = [
        Fault(number, table.headings[bad.at] if bad.at is not None else "", bad.rule, bad.words)
        for number, cells in table.rows
        for bad in run.take(number, cells)
    ]
    faults += run.too_much()
    return Checked(faults, lines.as_sums(run.sums), len(table.rows), run.skipped)


class _Run:
    """One pass over the rows; what a word means is looked up once."""

    def __init__(self, table: Table, columns: Columns, known: Known, today: date) -> None:
        self.sums: dict[Keys, int] = {}
        self.skipped = 0
        self._known, self._today, self._columns = known, today, columns
        self._at = {name: columns.column(name) for name in (DAY, RECEIPT, STATUS, *KEYS)}
        self._counts = list(columns.counts())
        counting = {place for place, _kind in self._counts}
        self._saying = [place for place in range(len(table.headings)) if place not in counting]
        self._seen: dict[Any, int] = {}
        self._days: dict[str, date | _Bad] = {}
        self._keys: dict[tuple[str, str], str | _Bad] = {}

    def take(self, number: int, cells: Sequence[str]) -> list[_Bad]:
        """Add a row to the sums, or say all that is wrong with it."""
        personal = _personal(cells)
        if personal:
            return personal
        day, found = self._day(cells), {name: self._key(name, cells) for name in KEYS}
        kind, counts = found.pop(KIND), self._quantities(cells)
        bad = [one for one in (day, kind, *found.values(), *(n for _k, n in counts)) if isinstance(one, _Bad)]
        bad += self._homeless(found[OUTLET]) or self._once(number, cells)
        if bad:
            return bad
        counted = cast("list[tuple[str, int]]", [(own or kind, n) for own, n in counts if n])
        if any(not name for name, _n in counted):
            return [_Bad(self._at[KIND], mark("没有写事件类别。"))]
        self.skipped += not counted
        under = cast("list[str]", list(found.values()))
        for name, n in counted:
            keys = Keys(cast(date, day), name, *under)
            self.sums[keys] = self.sums.get(keys, 0) + n
        return []

    def _homeless(self, outlet: str | _Bad) -> list[_Bad]:
        if outlet or self._known.place == WHOLE:
            return []
        return [_Bad(self._at[OUTLET], mark("没有写网点：只有全辖的导入可以记在总部线上。"))]

    def too_much(self) -> list[Fault]:
        """Sums that no line can carry."""
        rule = mark("合计 %(number)s，一天同一项最多 %(most)s。")
        return [
            Fault(0, keys.day.isoformat(), rule, {"number": f"{number:,}", "most": f"{lines.MOST:,}"})
            for keys, number in self.sums.items()
            if number > lines.MOST
        ]

    def _once(self, number: int, cells: Sequence[str]) -> list[_Bad]:
        """The same receipt twice, or a row that says the same as another of everything but the numbers."""
        receipt = self._at[RECEIPT]
        said = cells[receipt] if receipt is not None else tuple([cells[place] for place in self._saying])
        if receipt is not None and not said:
            return [_Bad(receipt, mark("没有回执编号。"))]
        first = self._seen.setdefault(said, number)
        return [] if first == number else [_Bad(receipt, mark("与第 %(row)s 行重复。"), {"row": first})]

    def _day(self, cells: Sequence[str]) -> date | _Bad:
        at = self._at[DAY]
        text = cells[at] if at is not None else ""
        known = self._days.get(text)
        if known is None:
            known = self._days[text] = self._read_day(at, text)
        return known

    def _read_day(self, at: int | None, text: str) -> date | _Bad:
        day = parsed_day(text)
        if day is None:
            return _Bad(at, mark("“%(text)s”不是日期，请写成 2026-09-15。"), {"text": text[:40]})
        if day > self._today:
            return _Bad(at, mark("%(day)s 还没有到，请核对日期。"), {"day": day.isoformat()})
        if day < EARLIEST:
            return _Bad(at, mark("%(day)s 太早，请核对年份。"), {"day": day.isoformat()})
        return day

    def _key(self, name: str, cells: Sequence[str]) -> str | _Bad:
        at = self._at[name]
        text = (cells[at] if at is not None else "") or self._columns.constants.get(name, "")
        if not text:
            return ""
        known = self._keys.get((name, text))
        if known is None:
            known = self._keys[name, text] = self._read_key(name, at, text)
        return known

    def _read_key(self, name: str, at: int | None, text: str) -> str | _Bad:
        key = self._known.key(name, text)
        if key is not None:
            return key
        words = {"name": _(LABELS[name]), "text": text[:60]}
        if name == OUTLET and text in self._known.outside:
            return _Bad(at, mark("网点“%(text)s”不在这次导入所属的机构里。"), words)
        if text in self._known.words[name].double:
            return _Bad(at, mark("有不止一个%(name)s叫“%(text)s”，请写编号。"), words)
        return _Bad(at, mark("没有叫“%(text)s”的%(name)s，请核对编号。"), words)

    def _quantities(self, cells: Sequence[str]) -> list[tuple[str, int | _Bad]]:
        """What each column counts, with its own kind or ""; of receipts, one for each that arrived."""
        status = self._at[STATUS]
        if status is not None and cells[status].strip().lower() not in _ARRIVED:
            return []
        if not self._counts:
            return [("", 1)]
        return [(kind, _number(place, cells[place])) for place, kind in self._counts]


def _personal(cells: Sequence[str]) -> list[_Bad]:
    rule = mark("像是手机号。触达数据不含个人信息，请删去这一列再导入。")
    return [_Bad(at, rule) for at, cell in enumerate(cells) if len(cell) >= 11 and _PHONE.fullmatch(cell)]


def parsed_day(text: str) -> date | None:
    """The day that a cell says: 2026-09-15, 2026/9/15, 20260915, 2026年9月15日, a number of Excel's; or None."""
    found = _DAY.fullmatch(text)
    try:
        if _EXCEL_DAY.fullmatch(text):
            return date(1899, 12, 30) + timedelta(days=int(float(text)))
        return date(int(found[1]), int(found[2] or found[4]), int(found[3] or found[5])) if found else None
    except ValueError:
        return None


def _number(at: int, text: str) -> int | _Bad:
    if text in _NOTHING:
        return 0
    if not _NUMBER.fullmatch(text):
        return _Bad(at, mark("“%(text)s”不是整数。"), {"text": text[:40]})
    number = int(text.replace(",", "").replace("，", ""))
    if number < 0:
        return _Bad(at, mark("数量不能是负数；要更正，请撤销原来的导入后重新导入。"))
    if number > lines.MOST:
        return _Bad(at, mark("数量太大，请核对：一行最多 %(most)s。"), {"most": f"{lines.MOST:,}"})
    return number
