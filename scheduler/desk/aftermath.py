"""After a push: what it led to, who did not get it as a list and a file, and sending again what is worth it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign import audience
from core import clock
from core.cells import to_csv
from core.errors import Invalid
from core.http import attachment, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from institution import audit
from institution.access import requires, signed_in
from scheduler import after, after_reach, pushes
from scheduler.after import Failure
from scheduler.after_reach import Steps
from scheduler.channels import registry
from scheduler.desk.routes import blueprint, push_place
from scheduler.models import Delivery, DeliveryState, Push, PushState
from scheduler.retrying import retry_failed
from tracking.definition import KIND_NAMES
from tracking.funnel import STEPS
from tracking.store import ReachStore

PAGE, _FILE = 50, 50_000  # rows of a page, and of a file
audit.declare({"push.export": mark("导出没有送达的收件人（脱敏）")})


@dataclass(frozen=True, slots=True)
class FailedRow:
    """Somebody who did not get it: the masked address, why, what to do, how often it was tried."""

    id: int
    address: str
    reason: str
    next_step: str
    attempts: int
    outlet: str


@dataclass(frozen=True, slots=True)
class AfterPage:
    """What came of a push; `following` is the number after which the next page of `failed` begins, 0 at the end."""

    push: Push
    plan_name: str
    channel: str
    sent: int
    count: int
    steps: Steps | None
    kinds: Sequence[tuple[str, str]]
    failures: Sequence[Failure]
    failed: Sequence[FailedRow]
    following: int
    may_run: bool

    @property
    def may_retry(self) -> bool:
        """Whether failed ones may be sent again."""
        return self.may_run and self.push.state != PushState.cancelled and bool(self.failures)


@blueprint.get("/pushes/<int:push_id>/after")
@requires("push.view", at=push_place)
def push_after(push_id: int) -> ResponseReturnValue:
    """What came of a push."""
    text = request.args.get("from", "0")
    start = int(text) if text.isdecimal() and len(text) < 18 else 0
    with reading() as session:
        return render("scheduler/push_after.html", _page(session, push_id, start))


@blueprint.get("/pushes/<int:push_id>/failed.csv")
@requires("push.view", at=push_place)
def export_failed(push_id: int) -> ResponseReturnValue:
    """Who did not get it as a file, masked; that it was taken out is written down."""
    with transaction() as session:
        push = pushes.get(session, push_id)
        rows = _rows(session, push, after.failed(session, push_id, limit=_FILE))
        said = {"rows": len(rows)}
        audit.record(session, "push.export", "push", push_id, after=said, outlet_code=push.outlet_code)
    heading = [_("收件人"), _("网点"), _("原因"), _("试过"), _("下一步")]
    lines = [(one.address, one.outlet, one.reason, one.attempts, one.next_step) for one in rows]
    return attachment(to_csv(heading, lines), f"push-{push_id}-failed.csv")


@blueprint.post("/pushes/<int:push_id>/retry")
@requires("push.run", at=push_place)
def retry(push_id: int) -> ResponseReturnValue:
    """Send again to those who failed for the reasons that were ticked, by the numbers that the page gave them."""
    with transaction() as session:
        known = [one.reason for one in after.failures(session, push_id)]
        ticked = [one for one in known if after.number_of(one) in request.form.getlist("reason")]
        if not ticked:
            raise Invalid(mark("请至少勾选一种原因。"), field="reason")
        count = retry_failed(session, push_id, ticked, clock.now(), signed_in().id)
        paused = pushes.get(session, push_id).state == PushState.paused
    said = _("%(count)s 人将再发一次；已经退订或地址已关闭的不发。", count=count)
    if not count:
        said = _("没有可以再发的人：他们已经退订，或者地址已关闭。")
    flash(said + (_("推送暂停着，请点“继续”。") if count and paused else ""), "good" if count else "warn")
    return redirect(url_for(".push", push_id=push_id), code=303)


def _page(session: Session, push_id: int, start: int) -> AfterPage:
    now = pushes.progress(session, push_id, clock.now())
    push, settings = now.push, service(Settings)
    found = after.failed(session, push_id, after=start, limit=PAGE + 1)
    return AfterPage(
        push=push,
        plan_name=now.plan_name,
        channel=registry.label(push.channel),
        sent=now.count(DeliveryState.sent),
        count=now.count(DeliveryState.failed),
        steps=after_reach.steps(
            session, service(ReachStore), push, settings.zone, clock.today(settings.zone)
        ),
        kinds=[(kind, _(KIND_NAMES[kind])) for kind in STEPS],
        failures=after.failures(session, push_id),
        failed=_rows(session, push, found[:PAGE]),
        following=(found[PAGE - 1].id or 0) if len(found) > PAGE else 0,
        may_run=signed_in().may_at(session, "push.run", push.outlet_code),
    )


def _rows(session: Session, push: Push, found: Sequence[Delivery]) -> list[FailedRow]:
    masked = {0: _("群")}
    for start in range(0, len(found) if push.list_id is not None else 0, 1000):
        people = [one.contact_id for one in found[start : start + 1000]]
        masked |= audience.masked_addresses(session, service(Vault), push.channel, people)
    return [
        FailedRow(
            one.id or 0,
            masked.get(one.contact_id, "—"),
            _(one.reason),
            _(after.next_step(one.reason)),
            one.attempts,
            one.outlet_code,
        )
        for one in found
    ]
