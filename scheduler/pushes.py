"""What people do with a push under way: look, pause, resume, cancel, decide what was overtaken or is uncertain."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, true, update
from sqlmodel import Session, col, select

from core.errors import Conflict, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import audit
from scheduler import outbox
from scheduler.models import (
    PUSH_NAMES,
    TROUBLE,
    Batch,
    BatchState,
    Delivery,
    DeliveryState,
    Plan,
    Push,
    PushState,
)
from scheduler.plan_form import published

audit.declare(
    {
        "push.start": mark("发送过时的推送"),
        "push.skip": mark("跳过过时的推送"),
        "push.pause": mark("暂停推送"),
        "push.resume": mark("继续推送"),
        "push.cancel": mark("取消推送"),
        "push.settle": mark("确认结果不明的收件人"),
    }
)

_LARGE = 20_000  # recipients, from which on a minute of them is too many to be counted for every look


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a push is: recipients by state; `rate` sent per second; `seconds_left` None when unknown."""

    push: Push
    plan_name: str
    counts: dict[str, int]
    rate: float
    seconds_left: int | None

    @property
    def settled(self) -> int:
        """Recipients that are through."""
        waiting = self.counts.get(DeliveryState.queued, 0) + self.counts.get(DeliveryState.sending, 0)
        return sum(self.counts.values()) - waiting

    @property
    def share(self) -> float:
        """The part that is through, 0 to 1."""
        return self.settled / self.total if self.total else 0.0

    @property
    def done(self) -> int:
        """The same as `settled`."""
        return self.settled

    @property
    def total(self) -> int:
        """Recipients in all: an estimate until the push is cut to its end."""
        return max(self.push.total, sum(self.counts.values()))

    @property
    def per_second(self) -> float:
        """The same as `rate`."""
        return self.rate

    def count(self, *states: str) -> int:
        """Recipients in these states."""
        return sum(self.counts.get(state, 0) for state in states)


def get(session: Session, push_id: int) -> Push:
    """The push, or NotFound."""
    push = session.get(Push, push_id)
    if push is None:
        raise NotFound(mark("没有找到这次推送。"))
    return push


def progress(session: Session, push_id: int, now: datetime) -> Progress:
    """How far a push is."""
    push = get(session, push_id)
    counts = _counts(session, push_id)
    rate = _rate(session, push, now)
    left = counts[DeliveryState.queued] + counts[DeliveryState.sending]
    if not push.whole:
        left += max(0, push.total - sum(counts.values()))
    running = push.state == PushState.running and rate > 0
    plan = session.get_one(Plan, push.plan_id)
    return Progress(push, plan.name, dict(counts), rate, int(left / rate) + 1 if running and left else None)


def _counts(session: Session, push_id: int) -> "Counter[str]":
    """Recipients by state: settled batches know theirs, only the rows of the others are counted."""
    figures = [func.sum(getattr(Batch, name)) for name in outbox.FIGURES]
    settled = session.execute(select(*figures).where(Batch.push_id == push_id, col(Batch.sent).is_not(None)))
    known = zip(outbox.FIGURES, settled.one(), strict=True)
    opened = select(Batch.id).where(Batch.push_id == push_id, col(Batch.sent).is_(None))
    rows = session.exec(
        select(Delivery.state, func.count())
        .where(col(Delivery.batch_id).in_(opened))
        .group_by(Delivery.state)
    )
    return Counter({name: count for name, count in known if count}) + Counter(dict(rows.all()))


def latest(
    session: Session,
    limit: int = 50,
    plan_id: int | None = None,
    condition: ColumnElement[bool] | None = None,
) -> list[tuple[Push, str]]:
    """The latest pushes with the names of their plans; `condition` narrows to a part of the tree."""
    query = (
        select(Push, Plan.name)
        .join(Plan, col(Plan.id) == Push.plan_id)
        .where(true() if condition is None else condition)
        .order_by(col(Push.id).desc())
    )
    if plan_id is not None:
        query = query.where(Push.plan_id == plan_id)
    return [(push, name) for push, name in session.exec(query.limit(limit))]


def waiting_for_people(session: Session, condition: ColumnElement[bool] | None = None) -> int:
    """Pushes (of a part of the tree) that need a person: overtaken, stopped, or with uncertain recipients."""
    doubtful = select(Delivery.push_id).where(TROUBLE, Delivery.state == DeliveryState.uncertain)
    query = (
        select(func.count())
        .select_from(Push)
        .where(
            true() if condition is None else condition,
            (col(Push.state) == PushState.overtaken)
            | ((col(Push.state) == PushState.paused) & (col(Push.reason) != ""))
            | col(Push.id).in_(doubtful),
        )
    )
    return session.exec(query).one()


def batches(session: Session, push_id: int) -> list[Batch]:
    """The batches of a push in their order."""
    return list(session.exec(select(Batch).where(Batch.push_id == push_id).order_by(col(Batch.number))))


def troubles(session: Session, push_id: int, limit: int = 100) -> list[Delivery]:
    """Recipients that failed, are uncertain, or wait for another try."""
    waiting = select(Batch.id).where(
        Batch.push_id == push_id, col(Batch.state).in_((BatchState.queued, BatchState.claimed))
    )
    query = (
        select(Delivery)
        .where(
            (col(Delivery.push_id) == push_id)
            & TROUBLE
            & col(Delivery.state).in_((DeliveryState.failed, DeliveryState.uncertain))
            | col(Delivery.batch_id).in_(waiting)
            & (col(Delivery.state) == DeliveryState.queued)
            & (col(Delivery.attempts) > 0),
        )
        .order_by(col(Delivery.state).desc(), col(Delivery.id))
        .limit(limit)
    )
    return list(session.exec(query))


def start_overtaken(session: Session, push_id: int, now: datetime) -> None:
    """Send an overtaken push after all."""
    _move(session, "push.start", push_id, (PushState.overtaken,), PushState.cutting, now=now)


def skip_overtaken(session: Session, push_id: int, now: datetime) -> None:
    """Do not send an overtaken push."""
    _move(session, "push.skip", push_id, (PushState.overtaken,), PushState.skipped, now=now)


def pause(session: Session, push_id: int, now: datetime) -> None:
    """Stop handing messages over; what was begun is finished, the rest waits."""
    _move(session, "push.pause", push_id, (PushState.running,), PushState.paused, now=now)


def resume(session: Session, push_id: int, now: datetime) -> None:
    """Go on where it stopped: who has it already does not get it again. Invalid while its piece is off the site."""
    push = get(session, push_id)
    if push.piece_key:
        published(session, push.piece_key)
    after = PushState.running if push.started_at else PushState.cutting
    _move(session, "push.resume", push_id, (PushState.paused,), after, now=now)
    session.execute(update(Push).where(col(Push.id) == push_id).values(started_at=now, tried=0, misses=0))
    waiting = update(Batch).where(col(Batch.push_id) == push_id, col(Batch.state) == BatchState.queued)
    session.execute(waiting.values(not_before=now, attempts=0, reason=""))
    outbox.finish_if_done(session, push_id, now)


def cancel(session: Session, push_id: int, now: datetime) -> None:
    """Send nothing more of a push; a message being handed over right now still ends as it ends."""
    _move(
        session, "push.cancel", push_id, (PushState.running, PushState.paused), PushState.cancelled, now=now
    )
    cancel_rest(session, push_id, now)


def cancelled_rest(session: Session) -> list[int]:
    """Cancelled pushes with batches that a worker let go of afterwards."""
    query = (
        select(Batch.push_id)
        .join(Push, col(Push.id) == Batch.push_id)
        .where(Push.state == PushState.cancelled, Batch.state == BatchState.queued)
        .distinct()
    )
    return list(session.exec(query))


def cancel_rest(session: Session, push_id: int, now: datetime) -> None:
    """Cancel the waiting batches of a cancelled push."""
    query = select(Batch.id).where(Batch.push_id == push_id, Batch.state == BatchState.queued)
    for batch_id in session.exec(query).all():
        taken = update(Batch).where(col(Batch.id) == batch_id, col(Batch.state) == BatchState.queued)
        if not session.execute(taken.values(reason="")).rowcount:  # type: ignore[attr-defined]
            continue
        rows = update(Delivery).where(
            col(Delivery.batch_id) == batch_id, col(Delivery.state) == DeliveryState.queued
        )
        session.execute(rows.values(state=DeliveryState.cancelled, settled_at=now))
        outbox.release(session, batch_id or 0, now=now)


def settle_uncertain(
    session: Session, push_id: int, delivery_ids: Sequence[int] | None, *, resend: bool, now: datetime
) -> int:
    """A person decides: sent, or send again. None: all uncertain ones of the push. Returns how many."""
    push = get(session, push_id)
    chosen = [col(Delivery.push_id) == push_id, TROUBLE, col(Delivery.state) == DeliveryState.uncertain]
    if delivery_ids is not None:
        chosen.append(col(Delivery.id).in_(delivery_ids))
    touched = set(session.exec(select(Delivery.batch_id).where(*chosen).distinct()))
    if resend and push.state == PushState.cancelled:
        raise Conflict(mark("这次推送已取消，不能再发。"))
    values: dict[str, object] = {"state": DeliveryState.sent, "settled_at": now}
    if resend:
        values = {"state": DeliveryState.queued, "settled_at": None, "attempts": 0, "call": None}
    changed = int(session.execute(update(Delivery).where(*chosen).values(reason="", **values)).rowcount)  # type: ignore[attr-defined]
    for batch_id in sorted(touched):
        outbox.reassess(session, batch_id, now)
    if resend and changed:
        again = update(Push).where(col(Push.id) == push_id, col(Push.state) == PushState.done)
        session.execute(again.values(state=PushState.running, finished_at=None))
    if changed:
        audit.record(
            session, "push.settle", "push", push_id, after={"recipients": changed, "resend": resend},
            outlet_code=push.outlet_code,
        )  # fmt: skip
    return changed


def _move(
    session: Session, action: str, push_id: int, old: tuple[PushState, ...], new: PushState, *, now: datetime
) -> None:
    """Move a push by conditional UPDATE, so that of two people one succeeds, and write it down."""
    before = session.exec(select(Push.state).where(Push.id == push_id)).first()
    values: dict[str, object] = {"state": new, "reason": ""}
    if new in (PushState.skipped, PushState.cancelled):
        values["finished_at"] = now
    statement = update(Push).where(col(Push.id) == push_id, col(Push.state).in_(old)).values(**values)
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]
        state = get(session, push_id).state
        raise Conflict(
            mark("推送现在是“%(state)s”，不能这样操作，请刷新页面。"), state=_(PUSH_NAMES[PushState(state)])
        )
    code = get(session, push_id).outlet_code
    after = {"state": new}
    audit.record(session, action, "push", push_id, before={"state": before}, after=after, outlet_code=code)


def _rate(session: Session, push: Push, now: datetime) -> float:
    """Recipients sent to per second, over the last minute; of a large push, those of the batches that ended."""
    since = max(push.started_at or now, datetime.fromtimestamp(now.timestamp() - 60, tz=now.tzinfo))
    span = (now - since).total_seconds()
    if span <= 0:
        return 0.0
    query = select(func.count()).where(
        Delivery.push_id == push.id, Delivery.state == DeliveryState.sent, col(Delivery.settled_at) >= since
    )
    if push.total > _LARGE:
        query = select(func.coalesce(func.sum(Batch.size), 0)).where(
            Batch.push_id == push.id, col(Batch.settled_at) >= since
        )
    return session.exec(query).one() / max(span, 1.0)
