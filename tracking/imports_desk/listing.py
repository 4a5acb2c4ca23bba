"""The list of imports: filtered and sorted by its address, as a file too."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core.http import asked_export, attachment, page_number, reading, render, service
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import approval_search, desk_table, places
from institution.access import requires, signed_in
from institution.desk_table import Column, Listing, View
from institution.powers import Scope
from tracking.imports import register, sources
from tracking.imports.models import ReachImport
from tracking.imports_desk.routes import STATES, TONES, blueprint


@dataclass(frozen=True, slots=True)
class Row:
    """An import in the list."""

    one: ReachImport
    title: str
    source: str
    state: str
    tone: str
    place: str
    by: str
    decided_by: str

    @property
    def days(self) -> str:
        """Its first and last day."""
        return f"{self.one.first_day} – {self.one.last_day}"


@dataclass(frozen=True, slots=True)
class ImportsPage:
    """The imports of one's part of the tree."""

    view: View[Row]
    listing: Listing[Row]
    source: str
    state: str
    sources: Mapping[str, str]
    states: Mapping[str, str]
    may_write: bool

    @property
    def filtered(self) -> bool:
        """Whether the address asks for less than everything."""
        return bool(self.source or self.state)


COLUMNS: tuple[Column[Row], ...] = (
    Column("number", mark("编号"), lambda row: row.one.id, sort=lambda row: row.one.id, numeric=True),
    Column("title", mark("导入"), lambda row: row.title, sort=lambda row: row.title),
    Column("state", mark("状态"), lambda row: row.state, sort=lambda row: row.one.state),
    Column("place", mark("机构"), lambda row: row.place, sort=lambda row: row.place),
    Column("days", mark("日期"), lambda row: row.days, sort=lambda row: row.one.first_day),
    Column(
        "quantity",
        mark("数量"),
        lambda row: row.one.quantity,
        sort=lambda row: row.one.quantity,
        numeric=True,
    ),
    Column("rows", mark("行数"), lambda row: row.one.rows, numeric=True, shown=False),
    Column("by", mark("提交人"), lambda row: row.by, sort=lambda row: row.by),
    Column("at", mark("提交时间"), lambda row: row.one.proposed_at, sort=lambda row: row.one.proposed_at),
    Column("decided_by", mark("审批人"), lambda row: row.decided_by, shown=False),
    Column("decided_at", mark("审批时间"), lambda row: row.one.decided_at, shown=False),
    Column("applied_at", mark("入账时间"), lambda row: row.one.applied_at, shown=False),
    Column("undone_by", mark("撤销它的导入"), lambda row: row.one.undone_by, shown=False),
    Column("note", mark("说明"), lambda row: row.one.note, shown=False),
)


@blueprint.get("")
@requires("reach.view")
def index() -> ResponseReturnValue:
    """The imports of one's part of the tree, the newest first."""
    person = signed_in()
    view = desk_table.view(COLUMNS, request.args, first="-number")
    source, state = request.args.get("source", ""), request.args.get("state", "")
    with reading() as session:
        rows = view.arranged(_rows(session, person.scope("reach.view"), source, state))
    if form := asked_export():
        return attachment(desk_table.export(view, rows, form, service(Settings).zone), f"imports.{form}")
    page = ImportsPage(
        view=view,
        listing=desk_table.cut(rows, page_number()),
        source=source if source in sources.SOURCES else "",
        state=state if state in STATES else "",
        sources={"": _("全部")} | {key: _(one.label) for key, one in sources.SOURCES.items()},
        states={"": _("全部")} | {key: _(name) for key, name in STATES.items()},
        may_write=person.may("reach.import"),
    )
    return render("tracking/imports.html", page)


def _rows(session: Session, scope: Scope, source: str, state: str) -> list[Row]:
    from_all = register.listed(session, scope.condition(ReachImport.outlet_code))
    found = [
        one
        for one in from_all
        if (source not in sources.SOURCES or one.source == source)
        and (state not in STATES or one.state == state)
    ]
    named = places.names(session, {one.outlet_code for one in found})
    who = approval_search.names(session, {n for one in found for n in (one.proposed_by, one.decided_by)})
    return [row_of(one, named[one.outlet_code], who) for one in found]


def row_of(one: ReachImport, place: str, who: Mapping[int, str]) -> Row:
    """An import as lists show it; what was taken back says so."""
    undone = one.undone_by is not None
    return Row(
        one=one,
        title=register.title(one),
        source=_(sources.get(one.source).label),
        state=_("已撤销") if undone else _(STATES[one.state]),
        tone="warn" if undone else TONES[one.state],
        place=place,
        by=who.get(one.proposed_by, "—"),
        decided_by=who.get(one.decided_by or 0, ""),
    )
