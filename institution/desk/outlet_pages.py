"""Outlets shown: the list with its filter in the address, the download, one outlet with its history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.http import page_number, reading, render, service
from core.i18n import gettext as _
from core.settings import Settings
from institution import access, outlet_output, outlets
from institution.desk.routes import outlets_blueprint as blueprint
from institution.models import OUTLET_KIND_NAMES, Outlet
from institution.outlets import Filter, Found

_PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of the outlets that fit the filter."""

    found: Found
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
        """The provinces to choose from."""
        return [("", _("全国")), *((name, name) for name in self.provinces)]

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
    """One outlet: what it is now, where it hangs, what it was, what is under it."""

    outlet: Outlet
    path: Sequence[Outlet]
    history: Sequence[HistoryLine]
    children: Sequence[Outlet]
    today: date
    may_edit: bool

    @property
    def state(self) -> tuple[str, str]:
        """Words and tone of the outlet's state."""
        return state_of(self.outlet, self.today)

    def child_state(self, outlet: Outlet) -> tuple[str, str]:
        """Words and tone of a child's state."""
        return state_of(outlet, self.today)


def state_of(outlet: Outlet, today: date) -> tuple[str, str]:
    """Words and tone: open, not yet open, closed."""
    if outlet.closed_on and outlet.closed_on <= today:
        return _("已撤并"), "idle"
    if outlet.open_on and outlet.open_on > today:
        return _("尚未开业"), "info"
    return _("在营"), "good"


def today() -> date:
    """Today in the institution's time zone."""
    return clock.today(service(Settings).zone)


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


@blueprint.get("")
@access.requires("desk.view")
def index() -> ResponseReturnValue:
    """The list of outlets."""
    wanted = _filter()
    with reading() as session:
        found = outlets.listing(session, wanted, page_number(), size=_PER_PAGE)
        page = ListPage(
            found, wanted, today(), outlets.province_names(session), outlets.root(session) is None, may_edit()
        )
    return render("institution/outlets.html", page)


def may_edit() -> bool:
    """Whether this person may change outlets."""
    return access.signed_in().may("outlet.edit")


@blueprint.get("/download.<any(csv, xlsx):form>")
@access.requires("desk.view")
def download(form: str) -> ResponseReturnValue:
    """The outlets that fit the filter, as a file that can be imported again."""
    with reading() as session:
        data = outlet_output.export(outlets.chosen(session, _filter()), xlsx=form == "xlsx")
    return attachment(data, f"outlets.{form}")


@blueprint.get("/example.<any(csv, xlsx):form>")
@access.requires("desk.view")
def example(form: str) -> ResponseReturnValue:
    """An example file with every column."""
    return attachment(outlet_output.example(xlsx=form == "xlsx"), f"outlets-example.{form}")


def attachment(data: bytes, name: str) -> Response:
    """A file to be saved."""
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    answer = Response(data, mimetype=xlsx if name.endswith(".xlsx") else "text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.get("/<code>")
@access.requires("desk.view")
def show(code: str) -> ResponseReturnValue:
    """One outlet."""
    with reading() as session:
        outlet = outlets.get(session, code)
        path = outlets.path(session, code)
        page = OutletPage(
            outlet, path, _history(session, code), outlets.children(session, code), today(), may_edit()
        )
    crumbs = [(_("网点与基地"), url_for("institution_desk.index"))]
    crumbs += [(each.name, url_for("institution_desk.show", code=each.code)) for each in path[:-1]]
    return render("institution/outlet.html", page, crumbs=[*crumbs, (outlet.name, None)])


def _history(session: Session, code: str) -> list[HistoryLine]:
    lines = []
    for span in outlets.history(session, code):
        above = outlets.named_on(session, span.parent_code, span.valid_from) if span.parent_code else None
        since = span.valid_from if span.valid_from.year > 1900 else None
        parent = above.name if above else span.parent_code or ""
        lines.append(HistoryLine(since, span.valid_to, span.name, span.kind, parent, span.closed))
    return lines
