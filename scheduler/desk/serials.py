"""The staff page of a serial's letters: who subscribed, the plan that carries them, what was told."""

from dataclasses import dataclass

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from campaign import serials
from core import clock
from core.errors import DomainError
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.settings import Settings
from institution.access import SHARED, requires, signed_in
from scheduler import serial_letters, starting
from scheduler.desk.routes import TONES, blueprint
from scheduler.models import PUSH_NAMES, Plan, Push, PushState
from scheduler.serial_models import SerialLetter


@dataclass(frozen=True, slots=True)
class SerialPage:
    """How many subscribed, the plan and whether it is approved, the episodes that were told."""

    subscribers: int
    plan: Plan | None
    approved: bool
    told: list[tuple[SerialLetter, Push | None]]
    may_write: bool

    def state(self, push: Push) -> tuple[str, str]:
        """The state of a push in a word, and its tone."""
        state = PushState(push.state)
        return _(PUSH_NAMES[state]), TONES[state]


@blueprint.get("/plans/serial")
@requires("push.view")
def serial() -> str:
    """The letters of the diary."""
    with reading() as session:
        plan = serial_letters.standing(session)
        page = SerialPage(
            serials.count(session),
            plan,
            plan is not None and starting.approved(session, plan),
            serial_letters.told(session),
            signed_in().may_at(session, "push.edit", ""),
        )
        return render("scheduler/serial.html", page)


@blueprint.post("/plans/serial")
@requires("push.edit", at=SHARED)
def prepare_serial() -> ResponseReturnValue:
    """Make the plan, to be approved by a second person."""
    try:
        with transaction() as session:
            zone = service(Settings).zone
            plan = serial_letters.prepare(session, by=signed_in().id, zone=zone, now=clock.now())
            number = plan.id
    except DomainError as error:
        flash(str(error), "bad")
        return redirect(url_for("scheduler_desk.serial"))
    flash(_("计划已备好。提交审批，批准以后，新的一篇一发布就自动寄信。"), "good")
    return redirect(url_for("scheduler_desk.show", plan_id=number))
