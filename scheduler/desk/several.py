"""Several plans at once: start those that were approved, or pause those that run; asked once more before."""

from collections.abc import Mapping, Sequence

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col

from core import clock
from core.errors import DomainError, Invalid
from core.http import reading, safe_target, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import bulk
from institution.access import requires, signed_in
from institution.bulk import BulkPreview, Line
from scheduler import plans
from scheduler.desk.routes import blueprint
from scheduler.models import Plan

ACTS = {"activate": mark("启动"), "pause": mark("暂停")}


@blueprint.post("/plans/several")
@requires("push.run")
def several() -> ResponseReturnValue:
    """Say what will happen to each plan that was ticked; with `confirm`, let it happen."""
    act = request.form.get("action", "")
    if act not in ACTS:
        raise Invalid(mark("请先在表格里勾选，再选择要做的事。"))
    picked = bulk.picked(request.form.getlist("pick"))
    back = safe_target(request.form.get("back"), url_for(".index"))
    if request.form.get("confirm") != "1":
        with reading() as session:
            return _preview(act, _lines(session, act, picked), back)
    with transaction() as session:
        good = [line for line in _lines(session, act, picked) if not line.fault]
        for line in good:
            _carry_out(session, act, int(line.value))
    words = _("已启动 %(count)s 份计划。") if act == "activate" else _("已暂停 %(count)s 份计划。")
    flash(words % {"count": len(good)}, "good")
    return redirect(back, code=303)


def acts() -> list[tuple[str, str]]:
    """What a person may do with several plans."""
    return [(act, _(word)) for act, word in ACTS.items()] if signed_in().may("push.run") else []


def _lines(session: Session, act: str, picked: Sequence[str]) -> list[Line]:
    """Each plan that was ticked with what happens to it; one outside is named like one that is not there."""
    numbers = [int(one) for one in picked if one.isdecimal() and len(one) < 10]
    query = plans.within(signed_in().scope("push.run").condition(Plan.outlet_code))
    found = {plan.id: plan for plan in session.exec(query.where(col(Plan.id).in_(numbers)))}
    return [_line(session, act, one, found) for one in picked]


def _line(session: Session, act: str, value: str, found: Mapping[int | None, Plan]) -> Line:
    plan = found.get(int(value)) if value.isdecimal() else None
    if plan is None:
        return Line(value, _("推送计划"), fault=_("没有找到这一项，或者它不在您负责的范围内。"))
    href = url_for(".show", plan_id=plan.id)
    try:
        if act == "pause":
            plans.check_active(plan)
            return Line(value, plan.name, _("暂停，不再触发新的推送"), href=href)
        due = plans.check_startable(session, plan, zone=service(Settings).zone, now=clock.now())
    except DomainError as error:
        return Line(value, plan.name, fault=str(error), href=href)
    if plan.follows_id:
        return Line(value, plan.name, _("启动，每次推送之后按天数跟进"), href=href)
    moment = due.astimezone(service(Settings).zone).strftime("%Y-%m-%d %H:%M")
    return Line(value, plan.name, _("启动，%(time)s 第一次推送") % {"time": moment}, href=href)


def _carry_out(session: Session, act: str, plan_id: int) -> None:
    if act == "pause":
        plans.pause(session, plan_id, now=clock.now())
    else:
        plans.activate(session, plan_id, zone=service(Settings).zone, now=clock.now())


def _preview(act: str, lines: Sequence[Line], back: str) -> str:
    count = sum(not line.fault for line in lines)
    return bulk.preview(
        BulkPreview(
            title=_("启动几份计划") if act == "activate" else _("暂停几份计划"),
            action=url_for(".several"),
            act=act,
            lines=lines,
            confirm=_("确认，处理这 %(count)s 个") % {"count": count},
            back=back,
            hidden={"back": back},
            nav="plans",
        )
    )
