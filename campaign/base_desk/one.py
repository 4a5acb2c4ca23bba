"""One base on the desk: its services and facilities, the shelf of a node, its screens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.base import keeping, offers, screens
from campaign.base.keeping import LENGTHS, Offer
from campaign.base.models import HallScreen
from campaign.base.screens import Made
from campaign.base_desk.routes import EDIT, blueprint, of_node
from content import lifecycle, shelf
from content.models import Piece
from core import clock
from core.errors import DomainError, NotFound
from core.http import reading, render, transaction
from core.i18n import gettext as _
from core.i18n import mark
from institution import access, audit_log, conflict, outlets, places
from institution.audit_log import Filter
from institution.conflict import Field
from institution.models import Outlet, OutletKind

LABELS = {
    "services": mark("服务项目"),
    "services_text": mark("服务说明"),
    "services_text_en": mark("服务说明（英文）"),
    "facilities": mark("无障碍设施"),
    "facilities_text": mark("设施说明"),
    "facilities_text_en": mark("设施说明（英文）"),
}
LISTS = {"services": offers.SERVICES, "facilities": offers.FACILITIES}


@dataclass(frozen=True, slots=True)
class Line:
    """A piece on the shelf or beside it."""

    key: str
    title: str
    published: bool


@dataclass(frozen=True, slots=True)
class BasePage:
    """The forms of one node; `owner` names whose shelf is shown while it has none of its own."""

    outlet: Outlet
    values: Mapping[str, object]
    base: str
    chosen: Sequence[Line]
    others: Sequence[Line]
    owner: str
    screens: Sequence[HallScreen]
    made: Made | None = None
    fault: str = ""
    field: str = ""

    @property
    def is_outlet(self) -> bool:
        """Whether it has services, facilities and screens; a branch only has a shelf."""
        return self.outlet.kind == OutletKind.outlet

    def options(self, name: str) -> list[tuple[str, str]]:
        """What can be ticked."""
        return offers.choices(LISTS[name])

    def at(self, name: str) -> str:
        """What is wrong with a field."""
        return self.fault if self.field == name else ""


@blueprint.get("/<code>")
@access.requires(EDIT, at=of_node)
def show(code: str) -> ResponseReturnValue:
    """The forms of a node as they stand."""
    with reading() as session:
        return page(session, code)


@blueprint.post("/<code>")
@access.requires(EDIT, at=of_node)
def save(code: str) -> ResponseReturnValue:
    """Keep what an outlet offers, unless somebody else did meanwhile."""
    theirs: dict[str, object] = {}
    try:
        with transaction() as session:
            theirs = keeping.shown(keeping.hold(session, code))
            conflict.check(request.form.get("base", ""), theirs)
            keeping.save(session, code, _typed(), now=clock.now())
    except conflict.Overtaken as overtaken:
        return _both(code, theirs, overtaken.base)
    except DomainError as error:
        with reading() as session:
            return page(session, code, error=error), 400
    flash(_("已保存，网点页面上已经是新的样子。"), "good")
    return redirect(url_for(".show", code=code), code=303)


@blueprint.post("/<code>/shelf")
@access.requires(EDIT, at=of_node)
def arrange(code: str) -> ResponseReturnValue:
    """Add a piece, take one out, or move one: the button pressed says which (`add`, `out`, `up`, `down`)."""
    form = request.form
    with transaction() as session:
        found = keeping.hold(session, code)
        keys = list(found.shelf) if found else []
        if form.get("up") in keys or form.get("down") in keys:
            _move(keys, form.get("up") or form["down"], -1 if form.get("up") else 1)
        elif form.get("out"):
            keys = [key for key in keys if key != form["out"]]
        elif form.get("piece"):
            if form["piece"] not in _visible(session):
                raise NotFound(mark("没有找到内容“%(key)s”。"), key=form["piece"])
            keys.append(form["piece"])
        keeping.arrange(session, code, keys, now=clock.now())
    return redirect(url_for(".show", code=code, _anchor="shelf"), code=303)


def page(session: Session, code: str, *, error: DomainError | None = None, made: Made | None = None) -> str:
    """The page of a node; after a fault with what was typed."""
    outlet = outlets.get(session, code)
    kept = keeping.find(session, code)
    values = keeping.shown(kept)
    base = conflict.version_of(values)
    if error is not None and request.form.get("base"):
        typed = _typed()
        values = {"services": typed.services, "facilities": typed.facilities, **typed.texts}
        base = request.form["base"]
    visible = _visible(session)
    keys = list(kept.shelf) if kept else []
    owner = "" if keys else keeping.shelf(session, code).owner
    data = BasePage(
        outlet=outlet,
        values=values,
        base=base,
        chosen=[visible.get(key) or _lost(session, key) for key in keys],
        others=[line for key, line in visible.items() if key not in keys],
        owner=places.name(session, owner) if owner else "",
        screens=screens.of_outlet(session, code),
        made=made,
        fault=str(error) if error else "",
        field=(error.field or "") if error else "",
    )
    crumbs = [(_("基地服务与屏幕"), url_for("base_desk.index")), (outlet.name, None)]
    return render("campaign/base_one.html", data, crumbs=crumbs)


def _typed() -> Offer:
    form = request.form
    texts = {name: form.get(name, "") for name in LENGTHS}
    return Offer(form.getlist("services"), form.getlist("facilities"), None, texts)


def _move(keys: list[str], key: str, by: int) -> None:
    at = keys.index(key)
    to = min(max(at + by, 0), len(keys) - 1)
    keys[at], keys[to] = keys[to], keys[at]


def _visible(session: Session) -> dict[str, Line]:
    """The pieces that this person may put on a shelf: those on the site that they may look at."""
    scope = access.signed_in().scope("content.view")
    entries = shelf.entries(session, scope.condition(Piece.outlet_code, above=True))
    return {
        one.key: Line(one.key, one.title, published=True) for one in entries if one.published_number is not None
    }  # fmt: skip


def _lost(session: Session, key: str) -> Line:
    """A piece of the shelf that is not on the site any more, or not this person's to look at."""
    found = lifecycle.published(session, key)
    return Line(key, found.title if found else key, published=found is not None)


def _both(code: str, theirs: Mapping[str, object], base: str) -> ResponseReturnValue:
    """Somebody saved the same base meanwhile: both versions, field by field."""
    typed = _typed()
    mine: dict[str, object] = {
        "services": list(typed.services or ()), "facilities": list(typed.facilities or ()), **typed.texts
    }  # fmt: skip
    fields = [
        Field(
            name,
            _(label),
            theirs[name],
            mine[name],
            dict(offers.choices(LISTS[name])) if name in LISTS else {},
        )
        for name, label in LABELS.items()
    ]
    with reading() as session:
        title = outlets.get(session, code).name
        found = audit_log.listing(session, audit_log.EVERYTHING, Filter(kind="base", subject=code), size=1)
    return conflict.page(
        title,
        url_for(".save", code=code),
        fields,
        base=base,
        began=request.form.get("base", ""),
        back=url_for(".show", code=code),
        who=found.records[0].actor if found.records else "",
    )
