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
from institution import access, audit_log, conflict, outlet_changes, outlets
from institution.audit_log import Filter
from institution.desk.outlet_pages import of_outlet, today
from institution.desk.routes import outlets_blueprint as blueprint
from institution.models import OUTLET_KIND_NAMES, Outlet
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
    base: str = ""

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
    """The form of a new outlet, under the node the address names, or under the top of one's own part."""
    scope = access.signed_in().scope("outlet.edit")
    under = next(iter(scope.tops)) if len(scope.tops) == 1 else ""
    empty = dict.fromkeys(COLUMNS, "") | {
        "kind": "outlet",
        "parent_code": request.args.get("parent", "") or under,
    }
    return _form(None, _("新增网点"), empty)


@blueprint.post("/new")
@access.requires("outlet.edit")
def create() -> ResponseReturnValue:
    """Add an outlet."""
    typed = _typed()
    with reading() as session:
        known = outlets.find(session, typed["code"])
        seen = known is not None and access.signed_in().may_at(session, "outlet.view", known.code)
    if known is not None:
        taken = _("编号 %(code)s 已是“%(name)s”，请换一个编号，或去修改它。")
        fault = taken if seen else _("编号 %(code)s 已经有机构在用，请换一个。")
        told = fault % {"code": known.code, "name": known.name}
        return _form(None, _("新增网点"), typed, {"code": told}), 400
    return _save(None, _("新增网点"), typed)


@blueprint.get("/<code>/edit")
@access.requires("outlet.edit", at=of_outlet)
def edit(code: str) -> ResponseReturnValue:
    """The form of an outlet as it stands."""
    with reading() as session:
        outlet = outlets.get(session, code)
    values = _standing(outlet)
    return _form(code, _title(outlet), values, base=conflict.version_of(values))


@blueprint.post("/<code>/edit")
@access.requires("outlet.edit", at=of_outlet)
def save(code: str) -> ResponseReturnValue:
    """Rename, move, close or correct an outlet, from a day on."""
    with reading() as session:
        title = _title(outlets.get(session, code))
    return _save(code, title, _typed() | {"code": code})


def _title(outlet: Outlet) -> str:
    return _("修改 %(name)s") % {"name": outlet.name}


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "").strip() for name in COLUMNS}


def _standing(outlet: Outlet) -> dict[str, str]:
    """The outlet as its form shows it."""
    return {name: shown(getattr(outlet, name)) for name in COLUMNS}


def _form(
    code: str | None,
    title: str,
    values: Mapping[str, str],
    faults: Mapping[str, str] | None = None,
    base: str = "",
) -> str:
    as_of = request.form.get("as_of") or today().isoformat()
    crumbs = [(_("网点与基地"), url_for("institution_desk.index"))]
    if code:
        crumbs.append((code, url_for("institution_desk.show", code=code)))
    page = FormPage(code, title, values, as_of, faults or {}, base or request.form.get("base", ""))
    return render("institution/outlet_form.html", page, crumbs=[*crumbs, (title, None)])


def _save(code: str | None, title: str, typed: dict[str, str]) -> ResponseReturnValue:
    as_of = day(request.form.get("as_of"))
    if as_of is None:
        return _form(code, title, typed, {"as_of": _("请写成 2023-03-15 这样的日期。")}), 400
    scope = access.signed_in().scope("outlet.edit")
    standing: dict[str, str] = {}
    try:
        with transaction() as session:
            outlet_changes.lock(session)
            if code:
                standing = _standing(outlets.get(session, code))
                conflict.check(request.form.get("base", ""), standing)
            planned = outlet_changes.plan(
                session, Sheet(list(COLUMNS), [], [], [Row(1, typed)]), as_of, scope=scope
            )
            if not planned.blocked:
                outlet_changes.apply(session, planned, clock.now())
    except conflict.Overtaken as overtaken:
        return _both(code or "", title, standing, typed, overtaken.base)
    if planned.blocked:
        faults = {fault.field: fault.sentence() for fault in reversed(planned.faults)}
        return _form(code, title, typed, faults), 400
    flash(_told(planned), "good")
    return redirect(url_for("institution_desk.show", code=typed["code"]))


def _both(
    code: str, title: str, theirs: Mapping[str, str], mine: Mapping[str, str], base: str
) -> ResponseReturnValue:
    """Somebody saved the same outlet meanwhile: both versions, field by field."""
    kinds = {kind.value: _(name) for kind, name in OUTLET_KIND_NAMES.items()}
    fields = [
        conflict.Field(name, _(LABELS[name]), theirs[name], mine[name], kinds if name == "kind" else {})
        for name in COLUMNS
        if name != "code"
    ]
    return conflict.page(
        title,
        url_for("institution_desk.save", code=code),
        fields,
        base=base,
        began=request.form.get("base", ""),
        back=url_for("institution_desk.show", code=code),
        hidden={"as_of": request.form.get("as_of", "")},
        who=_last_hand(code),
    )


def _last_hand(code: str) -> str:
    """Who saved this outlet last, as the audit log tells."""
    with reading() as session:
        found = audit_log.listing(session, audit_log.EVERYTHING, Filter(kind="outlet", subject=code), size=1)
    return found.records[0].actor if found.records else ""


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
