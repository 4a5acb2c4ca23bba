"""Outlets shown: the list with its filter in the address, the download, one outlet with its history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import case
from sqlmodel import Session, col

from core import clock
from core.http import asked_export, attachment, page_number, reading, render, service
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access, desk_table, outlet_output, outlets
from institution.desk.routes import outlets_blueprint as blueprint
from institution.desk_table import Column, Listing, View
from institution.models import OUTLET_KIND_NAMES, Outlet
from institution.outlets import Filter


def today() -> date:
    """Today in the institution's time zone."""
    return clock.today(service(Settings).zone)


def state_of(outlet: Outlet, today: date) -> tuple[str, str]:
    """Words and tone: open, not yet open, closed."""
    if outlet.closed_on and outlet.closed_on <= today:
        return _("已撤并"), "idle"
    if outlet.open_on and outlet.open_on > today:
        return _("尚未开业"), "info"
    return _("在营"), "good"


_LEVEL = case({kind: level for kind, level in outlets.LEVELS.items()}, value=col(Outlet.kind), else_=9)
COLUMNS: tuple[Column[Outlet], ...] = (
    Column("name", mark("名称"), lambda one: one.name, sort=Outlet.name),
    Column("code", mark("编号"), lambda one: one.code, sort=Outlet.code),
    Column("kind", mark("级别"), lambda one: one.kind, sort=_LEVEL),
    Column("place", mark("所在地"), lambda one: one.province, sort=Outlet.province),
    Column("plaque", mark("基地牌匾编号"), lambda one: one.plaque_number, sort=Outlet.plaque_number),
    Column("state", mark("状态"), lambda one: one.closed_on, sort=Outlet.closed_on),
)
ACTS = {
    "hours": mark("改营业时间"),
    "phone": mark("改电话区号"),
    "close": mark("撤并"),
    "reopen": mark("恢复营业"),
}


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of the outlets that fit the filter."""

    listing: Listing[Outlet]
    view: View[Outlet]
    wanted: Filter
    today: date
    provinces: Sequence[str]
    empty_tree: bool
    may_edit: bool

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """The levels to choose from."""
        return [("", _("全部")), *((kind.value, _(name)) for kind, name in OUTLET_KIND_NAMES.items())]

    @property
    def states(self) -> list[tuple[str, str]]:
        """Open, closed or both."""
        return [("", _("全部")), ("open", _("在营")), ("closed", _("已撤并"))]

    @property
    def province_options(self) -> list[tuple[str, str]]:
        """The provinces to choose from; none where there is only one."""
        return (
            [("", _("全国")), *((name, name) for name in self.provinces)] if len(self.provinces) > 1 else []
        )

    @property
    def acts(self) -> list[tuple[str, str]]:
        """What can be done to several outlets at once, by who may change them."""
        return [(name, _(word)) for name, word in ACTS.items()] if self.may_edit else []

    def state(self, outlet: Outlet) -> tuple[str, str]:
        """Words and tone of an outlet's state."""
        return state_of(outlet, self.today)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """What held from one day to another."""

    since: date | None
    until: date | None
    name: str
    kind: str
    parent: str
    closed: bool


@dataclass(frozen=True, slots=True)
class OutletPage:
    """One outlet: what it is now, what it was, what is under it."""

    outlet: Outlet
    history: Sequence[HistoryLine]
    children: Sequence[Outlet]
    today: date
    may_edit: bool
    may_audit: bool

    @property
    def state(self) -> tuple[str, str]:
        """Words and tone of the outlet's state."""
        return state_of(self.outlet, self.today)

    def child_state(self, outlet: Outlet) -> tuple[str, str]:
        """Words and tone of a child's state."""
        return state_of(outlet, self.today)


def _filter() -> Filter:
    asked: Mapping[str, str] = request.args
    state = asked.get("state", "")
    return Filter(
        text=asked.get("q", "").strip()[:100],
        province=asked.get("province", ""),
        city=asked.get("city", ""),
        kind=asked.get("kind", ""),
        state=state if state in ("open", "closed") else "",
        today=today(),
    )


def of_outlet(session: Session, arguments: Mapping[str, Any]) -> str:
    """Locator: the outlet of the address is its own node."""
    return outlets.get(session, str(arguments["code"])).code


@blueprint.get("")
@access.requires("outlet.view")
def index() -> ResponseReturnValue:
    """The list of outlets within one's part of the tree, as a page or as a file that can be imported again."""
    person, wanted = access.signed_in(), _filter()
    scope = person.scope("outlet.view")
    view, form = desk_table.view(COLUMNS, request.args, first="code"), asked_export()
    query = outlets.narrowed(wanted).where(scope.condition(Outlet.code))
    with reading() as session:
        if form:
            rows = desk_table.everything(session, query, view, ties=[Outlet.code])
            return attachment(outlet_output.export(rows, xlsx=form == "xlsx"), f"outlets.{form}")
        page = ListPage(
            listing=desk_table.listing(session, query, view, page_number(), ties=[Outlet.code]),
            view=view,
            wanted=wanted,
            today=today(),
            provinces=outlets.province_names(session, scope),
            empty_tree=outlets.root(session) is None,
            may_edit=person.may("outlet.edit"),
        )
    return render("institution/outlets.html", page)


@blueprint.get("/example")
@access.requires("outlet.view")
def example() -> ResponseReturnValue:
    """An example file with every column (`?export=csv`, `xlsx`)."""
    form = asked_export() or "csv"
    return attachment(outlet_output.example(xlsx=form == "xlsx"), f"outlets-example.{form}")


@blueprint.get("/<code>")
@access.requires("outlet.view", at=of_outlet)
def show(code: str) -> ResponseReturnValue:
    """One outlet; what lies over one's own part of the tree is named, not linked."""
    person = access.signed_in()
    with reading() as session:
        outlet, path = outlets.get(session, code), outlets.path(session, code)
        within = person.scope("outlet.view")
        page = OutletPage(
            outlet=outlet,
            history=_history(session, code),
            children=outlets.children(session, code),
            today=today(),
            may_edit=person.may_at(session, "outlet.edit", code),
            may_audit=person.may_at(session, "audit.view", code),
        )
        crumbs: list[tuple[str, str | None]] = [(_("网点与基地"), url_for("institution_desk.index"))]
        for each in path[:-1]:
            seen = within.covers(session, each.code)
            crumbs.append((each.name, url_for("institution_desk.show", code=each.code) if seen else None))
    return render("institution/outlet.html", page, crumbs=[*crumbs, (outlet.name, None)])


def _history(session: Session, code: str) -> list[HistoryLine]:
    lines = []
    for span in outlets.history(session, code):
        above = outlets.named_on(session, span.parent_code, span.valid_from) if span.parent_code else None
        since = span.valid_from if span.valid_from.year > 1900 else None
        parent = above.name if above else span.parent_code or ""
        lines.append(HistoryLine(since, span.valid_to, span.name, span.kind, parent, span.closed))
    return lines
