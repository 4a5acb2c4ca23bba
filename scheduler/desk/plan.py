"""One plan at the desk: its form, its preview, where its approval stands, its pushes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import DomainError, Invalid, NotFound
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.settings import Settings
from institution import conflict, places
from institution.access import requires, signed_in
from institution.approval_models import Approval
from scheduler import calendar as sending_calendar
from scheduler import plans, pushes, reaching, rules, starting, windows
from scheduler.channels import registry
from scheduler.desk import audience_form
from scheduler.desk.form import Choices, blank, choices, copied, fields, posted, proposed, typed, values_of
from scheduler.desk.plans import PushRow, push_row
from scheduler.desk.preview import Shown, shown
from scheduler.desk.routes import APPROVAL_TONES, TONES, blueprint, plan_place
from scheduler.models import APPROVAL_NAMES, PLAN_NAMES, Plan, PlanApproval, PlanState

_AHEAD = 800  # days: a yearly plan has its next two times in it


@dataclass(frozen=True, slots=True)
class Standing:
    """What may be done with a saved plan now, and by this person."""

    state: str
    tone: str
    approval: str
    approval_tone: str
    approved: bool
    asked: Approval | None
    mine: bool
    may_edit: bool
    may_run: bool

    @property
    def may_ask(self) -> bool:
        """Whether a request for approval is what comes next."""
        return self.may_edit and not self.approved and self.asked is None


@dataclass(frozen=True, slots=True)
class PlanPage:
    """The form of a plan, and for a saved one its state, preview and pushes."""

    values: Mapping[str, str]
    choices: Choices
    plan: Plan | None = None
    standing: Standing | None = None
    base: str = ""
    place: str = ""
    route: str = ""
    list_name: str = ""
    filters: Sequence[str] = ()
    after_name: str = ""
    counted: str = ""
    rhythm: str = ""
    next_at: Sequence[datetime] = ()
    shown: Shown | None = None
    hours: str = ""
    copies: Sequence[tuple[str, str]] = ()
    preview_fault: str = ""
    pushes: Sequence[PushRow] = ()
    field: str | None = None
    fault: str = ""

    @property
    def editable(self) -> bool:
        """Whether the form may be saved now, by this person."""
        if self.plan is None or self.standing is None:
            return self.plan is None
        waiting = self.plan.state in (PlanState.draft, PlanState.paused)
        return waiting and self.standing.may_edit and self.standing.asked is None


@blueprint.get("/plans/new")
@requires("push.edit")
def new() -> ResponseReturnValue:
    """An empty form, ready for today at ten; or what another plan says (`like`), for another channel."""
    person, like = signed_in(), request.args.get("like", "")
    with reading() as session:
        known = choices(session, person.scope("push.edit"))
        values = blank() | {"outlet_code": known.places.first}
        if like.isdecimal():
            values |= copied(session, int(like), request.args.get("channel", ""), known)
    return render("scheduler/plan.html", PlanPage(values, known))


@blueprint.post("/plans/new")
@requires("push.edit")
def create() -> ResponseReturnValue:
    """Save a new plan as a draft."""
    person = signed_in()
    try:
        with transaction() as session:
            form = posted(session)
            person.check(session, "push.edit", form.outlet_code)
            made = plans.create(session, form, by=person.id, now=clock.now())
    except DomainError as error:
        return _again(None, error), 400
    flash(_("计划已保存为草稿。看过预览，就可以提交审批。"), "good")
    return redirect(url_for(".show", plan_id=made.id), code=303)


@blueprint.get("/plans/<int:plan_id>")
@requires("push.view", at=plan_place)
def show(plan_id: int) -> ResponseReturnValue:
    """A plan: its form while it may be changed, its preview, its pushes."""
    with reading() as session:
        plan = plans.get(session, plan_id)
        page = _page(session, plan, values_of(plan) | proposed(plan.rule))
    return render("scheduler/plan.html", page)


@blueprint.post("/plans/<int:plan_id>")
@requires("push.edit", at=plan_place)
def save(plan_id: int) -> ResponseReturnValue:
    """Change a plan that is not active; when somebody was faster, show both versions."""
    try:
        with transaction() as session:
            plan = session.get(Plan, plan_id, with_for_update=True)
            if plan is not None:
                conflict.check(request.form.get("base", ""), values_of(plan))
            form = posted(session)
            signed_in().check(session, "push.edit", form.outlet_code)
            plans.edit(session, plan_id, form, now=clock.now())
    except conflict.Overtaken as overtaken:
        return _both(plan_id, overtaken.base)
    except NotFound:
        raise
    except DomainError as error:
        return _again(plan_id, error), 400
    flash(_("计划已保存。"), "good")
    return redirect(url_for(".show", plan_id=plan_id), code=303)


def _both(plan_id: int, base: str) -> ResponseReturnValue:
    with reading() as session:
        plan = plans.get(session, plan_id)
        known = choices(session, signed_in().scope("push.edit"), plan)
        shown = fields(values_of(plan), typed(session), known)
    return conflict.page(
        plan.name,
        url_for(".save", plan_id=plan_id),
        shown,
        base=base,
        began=request.form.get("base", ""),
        back=url_for(".show", plan_id=plan_id),
    )


def _again(plan_id: int | None, error: DomainError) -> str:
    """The form once more with what was typed, and the sentence at its field."""
    with reading() as session:
        values = typed(session)
        if plan_id is None:
            known = choices(session, signed_in().scope("push.edit"))
            page = PlanPage(values, known, field=error.field, fault=str(error))
        else:
            page = _page(session, plans.get(session, plan_id), values, error)
    return render("scheduler/plan.html", page)


def _page(
    session: Session, plan: Plan, values: Mapping[str, str], error: DomainError | None = None
) -> PlanPage:
    seen, fault = None, ""
    try:
        seen = shown(session, plan, clock.now())
    except Invalid as missing:
        fault = str(missing)
    known = choices(session, signed_in().scope("push.view"), plan)
    return PlanPage(
        values=values,
        choices=known,
        plan=plan,
        standing=_standing(session, plan),
        base=request.form.get("base", "") if error else conflict.version_of(values_of(plan)),
        place=places.name(session, plan.outlet_code),
        route=known.routes.get(f"{plan.channel}:{plan.account_id or ''}", "—"),
        list_name=reaching.named(session, plan),
        filters=reaching.filters(session, plan),
        after_name=reaching.push_name(session, plan.after_id) if plan.after_id else "",
        counted=_counted(session, plan) if request.args.get("count") else "",
        rhythm=reaching.rhythm(plan),
        next_at=_next(session, plan),
        shown=seen,
        hours=_hours(session, plan.channel),
        copies=_copies(known, plan.channel),
        preview_fault=fault,
        pushes=[push_row(*found) for found in pushes.latest(session, 20, plan.id)],
        field=error.field if error else None,
        fault=str(error) if error else "",
    )


def _counted(session: Session, plan: Plan) -> str:
    found = reaching.count(session, plan, clock.now())
    return audience_form.said(found) if found else _("到时候按当时的人算。")


def _next(session: Session, plan: Plan) -> list[datetime]:
    """The next three times, moved to where the rules allow them; those that days off drop are left out."""
    zone, now = service(Settings).zone, clock.now()
    span = sending_calendar.When(zone, now, now, now + timedelta(days=_AHEAD))
    allowed = rules.of(session, plan, service(Settings).holidays)
    return list(islice(sending_calendar.moments_of(session, plan, allowed, span), 3))


def _hours(session: Session, channel: str) -> str:
    """What the channel's rules mean for the hour, in words."""
    found = rules.allowed(session, channel)
    if (found.opens, found.closes) == (0, windows.DAY):
        return ""
    span = {"opens": rules.said(found.opens), "closes": rules.said(found.closes)}
    return _("这个渠道只在 %(opens)s 到 %(closes)s 发送，其余时间等到开始再发。") % span


def _copies(known: Choices, channel: str) -> list[tuple[str, str]]:
    """The other channels for which there is an account."""
    names = dict.fromkeys(route.partition(":")[0] for route in known.routes)
    return [(name, registry.label(name)) for name in names if name != channel]


def _standing(session: Session, plan: Plan) -> Standing:
    person, asked = signed_in(), starting.asked(session, plan)
    state, approval = PlanState(plan.state), PlanApproval(plan.approval)
    return Standing(
        state=_(PLAN_NAMES[state]),
        tone=TONES[state],
        approval=_(APPROVAL_NAMES[approval]),
        approval_tone=APPROVAL_TONES[approval],
        approved=starting.approved(session, plan),
        asked=asked,
        mine=asked is not None and asked.requested_by == person.id,
        may_edit=person.may_at(session, "push.edit", plan.outlet_code),
        may_run=person.may_at(session, "push.run", plan.outlet_code),
    )
