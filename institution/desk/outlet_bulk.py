"""Several outlets at once: ticked in the list, a value typed, looked at, then done."""

from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from core import clock
from core.errors import Invalid
from core.http import reading, render, safe_target, transaction
from core.i18n import gettext as _
from core.i18n import mark
from institution import access, bulk, outlet_bulk, outlet_changes, outlet_output
from institution.bulk import BulkPreview, Line
from institution.desk.outlet_forms import day
from institution.desk.outlet_pages import ACTS, today
from institution.desk.routes import outlets_blueprint as blueprint
from institution.outlet_bulk import CLOSE, HOURS, PHONE, REOPEN, Act, Several
from institution.outlet_files import LABELS
from institution.outlet_plan import Change
from institution.outlet_records import BULK

_ASKED = {
    HOURS: (mark("新的营业时间"), mark("例如：周一至周五 9:00–17:00"), "text"),
    PHONE: (mark("新的区号"), mark("例如 0571。号码本身不变；手机号、95 和 400 号码不动。"), "text"),
    CLOSE: (mark("撤并日期"), mark("从这一天起不再对外服务；历史与报告里的名称不变。"), "date"),
}


@dataclass(frozen=True, slots=True)
class ValuePage:
    """What is to be written into all the ticked outlets."""

    act: str
    title: str
    label: str
    hint: str
    kind: str
    value: str
    fault: str
    picked: list[str]
    back: str


@blueprint.post("/several")
@access.requires("outlet.edit")
def several() -> ResponseReturnValue:
    """Ask for the value, show what would happen to each, and with `confirm` do it."""
    act, back = (
        request.form.get("action", ""),
        safe_target(request.form.get("back"), url_for("institution_desk.index")),
    )
    try:
        if act not in ACTS:
            raise Invalid(mark("请先在表格里勾选，再选择要做的事。"))
        codes = bulk.picked(request.form.getlist("pick"))
    except Invalid as error:
        flash(str(error), "bad")
        return redirect(back)
    if act in _ASKED and "value" not in request.form:
        return _ask(act, codes, back)
    try:
        value = outlet_bulk.value_of(act, request.form.get("value", ""))
    except Invalid as error:
        return _ask(act, codes, back, str(error)), 400
    wanted = Act(act, value, day(request.form.get("as_of")) or today())
    confirmed = request.form.get("confirm") == "1"
    return _carry_out(wanted, codes, back) if confirmed else _preview(wanted, codes, back)


def _ask(act: str, codes: list[str], back: str, fault: str = "") -> str:
    label, hint, kind = _ASKED[act]
    typed = request.form.get("value", today().isoformat() if kind == "date" else "")
    title = _("%(act)s：%(count)s 个机构") % {"act": _(ACTS[act]), "count": len(codes)}
    page = ValuePage(act, title, _(label), _(hint), kind, typed, fault, codes, back)
    crumbs = [(_("网点与基地"), url_for("institution_desk.index")), (title, None)]
    return render("institution/outlet_value.html", page, crumbs=crumbs)


def _preview(act: Act, codes: list[str], back: str) -> str:
    with reading() as session:
        found = outlet_bulk.plan(session, act, codes, access.signed_in().scope("outlet.edit"))
    lines = [
        Line(
            each.code,
            each.name,
            _what(act, found, each),
            href=url_for("institution_desk.show", code=each.code),
        )
        for each in found.planned.changes
    ]
    lines += [Line(code, found.titles[code], fault=fault) for code, fault in sorted(found.faults.items())]
    return bulk.preview(
        BulkPreview(
            title=_(ACTS[act.name]),
            action=url_for("institution_desk.several"),
            act=act.name,
            lines=lines,
            confirm=_("确认，处理这 %(count)s 个") % {"count": len(found.planned.changes)},
            back=back,
            hidden={"value": act.value, "as_of": act.as_of.isoformat(), "back": back},
            danger=act.name == CLOSE,
            nav="outlets",
        )
    )


def _what(act: Act, found: Several, change: Change) -> str:
    if act.name == REOPEN:
        return _("恢复营业")
    each = change.fields[0]
    parts = {
        "field": _(LABELS[each.field]),
        "old": outlet_output.value(each.field, each.old),
        "new": outlet_output.value(each.field, each.new),
    }
    below = found.open_below.get(change.code, 0)
    more = _("；它还有 %(count)s 个在营的下级，不会一起撤并") % {"count": below} if below else ""
    return _("%(field)s：%(old)s → %(new)s") % parts + more


def _carry_out(act: Act, codes: list[str], back: str) -> ResponseReturnValue:
    """Planned anew against the tree as it stands now, then applied as one act."""
    scope = access.signed_in().scope("outlet.edit")
    with transaction() as session:
        outlet_changes.lock(session)
        found = outlet_bulk.plan(session, act, codes, scope)
        outlet_changes.apply(session, found.planned, clock.now(), action=BULK)
    done = len(found.planned.changes)
    words = _("%(act)s：%(count)s 个机构已改好。") % {"act": _(ACTS[act.name]), "count": done}
    flash(words if done else _("没有变化，什么也没有写入。"), "good" if done else "warn")
    return redirect(back)
