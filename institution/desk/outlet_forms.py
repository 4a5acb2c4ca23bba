"""One outlet changed by hand: the same plan and the same rules as an import of one row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from core import clock
from core.cells import shown
from core.http import reading, render, transaction
from core.i18n import gettext as _
from institution import access, outlet_changes, outlets
from institution.desk.outlet_pages import today
from institution.desk.routes import outlets_blueprint as blueprint
from institution.models import OUTLET_KIND_NAMES
from institution.outlet_changes import Plan
from institution.outlet_files import COLUMNS, LABELS, Row, Sheet

_DATES = ("plaque_on", "open_on", "closed_on")


@dataclass(frozen=True, slots=True)
class FormPage:
    """The form of one outlet: what was typed, and what is wrong with it by field."""

    code: str | None
    title: str
    values: Mapping[str, str]
    as_of: str
    faults: Mapping[str, str]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """The levels to choose from."""
        return [(kind.value, _(name)) for kind, name in OUTLET_KIND_NAMES.items()]

    def label(self, name: str) -> str:
        """A field's name."""
        return _(LABELS[name])


@blueprint.get("/new")
@access.requires("outlet.edit")
def new() -> ResponseReturnValue:
    """The form of a new outlet."""
    empty = dict.fromkeys(COLUMNS, "") | {"kind": "outlet", "parent_code": request.args.get("parent", "")}
    return _form(None, _("新增网点"), empty)


@blueprint.post("/new")
@access.requires("outlet.edit")
def create() -> ResponseReturnValue:
    """Add an outlet."""
    typed = _typed()
    with reading() as session:
        known = outlets.find(session, typed["code"])
    if known:
        fault = _("编号 %(code)s 已是“%(name)s”，请换一个编号，或去修改它。") % {
            "code": known.code,
            "name": known.name,
        }
        return _form(None, _("新增网点"), typed, {"code": fault}), 400
    return _save(None, _("新增网点"), typed)


@blueprint.get("/<code>/edit")
@access.requires("outlet.edit")
def edit(code: str) -> ResponseReturnValue:
    """The form of an outlet as it stands."""
    with reading() as session:
        outlet = outlets.get(session, code)
    values = {name: shown(getattr(outlet, name)) for name in COLUMNS}
    return _form(code, _("修改 %(name)s") % {"name": outlet.name}, values)


@blueprint.post("/<code>/edit")
@access.requires("outlet.edit")
def save(code: str) -> ResponseReturnValue:
    """Rename, move, close or correct an outlet, from a day on."""
    with reading() as session:
        outlet = outlets.get(session, code)
    return _save(code, _("修改 %(name)s") % {"name": outlet.name}, _typed() | {"code": code})


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "").strip() for name in COLUMNS}


def _form(
    code: str | None, title: str, values: Mapping[str, str], faults: Mapping[str, str] | None = None
) -> str:
    as_of = request.form.get("as_of") or today().isoformat()
    crumbs = [(_("网点与基地"), url_for("institution_desk.index"))]
    if code:
        crumbs.append((code, url_for("institution_desk.show", code=code)))
    page = FormPage(code, title, values, as_of, faults or {})
    return render("institution/outlet_form.html", page, crumbs=[*crumbs, (title, None)])


def _save(code: str | None, title: str, typed: dict[str, str]) -> ResponseReturnValue:
    as_of = day(request.form.get("as_of"))
    if as_of is None:
        return _form(code, title, typed, {"as_of": _("请写成 2023-03-15 这样的日期。")}), 400
    sheet = Sheet(list(COLUMNS), [], [], [Row(1, typed)])
    with transaction() as session:
        outlet_changes.lock(session)
        planned = outlet_changes.plan(session, sheet, as_of)
        if not planned.blocked:
            outlet_changes.apply(session, planned, clock.now())
    if planned.blocked:
        faults = {fault.field: fault.sentence() for fault in reversed(planned.faults)}
        return _form(code, title, typed, faults), 400
    flash(_told(planned), "good")
    return redirect(url_for("institution_desk.show", code=typed["code"]))


def day(text: str | None) -> date | None:
    """A date as forms send it; today when nothing was sent, None when it is none."""
    if not text:
        return today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _told(planned: Plan) -> str:
    if not planned.changes:
        return _("没有变化，什么也没有写入。")
    sorts = _("、").join(_(outlet_changes.SORTS[sort]) for sort in planned.changes[0].sorts)
    sentence = _("已保存“%(name)s”：%(sorts)s。") % {"name": planned.changes[0].name, "sorts": sorts}
    dated = {"renamed", "moved", "relevelled"} & set(planned.changes[0].sorts)
    return sentence + (_("自 %(day)s 起生效。") % {"day": shown(planned.as_of)} if dated else "")
