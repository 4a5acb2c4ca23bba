"""The list of plans at the desk: filtered and sorted by its address, as a file too; the latest pushes below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import request
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from campaign.contacts import ContactList
from core.http import asked_export, attachment, page_number, reading, render, service
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import desk_table, places
from institution.access import requires, signed_in
from institution.desk_table import Column, Listing, View
from institution.powers import Scope
from scheduler import plans, pushes, reaching
from scheduler.desk.form import route_name
from scheduler.desk.routes import APPROVAL_TONES, TONES, blueprint
from scheduler.desk.several import acts
from scheduler.models import (
    APPROVAL_NAMES,
    PLAN_NAMES,
    PUSH_NAMES,
    ChannelAccount,
    Plan,
    PlanApproval,
    PlanState,
    Push,
    PushState,
)


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan in the list."""

    plan: Plan
    state: str
    tone: str
    approval: str
    approval_tone: str
    route: str
    list_name: str
    place: str
    rhythm: str

    @property
    def next_at(self) -> datetime | None:
        """When it fires next; of a follow-up that is said by what it follows."""
        return None if self.plan.follows_id is not None else self.plan.next_due_at


@dataclass(frozen=True, slots=True)
class PushRow:
    """A push in a list."""

    push: Push
    plan_name: str
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class PlansPage:
    """The plans of one's part of the tree, and the latest pushes."""

    view: View[PlanRow]
    listing: Listing[PlanRow]
    pushes: Sequence[PushRow]
    text: str
    state: str
    states: Mapping[str, str]
    may_write: bool
    acts: Sequence[tuple[str, str]]

    @property
    def filtered(self) -> bool:
        """Whether the address asks for less than everything."""
        return bool(self.text or self.state)


COLUMNS: tuple[Column[PlanRow], ...] = (
    Column("name", mark("计划"), lambda row: row.plan.name, sort=lambda row: row.plan.name),
    Column("state", mark("状态"), lambda row: row.state, sort=lambda row: row.plan.state),
    Column("approval", mark("审批"), lambda row: row.approval, sort=lambda row: row.plan.approval),
    Column("route", mark("渠道账号"), lambda row: row.route, sort=lambda row: row.route),
    Column("list", mark("发给谁"), lambda row: row.list_name, sort=lambda row: row.list_name),
    Column("place", mark("机构"), lambda row: row.place, sort=lambda row: row.place),
    Column("rhythm", mark("重复"), lambda row: row.rhythm),
    Column("next", mark("下一次"), lambda row: row.next_at, sort=lambda row: row.next_at),
    Column("number", mark("编号"), lambda row: row.plan.id, sort=lambda row: row.plan.id, shown=False),
)


@blueprint.get("/plans")
@requires("push.view")
def index() -> ResponseReturnValue:
    """The plans of one's part of the tree, the latest first."""
    person = signed_in()
    scope = person.scope("push.view")
    view = desk_table.view(COLUMNS, request.args, first="-number")
    text, state = request.args.get("q", "").strip(), request.args.get("state", "")
    with reading() as session:
        rows = view.arranged(_rows(session, scope, text, state))
        if form := asked_export():
            return attachment(desk_table.export(view, rows, form, service(Settings).zone), f"plans.{form}")
        found = pushes.latest(session, 20, condition=scope.condition(Push.outlet_code))
    page = PlansPage(
        view=view,
        listing=desk_table.cut(rows, page_number()),
        pushes=[push_row(*one) for one in found],
        text=text,
        state=state,
        states={"": _("全部")} | {str(one): _(name) for one, name in PLAN_NAMES.items()},
        may_write=person.may("push.edit"),
        acts=acts(),
    )
    return render("scheduler/plans.html", page)


def push_row(push: Push, plan_name: str) -> PushRow:
    """A push as lists show it; stopped by a fault is louder than paused by a person."""
    tone = TONES.get(PushState(push.state), "bad" if push.reason else "warn")
    return PushRow(push, plan_name, _(PUSH_NAMES[PushState(push.state)]), tone)


def _rows(session: Session, scope: Scope, text: str, state: str) -> list[PlanRow]:
    query = plans.within(scope.condition(Plan.outlet_code))
    if text:
        query = query.where(col(Plan.name).icontains(text, autoescape=True))
    if state in PLAN_NAMES:
        query = query.where(Plan.state == state)
    found = list(session.exec(query.order_by(col(Plan.id).desc())))
    lists = dict(session.exec(select(ContactList.id, ContactList.name)).all())
    known = {row.id: row for row in session.exec(select(ChannelAccount))}
    named = places.names(session, {plan.outlet_code for plan in found})
    return [
        _row(plan, lists.get(plan.list_id) or reaching.named(session, plan), known, named) for plan in found
    ]


def _row(
    plan: Plan, list_name: str, known: Mapping[int | None, ChannelAccount], named: Mapping[str, str]
) -> PlanRow:
    state, approval = PlanState(plan.state), PlanApproval(plan.approval)
    return PlanRow(
        plan=plan,
        state=_(PLAN_NAMES[state]),
        tone="bad" if plan.reason else TONES[state],
        approval=_(APPROVAL_NAMES[approval]),
        approval_tone=APPROVAL_TONES[approval],
        route=route_name(known.get(plan.account_id), plan.channel),
        list_name=list_name,
        place=named[plan.outlet_code],
        rhythm=reaching.rhythm(plan),
    )
