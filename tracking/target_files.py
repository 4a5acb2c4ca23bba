"""Targets as files: CSV or XLSX, one row per node, period and measure; applied all or not at all."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlmodel import Session

from core.cells import plain
from core.errors import DomainError, Invalid
from core.i18n import gettext as _
from core.i18n import mark
from institution.outlet_files import cells_of
from tracking import targets
from tracking.targets import MEASURES, Aim

# field: (label, other headings that mean it)
COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "outlet_code": (mark("机构编号"), ("编号", "网点编号", "机构代码", "code", "outlet", "outlet code")),
    "period": (mark("时间"), ("期间", "年度", "月份", "period")),
    "campaign": (mark("活动期编号"), ("活动期", "campaign", "campaign code")),
    "measure": (mark("指标"), ("measure", "metric")),
    "value": (mark("目标"), ("目标值", "target", "value")),
    "note": (mark("备注"), ("说明", "note")),
}
LABELS = {name: label for name, (label, _others) in COLUMNS.items()}
NEEDED = ("outlet_code", "period", "value")
MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell: the row as a spreadsheet numbers it, the column, the rule."""

    row: int
    column: str
    error: DomainError

    def line(self) -> str:
        """The fault in one sentence."""
        return _(
            "第 %(row)s 行“%(column)s”：%(rule)s",
            row=self.row,
            column=_(LABELS[self.column]),
            rule=str(self.error),
        )


@dataclass(slots=True)
class Plan:
    """What a file would do: targets that are new or change, how many stay, what is wrong."""

    changes: list[tuple[Aim, int | None]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    same: int = 0


def plan(session: Session, data: bytes, allowed: Callable[[str], bool]) -> Plan:
    """Read a file; `allowed(node above)` says whether the person sets targets there. Nothing is written.

    A node outside is answered like one that does not exist. Invalid when the file itself cannot be read.
    """
    planned, seen = Plan(), dict[targets.Unique, int]()
    for number, cells in _rows(data):
        aim = _aim(session, number, cells, allowed, planned.faults)
        if aim is None:
            continue
        if aim.unique in seen:
            twice = Invalid(mark("与第 %(row)s 行是同一个目标，请删去一行。"), row=seen[aim.unique])
            planned.faults.append(Fault(number, "outlet_code", twice))
            continue
        seen[aim.unique] = number
        old = targets.standing(session, aim)
        if old is not None and (old.value, old.note) == (aim.value, aim.note):
            planned.same += 1
        else:
            planned.changes.append((aim, old.value if old else None))
    if not seen and not planned.faults:
        raise Invalid(mark("文件里没有一行目标。"))
    return planned


def _rows(data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    table = cells_of(data)
    headings = [_field(heading) for heading in next(table, [])]
    missing = [_(LABELS[name]) for name in NEEDED if name not in headings]
    if missing:
        raise Invalid(mark("文件缺少这些列：%(columns)s。第 1 行应是列名。"), columns=_("、").join(missing))
    for name, label in LABELS.items():
        if headings.count(name) > 1:
            raise Invalid(mark("列“%(column)s”出现了两次，请删去一列。"), column=_(label))
    for number, cells in enumerate(table, start=2):
        if number > MOST_ROWS + 1:
            raise Invalid(mark("文件超过 %(count)s 行，请分成几份导入。"), count=MOST_ROWS)
        if any(cells):
            yield number, {name: plain(cell) for name, cell in zip(headings, cells, strict=False) if name}


def _aim(
    session: Session, row: int, cells: Mapping[str, str], allowed: Callable[[str], bool], faults: list[Fault]
) -> Aim | None:
    """The target of a row; None when a cell is wrong, which is added to the faults."""
    found: dict[str, object] = {}
    readers: dict[str, Callable[[str], object]] = {
        "outlet_code": lambda text: _node(session, text, allowed),
        "period": targets.period_of,
        "measure": measure,
        "value": targets.number,
    }
    before = len(faults)
    for name, read in readers.items():
        try:
            found[name] = read(cells.get(name, "").strip())
        except DomainError as error:
            faults.append(Fault(row, name, error))
    if len(faults) > before:
        return None
    try:
        return Aim(campaign=cells.get("campaign", ""), note=cells.get("note", ""), **found)  # type: ignore[arg-type]
    except Invalid as error:
        faults.append(Fault(row, error.field or "value", error))
        return None


def _node(session: Session, code: str, allowed: Callable[[str], bool]) -> str:
    if not allowed(targets.above(session, code)):
        raise targets.unknown(code)
    return code


def measure(text: str) -> str:
    """A measure by its name in either language or its key; empty is gross person-times."""
    wanted = _squeezed(text)
    if not wanted:
        return targets.GROSS
    for key, name in MEASURES.items():
        if wanted in (_squeezed(key), _squeezed(name), _squeezed(_(name))):
            return key
    raise Invalid(
        mark("没有“%(measure)s”这个指标，可以用触达人次、去重人次或触达人数。"), field="measure", measure=text
    )


def _field(heading: str) -> str:
    wanted = _squeezed(heading)
    for name, (label, others) in COLUMNS.items():
        if wanted in [_squeezed(word) for word in (name, label, _(label), *others)]:
            return name
    return ""


def _squeezed(text: str) -> str:
    return re.sub(r"[\s_\-*]", "", unicodedata.normalize("NFKC", text)).lower()
