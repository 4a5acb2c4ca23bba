"""Pushes at the desk: live progress, batches, failures with their next step, decisions only people make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign import audience
from core import clock
from core.errors import Invalid
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from institution.access import requires, signed_in
from scheduler import after, failover, outcomes, pushes
from scheduler.after import Failure, Read, Told
from scheduler.channels import registry
from scheduler.desk.booster import Boosting, boosting
from scheduler.desk.plans import push_row
from scheduler.desk.routes import blueprint, push_place
from scheduler.failover import Taken
from scheduler.models import (
    BATCH_NAMES,
    DELIVERY_NAMES,
    Batch,
    BatchState,
    Delivery,
    DeliveryState,
    PushState,
)
from scheduler.pushes import Progress
from tracking.store import ReachStore

_MOVING = (PushState.cutting, PushState.running)
_BATCH_TONES = {
    BatchState.queued: "idle",
    BatchState.claimed: "info",
    BatchState.sent: "good",
    BatchState.partial: "warn",
    BatchState.failed: "bad",
    BatchState.uncertain: "warn",
    BatchState.cancelled: "idle",
}
_NEXT_STEPS = {
    DeliveryState.uncertain: mark("问一问收件人，或查邮件服务器日志，再决定。"),
    DeliveryState.queued: mark("会自动再试。"),
}


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch as the page shows it."""

    batch: Batch
    state: str
    tone: str
    reason: str
    next_try: datetime | None
    account: str = ""


@dataclass(frozen=True, slots=True)
class TroubleRow:
    """A recipient who did not get it (yet): masked address, reason, what to do."""

    id: int
    address: str
    state: str
    uncertain: bool
    reason: str
    attempts: int
    next_step: str


@dataclass(frozen=True, slots=True)
class PushPage:
    """A push and all that can be said of it now."""

    progress: Progress
    state: str
    tone: str
    channel: str
    moving: bool
    reason: str
    left: str
    batches: Sequence[BatchRow]
    troubles: Sequence[TroubleRow]
    may_run: bool
    failures: Sequence[Failure] = ()
    unsubscribed: int = 0
    to_group: bool = False
    opened: int | None = None
    booster: Boosting | None = None
    read: Read | None = None
    told: Told | None = None
    taken: Taken | None = None

    @property
    def uncertain(self) -> int:
        """How many recipients nobody can tell about."""
        return self.progress.count(DeliveryState.uncertain)


@blueprint.get("/pushes/<int:push_id>")
@requires("push.view", at=push_place)
def push(push_id: int) -> ResponseReturnValue:
    """One push."""
    with reading() as session:
        page = _page(session, push_id)
    return render("scheduler/push.html", page)


@blueprint.get("/pushes/<int:push_id>/progress")
@requires("push.view", at=push_place)
def progress(push_id: int) -> ResponseReturnValue:
    """The figures of a push as JSON, for the page that keeps itself fresh."""
    with reading() as session:
        now = pushes.progress(session, push_id, clock.now())
    return jsonify(
        {
            "state": now.push.state,
            "settled": now.settled,
            "total": now.push.total,
            "share": round(now.share, 4),
            "sent": now.count(DeliveryState.sent),
            "failed": now.count(DeliveryState.failed),
            "uncertain": now.count(DeliveryState.uncertain),
            "waiting": now.count(DeliveryState.queued, DeliveryState.sending),
            "refused": now.count(DeliveryState.refused),
            "rate": f"{now.rate:.1f}",
            "left": _left(now.seconds_left),
            "moving": now.push.state in _MOVING,
        }
    )


@blueprint.post("/pushes/<int:push_id>/<any(start, skip, pause, resume, cancel):action>")
@requires("push.run", at=push_place)
def act_on_push(push_id: int, action: str) -> ResponseReturnValue:
    """Decide an overtaken push; pause, resume or cancel one under way."""
    act, said = _ACTIONS[action]
    with transaction() as session:
        act(session, push_id, clock.now())
    flash(_(said), "good")
    return redirect(url_for(".push", push_id=push_id), code=303)


@blueprint.post("/pushes/<int:push_id>/uncertain")
@requires("push.run", at=push_place)
def settle(push_id: int) -> ResponseReturnValue:
    """Settle what is in doubt: of one recipient (`id`) or of all, as sent or to be sent again."""
    decision, chosen = request.form.get("decision"), request.form.get("id", "")
    if decision not in ("sent", "resend"):
        raise Invalid(mark("请选择“算已送达”或“再发一次”。"))
    ids = [int(chosen)] if chosen.isdigit() else None
    with transaction() as session:
        count = pushes.settle_uncertain(session, push_id, ids, resend=decision == "resend", now=clock.now())
    said = _("%(count)s 人将再发一次。") if decision == "resend" else _("%(count)s 人已记为送达。")
    flash(said % {"count": count}, "good")
    return redirect(url_for(".push", push_id=push_id), code=303)


_ACTIONS: dict[str, tuple[Callable[[Session, int, datetime], None], str]] = {
    "start": (pushes.start_overtaken, mark("马上开始推送。")),
    "skip": (pushes.skip_overtaken, mark("这一次不发了。")),
    "pause": (pushes.pause, mark("已暂停，正在发的一封发完就停。")),
    "resume": (pushes.resume, mark("继续推送，已经收到的人不会再收到。")),
    "cancel": (pushes.cancel, mark("已取消，没发的不再发。")),
}


def _page(session: Session, push_id: int) -> PushPage:
    found = pushes.progress(session, push_id, clock.now())
    row = push_row(found.push, found.plan_name)
    troubles = pushes.troubles(session, push_id)
    masked = {0: _("群")}
    if not registry.to_group(found.push.channel):
        people = [one.contact_id for one in troubles]
        masked = audience.masked_addresses(session, service(Vault), found.push.channel, people)
    taken = failover.taken(session, push_id)
    return PushPage(
        progress=found,
        state=row.state,
        tone=row.tone,
        channel=registry.label(found.push.channel),
        to_group=registry.to_group(found.push.channel),
        opened=outcomes.opened(session, push_id) if outcomes.tells_openings(found.push.channel) else None,
        booster=boosting(session, found),
        moving=found.push.state in _MOVING,
        reason=_(found.push.reason),
        left=_left(found.seconds_left),
        batches=[_batch(batch, taken) for batch in pushes.batches(session, push_id)],
        taken=taken,
        troubles=[_trouble(one, masked.get(one.contact_id, "—")) for one in troubles],
        failures=after.failures(session, push_id),
        unsubscribed=after.unsubscribed(session, found.push),
        told=after.told(session, push_id),
        read=after.read(session, service(ReachStore), found.push, service(Settings).zone),
        may_run=signed_in().may_at(session, "push.run", found.push.outlet_code),
    )


def _batch(batch: Batch, taken: Taken | None) -> BatchRow:
    state = BatchState(batch.state)
    later = batch.not_before if state == BatchState.queued and batch.attempts else None
    account = taken.account if taken is not None and batch.account_id else ""
    return BatchRow(batch, _(BATCH_NAMES[state]), _BATCH_TONES[state], _(batch.reason), later, account)


def _trouble(one: Delivery, address: str) -> TroubleRow:
    state = DeliveryState(one.state)
    return TroubleRow(
        id=one.id or 0,
        address=address,
        state=_(DELIVERY_NAMES[state]),
        uncertain=state == DeliveryState.uncertain,
        reason=_(one.reason),
        attempts=one.attempts,
        next_step=_(
            after.next_step(one.reason) if state == DeliveryState.failed else _NEXT_STEPS.get(state, "")
        ),
    )


def _left(seconds: int | None) -> str:
    """The time that is left, as people say it."""
    if seconds is None:
        return "—"
    if seconds < 90:
        return _("约 %(count)s 秒", count=seconds)
    if seconds < 5400:
        return _("约 %(count)s 分钟", count=round(seconds / 60))
    return _("约 %(count)s 小时", count=round(seconds / 3600))
