"""What bases offer as files: CSV or XLSX, one row per outlet; applied all or not at all.

A column that a file does not have leaves its field as it is; an empty cell of one that it has empties it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session, col, select

from campaign.base import keeping, offers
from campaign.base.keeping import Offer
from campaign.base.models import EducationBase
from content import pages
from content.models import Piece
from core.cells import plain
from core.errors import DomainError, Invalid
from core.i18n import gettext as _
from core.i18n import mark
from institution import audit
from institution.models import Outlet, OutletKind
from institution.outlet_files import cells_of
from institution.powers import Scope

# field: (label, other headings that mean it)
COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "outlet_code": (mark("网点编号"), ("编号", "机构编号", "网点代码", "code", "outlet", "outlet code")),
    "services": (mark("服务项目"), ("服务", "services")),
    "services_text": (mark("服务说明"), ("services text",)),
    "services_text_en": (mark("服务说明（英文）"), ("服务说明英文", "services text en")),
    "facilities": (mark("无障碍设施"), ("设施", "facilities")),
    "facilities_text": (mark("设施说明"), ("facilities text",)),
    "facilities_text_en": (mark("设施说明（英文）"), ("设施说明英文", "facilities text en")),
    "shelf": (mark("书架"), ("内容", "shelf", "pieces")),
}
LABELS = {name: label for name, (label, _others) in COLUMNS.items()}
MOST_ROWS = 20_000
_BETWEEN = re.compile(r"[、,，;；|/\s]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell: the row as a spreadsheet numbers it, the column, the rule."""

    row: int
    column: str
    error: DomainError

    def line(self) -> str:
        """The fault in one sentence."""
        where = {"row": self.row, "column": _(LABELS[self.column]), "rule": str(self.error)}
        return _("第 %(row)s 行“%(column)s”：%(rule)s", **where)


@dataclass(frozen=True, slots=True)
class Change:
    """What would be kept of one outlet, and the labels of what differs from now."""

    code: str
    name: str
    offer: Offer
    fields: Sequence[str]


@dataclass(slots=True)
class Plan:
    """What a file would do; with faults nothing is to be applied."""

    changes: list[Change] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    same: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    """What rows are checked against, read once for all of them."""

    names: Mapping[str, str]
    kept: Mapping[str, EducationBase]
    pieces: frozenset[str]


def plan(session: Session, data: bytes, scope: Scope) -> Plan:
    """What importing the file would change within a part of the tree. Invalid: the file itself cannot be read.

    An outlet outside is answered like one that does not exist.
    """
    known = _known(session, scope)
    planned, seen = Plan(), dict[str, int]()
    for number, cells in _rows(data):
        found = _read(number, cells, known, planned.faults)
        if found is None:
            continue
        code, offer = found
        if code in seen:
            twice = Invalid(mark("与第 %(row)s 行是同一个网点，请删去一行。"), row=seen[code])
            planned.faults.append(Fault(number, "outlet_code", twice))
            continue
        seen[code] = number
        fields = _differing(known.kept.get(code), offer)
        if fields:
            planned.changes.append(Change(code, known.names[code], offer, fields))
        else:
            planned.same += 1
    if not seen and not planned.faults:
        raise Invalid(mark("文件里没有一行网点。"))
    return planned


def apply(session: Session, planned: Plan, *, node: str, now: datetime) -> None:
    """Carry the plan out; one audit record for all, kept at `node`. Invalid while there are faults."""
    if planned.faults:
        raise Invalid(mark("文件里还有错误，没有导入任何一行。"))
    for change in planned.changes:
        keeping.put(session, change.code, change.offer, now=now)
    if planned.changes:
        after = {"count": len(planned.changes), "unchanged": planned.same}
        audit.record(session, "base.import", "base", node, after=after, outlet_code=node)
        pages.bump(session)


def _known(session: Session, scope: Scope) -> _Known:
    query = select(Outlet.code, Outlet.name).where(
        scope.condition(Outlet.code), Outlet.kind == OutletKind.outlet
    )
    return _Known(
        dict(session.exec(query).all()),
        {one.outlet_code: one for one in session.exec(select(EducationBase))},
        frozenset(session.exec(select(col(Piece.key)))),
    )


def _rows(data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    table = cells_of(data)
    headings = [(heading, _field(heading)) for heading in next(table, [])]
    fields = [name for _heading, name in headings]
    if "outlet_code" not in fields:
        raise Invalid(
            mark("文件缺少这些列：%(columns)s。第 1 行应是列名。"), columns=_(LABELS["outlet_code"])
        )
    unknown = [heading for heading, name in headings if heading and not name]
    if unknown:
        raise Invalid(
            mark("不认识这些列：%(columns)s。请改成样表里的列名，或删去。"), columns=_("、").join(unknown)
        )
    for name, label in LABELS.items():
        if fields.count(name) > 1:
            raise Invalid(mark("列“%(column)s”出现了两次，请删去一列。"), column=_(label))
    for number, cells in enumerate(table, start=2):
        if number > MOST_ROWS + 1:
            raise Invalid(mark("文件超过 %(count)s 行，请分成几份导入。"), count=MOST_ROWS)
        if any(cells):
            padded = cells + [""] * (len(fields) - len(cells))
            yield number, {name: plain(cell) for name, cell in zip(fields, padded, strict=False) if name}


def _read(row: int, cells: Mapping[str, str], known: _Known, faults: list[Fault]) -> tuple[str, Offer] | None:
    """The outlet of a row and what it says; None when a cell is wrong, which is added to the faults."""
    readers: dict[str, Callable[[str], object]] = {
        "outlet_code": lambda text: _outlet(text, known),
        "services": lambda text: offers.read(offers.SERVICES, text),
        "facilities": lambda text: offers.read(offers.FACILITIES, text),
        "shelf": lambda text: _shelf(text, known),
        **dict.fromkeys(keeping.LENGTHS, str),
    }
    found: dict[str, object] = {}
    before = len(faults)
    for name, text in cells.items():
        try:
            found[name] = readers[name](text.strip())
            if name in keeping.LENGTHS:
                keeping.check(Offer(texts={name: text}))
        except DomainError as error:
            faults.append(Fault(row, name, error))
    if len(faults) > before:
        return None
    texts = {name: str(found.pop(name)) for name in keeping.LENGTHS if name in found}
    return str(found.pop("outlet_code")), Offer(texts=texts, **found)  # type: ignore[arg-type]


def _outlet(text: str, known: _Known) -> str:
    code = unicodedata.normalize("NFKC", text)
    if code not in known.names:
        raise Invalid(mark("没有编号为“%(code)s”的网点，或者它不在您负责的范围内。"), code=code[:40])
    return code


def _shelf(text: str, known: _Known) -> list[str]:
    keys = [part for part in _BETWEEN.split(text) if part]
    for key in keys:
        if key not in known.pieces:
            raise Invalid(mark("没有找到内容“%(key)s”。"), key=key[:60])
    keeping.check(Offer(shelf=keys))
    return list(dict.fromkeys(keys))


def _differing(one: EducationBase | None, offer: Offer) -> list[str]:
    """The labels of the fields that the offer would change."""
    wanted: dict[str, object] = {
        name: list(value)
        for name, value in (
            ("services", offer.services),
            ("facilities", offer.facilities),
            ("shelf", offer.shelf),
        )
        if value is not None
    }
    now: dict[str, object] = {name: list(getattr(one, name)) if one else [] for name in wanted}
    for name, text in offer.texts.items():
        wanted[name], now[name] = text.strip(), getattr(one, name) if one else ""
    return [LABELS[name] for name in COLUMNS if name in wanted and wanted[name] != now[name]]


def example() -> tuple[list[str], list[list[str]]]:
    """Headings and rows of an example file, in the language in force."""
    rows = [
        ["33010601", ["lecture", "one_to_one", "lending"], _("每周二上午有人当面讲。"), "A talk every Tuesday morning.",
         ["ramp", "glasses", "priority"], _("坡道在东门。"), "The ramp is at the east door.", "full-surrender、ai-voice"],
        ["33010602", ["check", "policy"], "", "", ["glasses"], "", "", ""],
    ]  # fmt: skip
    lists = {1: offers.SERVICES, 4: offers.FACILITIES}
    cells = [
        [_("、").join(offers.words(lists[place], cell)) if place in lists else str(cell) for place, cell in enumerate(row)]
        for row in rows
    ]  # fmt: skip
    return [_(label) for label in LABELS.values()], cells


def _field(heading: str) -> str:
    wanted = _squeezed(heading)
    for name, (label, others) in COLUMNS.items():
        if wanted in [_squeezed(word) for word in (name, label, _(label), *others)]:
            return name
    return ""


def _squeezed(text: str) -> str:
    return re.sub(r"[\s_\-*()（）]", "", unicodedata.normalize("NFKC", text)).lower()
