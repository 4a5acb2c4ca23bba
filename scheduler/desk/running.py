"""Moving a plan on: ask for approval, take the request back, start, fire at once, pause, end."""

from collections.abc import Callable
from datetime import datetime

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import Invalid
from core.http import service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution.access import requires, signed_in
from scheduler import plans
from scheduler.desk.routes import blueprint, plan_place


@blueprint.post("/plans/<int:plan_id>/submit")
@requires("push.edit", at=plan_place)
def submit(plan_id: int) -> ResponseReturnValue:
    """Ask a second person to approve the plan as it is."""
    reason, due = request.form.get("reason", "").strip(), _moment(request.form.get("due_at", ""))
    with transaction() as session:
        plans.submit(session, plan_id, by=signed_in().id, now=clock.now(), reason=reason, due_at=due)
    flash(_("已提交审批。批准后，由推送专员启动。"), "good")
    return redirect(url_for(".show", plan_id=plan_id), code=303)


@blueprint.post("/plans/<int:plan_id>/take-back")
@requires("push.edit", at=plan_place)
def take_back(plan_id: int) -> ResponseReturnValue:
    """Take one's own open request back, so that the plan can be changed."""
    with transaction() as session:
        plans.take_back(session, plan_id, by=signed_in().id, now=clock.now())
    flash(_("申请已撤回，可以修改计划。"), "good")
    return redirect(url_for(".show", plan_id=plan_id), code=303)


@blueprint.post("/plans/<int:plan_id>/<any(activate, now, pause, end):action>")
@requires("push.run", at=plan_place)
def act(plan_id: int, action: str) -> ResponseReturnValue:
    """Start, fire at once, pause or end a plan."""
    with transaction() as session:
        said = _ACTIONS[action](session, plan_id)
    flash(_(said), "good")
    return redirect(url_for(".show", plan_id=plan_id), code=303)


def _moment(text: str) -> datetime | None:
    """A moment of the form, in the institution's time."""
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=service(Settings).zone)
    except ValueError as error:
        raise Invalid(mark("请填写办理期限的日期和时间。"), field="due_at") from error


def _activate(session: Session, plan_id: int) -> str:
    plans.activate(session, plan_id, zone=service(Settings).zone, now=clock.now())
    return mark("计划已启动，到时间会自动推送。")


def _send_now(session: Session, plan_id: int) -> str:
    plans.send_now(session, plan_id, now=clock.now())
    return mark("马上开始推送，进度见下方。")


def _pause(session: Session, plan_id: int) -> str:
    plans.pause(session, plan_id, now=clock.now())
    return mark("计划已暂停，不会再触发新的推送。")


def _end(session: Session, plan_id: int) -> str:
    plans.end(session, plan_id, now=clock.now())
    return mark("计划已结束。")


_ACTIONS: dict[str, Callable[[Session, int], str]] = {
    "activate": _activate,
    "now": _send_now,
    "pause": _pause,
    "end": _end,
}
