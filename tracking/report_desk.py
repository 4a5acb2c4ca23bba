"""Report subscriptions on the desk: those of one's part of the tree, and what one gets oneself."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import Conflict, DomainError, NotFound
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from institution import access, conflict, letters
from tracking import report_deliveries, report_form, report_page, report_rhythm, subscriptions
from tracking.report_listing import ListPage, SubscriptionPage, entry, history
from tracking.report_sender import Reports
from tracking.subscription_models import ReportSubscription

blueprint = Blueprint("report_desk", __name__, url_prefix="/desk/reach/reports", template_folder="templates")
# A page of its own in a frame: the style sheets of mails, and pictures that are in it.
_POLICY = "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'self'; base-uri 'none'"


def node(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the subscription that an address names, or NotFound."""
    return subscriptions.get(session, int(arguments["number"])).outlet_code


def own_node(session: Session, arguments: Mapping[str, Any]) -> str:
    """For who gets a report, wherever it belongs: a node of their own; NotFound for anybody else."""
    me = access.signed_in()
    if subscriptions.gets(session, int(arguments["number"]), me.id) is None:
        raise NotFound(mark("没有找到这份定期报告。"))
    return min(me.scope("reach.view").tops)


@blueprint.get("")
@access.requires("reach.view")
def listing() -> ResponseReturnValue:
    """Which there are, and which one gets."""
    me = access.signed_in()
    with reading() as session:
        page = ListPage(
            [
                entry(session, service(Reports), one, clock.now())
                for one in subscriptions.within(session, me.scope("reach.view"))
            ],
            [
                entry(session, service(Reports), one, clock.now())
                for one in subscriptions.mine(session, me.id)
            ],
            me.may("report.edit"),
            letters.possible(service(Reports).settings),
        )
    return render("tracking/reports.html", page)


@blueprint.get("/new")
@access.requires("report.edit")
def new() -> ResponseReturnValue:
    """The form of a new one; a question may come along from the report page."""
    me = access.signed_in()
    asked = {
        name: request.args[name]
        for name in ("by", "compare", "filters", "outlet_code")
        if name in request.args
    }
    values = report_form.FIRST | asked | {"recipients": me.staff.login}
    with reading() as session:
        page = SubscriptionPage(
            values, report_form.choice(session, me.scope("report.edit")), server=_server()
        )
    return render("tracking/report_subscription.html", page)


@blueprint.post("/new")
@access.requires("report.edit")
def make() -> ResponseReturnValue:
    """Keep a new one."""
    me = access.signed_in()
    try:
        with transaction() as session:
            form = report_form.read(session, request.form, me.scope("report.edit"), None)
            me.check(session, "report.edit", form.outlet_code)
            made = subscriptions.save(session, None, form, by=me.id, now=clock.now())
    except DomainError as error:
        return _again(None, error), 400
    flash(_("定期报告已保存。可以先看预览，再试发一份给自己。"), "good")
    return redirect(url_for(".show", number=made.id), code=303)


@blueprint.get("/<int:number>")
@access.requires("reach.view", at=node)
def show(number: int) -> ResponseReturnValue:
    """One subscription with its history."""
    with reading() as session:
        return render("tracking/report_subscription.html", _page(session, subscriptions.get(session, number)))


@blueprint.post("/<int:number>")
@access.requires("report.edit", at=node)
def save(number: int) -> ResponseReturnValue:
    """Change one."""
    me = access.signed_in()
    try:
        with transaction() as session:
            found = subscriptions.hold(session, number)
            conflict.check(request.form.get("base", ""), report_form.values_of(session, found))
            form = report_form.read(session, request.form, me.scope("report.edit"), found)
            me.check(session, "report.edit", form.outlet_code)
            subscriptions.save(session, found, form, by=me.id, now=clock.now())
    except conflict.Overtaken as overtaken:
        return _again(number, overtaken), 409
    except DomainError as error:
        return _again(number, error), 400
    flash(_("修改已保存，从下一期起生效。"), "good")
    return redirect(url_for(".show", number=number), code=303)


@blueprint.post("/<int:number>/<any(pause, resume, delete, restore):action>")
@access.requires("report.edit", at=node)
def act(number: int, action: str) -> ResponseReturnValue:
    """Pause, resume, delete, or bring back what was deleted."""
    state = {"pause": subscriptions.PAUSED, "resume": subscriptions.ACTIVE, "delete": subscriptions.DELETED,
             "restore": subscriptions.ACTIVE}[action]  # fmt: skip
    with transaction() as session:
        found = subscriptions.hold(session, number)
        if action in ("pause", "resume") and found.state == subscriptions.DELETED:
            raise Conflict(mark("这份定期报告已删除，请先找回。"))
        if action == "restore" and found.state != subscriptions.DELETED:
            raise Conflict(mark("这份定期报告没有删除，不用找回。"))
        subscriptions.set_state(session, found, state, clock.now())
    said = {
        "pause": _("已暂停，到期也不再发送。"),
        "resume": _("已恢复，从下一期起发送；暂停期间的不补发。"),
        "delete": _("已删除。下面可以马上找回。"),
        "restore": _("已找回，现在是暂停状态；核对后再恢复发送。"),
    }
    flash(said[action], "good")
    return redirect(url_for(".show", number=number), code=303)


@blueprint.post("/<int:number>/leave")
@access.requires("reach.view", at=own_node)
def leave(number: int) -> ResponseReturnValue:
    """Take oneself off."""
    with transaction() as session:
        subscriptions.leave(session, subscriptions.get(session, number), access.signed_in().id)
    flash(_("您不会再收到这份报告。"), "good")
    return redirect(url_for(".listing"), code=303)


@blueprint.get("/<int:number>/mail")
@access.requires("reach.view", at=node)
def mail(number: int) -> ResponseReturnValue:
    """The mail as I would get it now, to be shown in a frame."""
    sheets = [url_for("static", filename=f"css/{name}.css") for name in ("mail", "report_mail")]
    with reading() as session:
        one = subscriptions.get(session, number)
        try:
            content = service(Reports).preview(session, one, access.signed_in().staff)
        except DomainError as error:
            shown = report_page.sentence(str(error), sheets)
        else:
            shown = report_page.as_page(content, sheets)
    answer = Response(shown, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = _POLICY
    return answer


@blueprint.post("/<int:number>/test")
@access.requires("report.edit", at=node)
def test(number: int) -> ResponseReturnValue:
    """Send it to me now."""
    with reading() as session:
        one = subscriptions.get(session, number)
    try:
        service(Reports).test(one, access.signed_in().staff)
    except DomainError as error:
        flash(str(error), "bad")
    else:
        flash(_("试发的邮件已交给发件箱，几分钟内会到您的邮箱。"), "good")
    return redirect(url_for(".show", number=number), code=303)


@blueprint.post("/<int:number>/again/<int:delivery>")
@access.requires("report.edit", at=node)
def again(number: int, delivery: int) -> ResponseReturnValue:
    """Send one again that did not arrive."""
    with transaction() as session:
        report_deliveries.again(session, number, delivery, clock.now())
    flash(_("一分钟内重新生成并发送。"), "good")
    return redirect(url_for(".show", number=number), code=303)


def _server() -> bool:
    return letters.possible(service(Reports).settings)


def _page(
    session: Session, one: ReportSubscription, values: Mapping[str, str] | None = None
) -> SubscriptionPage:
    me, reports = access.signed_in(), service(Reports)
    ended = report_deliveries.concerning(session, one, reports.campaigns(session))
    coming = report_rhythm.upcoming(one, reports.clock, clock.now(), ended)
    shown = report_form.values_of(session, one)
    return SubscriptionPage(
        values or shown,
        report_form.choice(session, me.scope("report.edit"), one.outlet_code),
        one,
        entry(session, service(Reports), one, clock.now()),
        subscriptions.recipients(session, one.id or 0),
        [due.at for due in coming] if one.state == subscriptions.ACTIVE else (),
        history(session, one),
        me.may_at(session, "report.edit", one.outlet_code) and one.state != subscriptions.DELETED,
        conflict.version_of(shown),
        server=_server(),
    )


def _again(number: int | None, error: DomainError) -> str:
    """The form as it was typed, with the fault at its field."""
    with reading() as session:
        if number is None:
            scope = access.signed_in().scope("report.edit")
            page = SubscriptionPage(
                request.form.to_dict(), report_form.choice(session, scope), server=_server()
            )
        else:
            page = _page(session, subscriptions.get(session, number), request.form.to_dict())
        page = replace(page, field=error.field, fault=str(error))
    return render("tracking/report_subscription.html", page)
