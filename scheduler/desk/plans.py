"""Plans at the desk: list, form, preview as mail and as text, start, pause, end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign import audience
from campaign.audience import Address
from campaign.contacts import CHANNEL_NAMES
from campaign.unsubscribe import Unsubscriptions
from core import clock
from core.errors import DomainError, Invalid, NotFound
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from core.signing import Keys
from institution.access import requires, signed_in
from scheduler import plans, pushes
from scheduler.channels.base import Message
from scheduler.channels.webhook import Webhook
from scheduler.composer import Composer
from scheduler.desk.form import Choices, blank, choices, posted, values_of
from scheduler.desk.routes import blueprint
from scheduler.models import PLAN_NAMES, PUSH_NAMES, Plan, PlanState, Push, PushState
from scheduler.recurrence import PRESETS, upcoming
from tracking.attribution import Attributions

TONES = {
    PlanState.draft: "idle",
    PlanState.active: "good",
    PlanState.paused: "warn",
    PlanState.ended: "idle",
    PushState.overtaken: "bad",
    PushState.skipped: "idle",
    PushState.cutting: "info",
    PushState.running: "info",
    PushState.done: "good",
    PushState.cancelled: "idle",
}
# A mail brings its own style sheet; the desk's pages may not, so the preview is a page of its own in a frame.
_MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'"


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan in the list."""

    plan: Plan
    state: str
    tone: str
    channel: str
    list_name: str
    rhythm: str


@dataclass(frozen=True, slots=True)
class PushRow:
    """A push in a list."""

    push: Push
    plan_name: str
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class PlansPage:
    """All plans and the latest pushes."""

    plans: Sequence[PlanRow]
    pushes: Sequence[PushRow]


@dataclass(frozen=True, slots=True)
class PlanPage:
    """The form of a plan, and for a saved one its state, preview and pushes."""

    values: Mapping[str, str]
    choices: Choices
    plan: Plan | None = None
    state: str = ""
    tone: str = "idle"
    next_at: Sequence[datetime] = ()
    text: str = ""
    preview_fault: str = ""
    secret: str = ""
    pushes: Sequence[PushRow] = ()
    field: str | None = None
    fault: str = ""

    @property
    def editable(self) -> bool:
        """Whether the form may be saved."""
        return self.plan is None or self.plan.state in (PlanState.draft, PlanState.paused)


@blueprint.get("/plans")
@requires("push.edit")
def index() -> ResponseReturnValue:
    """All plans, the latest first."""
    with reading() as session:
        names = {row.id: row.name for row in audience.lists(session)}
        rows = [_row(plan, names.get(plan.list_id, "")) for plan in plans.everything(session)]
        page = PlansPage(rows, [push_row(*found) for found in pushes.latest(session, 20)])
    return render("scheduler/plans.html", page)


@blueprint.get("/plans/new")
@requires("push.edit")
def new() -> ResponseReturnValue:
    """An empty form, ready for tomorrow at ten."""
    with reading() as session:
        page = PlanPage(blank(), choices(session))
    return render("scheduler/plan.html", page)


@blueprint.post("/plans/new")
@requires("push.edit")
def create() -> ResponseReturnValue:
    """Save a new plan as a draft."""
    try:
        with transaction() as session:
            made = plans.create(session, posted(), by=signed_in().id, now=clock.now())
    except DomainError as error:
        return _again(None, error), 400
    flash(_("计划已保存为草稿。看过预览，就可以启动。"), "good")
    return redirect(url_for(".show", plan_id=made.id), code=303)


@blueprint.get("/plans/<int:plan_id>")
@requires("push.edit")
def show(plan_id: int) -> ResponseReturnValue:
    """A plan: its form while it may be changed, its preview, its pushes."""
    with reading() as session:
        plan = plans.get(session, plan_id)
        page = _page(session, plan, values_of(plan))
    return render("scheduler/plan.html", page)


@blueprint.post("/plans/<int:plan_id>")
@requires("push.edit")
def save(plan_id: int) -> ResponseReturnValue:
    """Change a plan that is not active."""
    try:
        with transaction() as session:
            plans.edit(session, plan_id, posted(), now=clock.now())
    except NotFound:
        raise
    except DomainError as error:
        return _again(plan_id, error), 400
    flash(_("计划已保存。"), "good")
    return redirect(url_for(".show", plan_id=plan_id), code=303)


@blueprint.post("/plans/<int:plan_id>/<any(activate, now, pause, end):action>")
@requires("push.run")
def act(plan_id: int, action: str) -> ResponseReturnValue:
    """Start, fire at once, pause or end a plan."""
    with transaction() as session:
        said = _ACTIONS[action](session, plan_id)
    flash(_(said), "good")
    return redirect(url_for(".show", plan_id=plan_id), code=303)


@blueprint.get("/plans/<int:plan_id>/mail")
@requires("push.edit")
def mail(plan_id: int) -> ResponseReturnValue:
    """The mail as a recipient sees it, to be shown in a frame."""
    with reading() as session:
        message = preview(session, plans.get(session, plan_id))
    answer = Response(message.html, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = _MAIL_POLICY
    return answer


def preview(session: Session, plan: Plan) -> Message:
    """The message of a plan to an invented person; Invalid when its piece is not published."""
    composer = Composer(service(Settings), service(Attributions), Unsubscriptions(service(Keys)))
    someone = Address(0, _("张三"), "zhang.san@example.com")
    letter = composer.letter(session, plan)
    return composer.message(letter, key="preview", address=someone, address_index="00" * 32, outlet="")


def push_row(push: Push, plan_name: str) -> PushRow:
    """A push as lists show it; stopped by a fault is louder than paused by a person."""
    tone = TONES.get(PushState(push.state), "bad" if push.reason else "warn")
    return PushRow(push, plan_name, _(PUSH_NAMES[PushState(push.state)]), tone)


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


def _row(plan: Plan, list_name: str) -> PlanRow:
    state = PlanState(plan.state)
    rhythm = _(PRESETS[plan.rule]) if plan.rule in PRESETS else plan.rule
    return PlanRow(
        plan, _(PLAN_NAMES[state]), TONES[state], _(CHANNEL_NAMES[plan.channel]), list_name, rhythm
    )


def _page(
    session: Session, plan: Plan, values: Mapping[str, str], error: DomainError | None = None
) -> PlanPage:
    text, fault = "", ""
    try:
        text = preview(session, plan).text
    except Invalid as missing:
        fault = str(missing)
    secret = Webhook(service(Keys), clock.now).secret(plan.target) if plan.target else ""
    return PlanPage(
        values=values,
        choices=choices(session),
        plan=plan,
        state=_(PLAN_NAMES[PlanState(plan.state)]),
        tone=TONES[PlanState(plan.state)],
        next_at=upcoming(plan.first_at, plan.rule, service(Settings).zone, clock.now(), 3),
        text=text,
        preview_fault=fault,
        secret=secret,
        pushes=[push_row(*found) for found in pushes.latest(session, 20, plan.id)],
        field=error.field if error else None,
        fault=str(error) if error else "",
    )


def _again(plan_id: int | None, error: DomainError) -> str:
    """The form once more with what was typed, and the sentence at its field."""
    values = {name: value for name, value in request.form.items() if isinstance(value, str)}
    with reading() as session:
        if plan_id is None:
            page = PlanPage(values, choices(session), field=error.field, fault=str(error))
        else:
            page = _page(session, plans.get(session, plan_id), values, error)
    return render("scheduler/plan.html", page)
