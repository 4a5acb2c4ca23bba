"""Outlets written out: the export, the example file, and the rows that an import rejected."""

from collections.abc import Iterable
from typing import Any

from core.cells import shown, to_csv, to_xlsx
from core.i18n import gettext
from institution.models import OUTLET_KIND_NAMES, Outlet, OutletKind
from institution.outlet_changes import Plan
from institution.outlet_files import COLUMNS, headings
from institution.outlets import LEVELS

_EXAMPLE = """\
100000|示范人寿保险总公司|head_office||||||||||||2003-06-30|
330000|浙江省分公司|province|100000|浙江省||||120.153|30.267||||||
330100|杭州中心支公司|city|330000|浙江省|杭州市|||120.153|30.287||||||
33010601|西湖文三路柜面|outlet|330100|浙江省|杭州市|西湖区|示例路 88 号|120.13|30.276|\
0571-5550188|周一至周五 9:00–17:00|基地-33-0001|2021-03-15|2008-05-06|
"""


def outlet_cells(outlet: Outlet) -> list[Any]:
    """One outlet in the order of the columns; reading it again changes nothing."""
    return [kind_name(outlet.kind) if name == "kind" else getattr(outlet, name) for name in COLUMNS]


def kind_name(kind: str) -> str:
    """The level in the language in force; in English the word that an import accepts."""
    return gettext(OUTLET_KIND_NAMES[OutletKind(kind)]) if headings()[0] == "编号" else kind


def export(outlets: Iterable[Outlet], *, xlsx: bool) -> bytes:
    """These outlets as a file that can be imported again, parents before children."""
    rows = [outlet_cells(each) for each in sorted(outlets, key=lambda each: (LEVELS[each.kind], each.code))]
    return to_xlsx(headings(), rows) if xlsx else to_csv(headings(), rows)


def example(*, xlsx: bool) -> bytes:
    """A small file that shows every column."""
    rows = [line.split("|") for line in _EXAMPLE.splitlines()]
    for row in rows:
        row[2] = kind_name(row[2])
    return to_xlsx(headings(), rows) if xlsx else to_csv(headings(), rows)


def rejected(sheet_headings: list[str], planned: Plan) -> bytes:
    """The rejected rows as they stood, with their row number and the reasons, as CSV."""
    heading = [gettext("行号"), gettext("原因"), *sheet_headings]
    rows = []
    for row, faults in planned.rejected:
        reasons = " ".join(
            gettext("%(column)s：%(rule)s") % {"column": fault.column(), "rule": fault.sentence()}
            for fault in faults
        )
        rows.append([row.number, reasons, *row.original])
    return to_csv(heading, rows)


def value(name: str, cell: Any) -> str:
    """A field's value as a list of changes shows it."""
    if cell in ("", None):
        return gettext("（空）")
    return kind_name(cell) if name == "kind" else shown(cell)
