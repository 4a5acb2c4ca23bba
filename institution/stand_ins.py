"""Stand-ins: who decides for whom while somebody is away, from when to when."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, update
from sqlmodel import Session, col, select

from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from institution import audit
from institution.approval_models import StandIn
from institution.models import Staff

LONGEST = timedelta(days=92)
audit.declare({"stand_in.set": mark("设置代审"), "stand_in.end": mark("结束代审")})


def set_up(
    session: Session,
    *,
    absent: int,
    stand_in: int,
    begins_at: datetime,
    ends_at: datetime,
    by: int,
    now: datetime,
    reason: str = "",
) -> StandIn:
    """Let `stand_in` decide for `absent`; Conflict when the absent one has another one in that time."""
    if absent == stand_in:
        raise Invalid(mark("代审人要是另一位同事。"), field="stand_in")
    for number, field in ((absent, "absent"), (stand_in, "stand_in")):
        found = session.get(Staff, number)
        if found is None or not found.active or found.system:
            raise Invalid(mark("请选择一位在用的账号。"), field=field)
    if ends_at <= begins_at or ends_at <= now:
        raise Invalid(mark("结束日期须在今天或之后，且不早于开始日期。"), field="last_day")
    if ends_at - begins_at > LONGEST:
        raise Invalid(mark("代审一次最长三个月，到期可以再设。"), field="last_day")
    _refuse_overlap(session, absent, begins_at, ends_at)
    made = StandIn(
        absent_id=absent,
        stand_in_id=stand_in,
        begins_at=begins_at,
        ends_at=ends_at,
        reason=reason.strip()[:300],
        created_by=by,
        created_at=now,
    )
    session.add(made)
    session.flush()
    after = {"absent": absent, "stand_in": stand_in, "from": begins_at, "to": ends_at}
    audit.record(session, "stand_in.set", "stand_in", made.id, after=after, note=made.reason)
    return made


def end(session: Session, stand_in_id: int, *, now: datetime) -> None:
    """Call a stand-in off; again: Conflict."""
    found = get(session, stand_in_id)
    statement = update(StandIn).where(
        col(StandIn.id) == stand_in_id, col(StandIn.ended_at).is_(None), col(StandIn.ends_at) > now
    )
    if session.execute(statement.values(ended_at=now)).rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(mark("这项代审已经结束。"))
    after = {"ended_at": now, "absent": found.absent_id, "stand_in": found.stand_in_id}
    audit.record(session, "stand_in.end", "stand_in", stand_in_id, after=after)


def get(session: Session, stand_in_id: int) -> StandIn:
    """The arrangement, or NotFound."""
    found = session.get(StandIn, stand_in_id)
    if found is None:
        raise NotFound(mark("没有找到这项代审安排。"))
    return found


def absent_for(session: Session, stand_in: int, now: datetime) -> list[int]:
    """For whom this person decides now; those whose account was closed are left out."""
    query = (
        select(StandIn.absent_id)
        .join(Staff, col(Staff.id) == col(StandIn.absent_id))
        .where(StandIn.stand_in_id == stand_in, in_force(now), col(Staff.active))
        .order_by(col(StandIn.absent_id))
    )
    return list(dict.fromkeys(session.exec(query)))


def standing_in(session: Session, absent: Sequence[int], now: datetime) -> list[tuple[int, int]]:
    """Pairs of absent person and stand-in that hold now, for these people."""
    query = select(StandIn.absent_id, StandIn.stand_in_id).where(
        col(StandIn.absent_id).in_(absent), in_force(now)
    )
    return list(session.exec(query))


def listing(session: Session, now: datetime, *, of: int | None = None) -> list[StandIn]:
    """Arrangements that hold or are to come, soonest first; `of` narrows to those a person is part of."""
    query = select(StandIn).where(col(StandIn.ended_at).is_(None), StandIn.ends_at > now)
    if of is not None:
        query = query.where(or_(col(StandIn.absent_id) == of, col(StandIn.stand_in_id) == of))
    return list(session.exec(query.order_by(col(StandIn.begins_at), col(StandIn.id))))


def in_force(now: datetime) -> ColumnElement[bool]:
    """The condition that an arrangement holds now."""
    return (col(StandIn.begins_at) <= now) & (col(StandIn.ends_at) > now) & col(StandIn.ended_at).is_(None)


def _refuse_overlap(session: Session, absent: int, begins_at: datetime, ends_at: datetime) -> None:
    # Whoever else sets one up for this person waits: otherwise two could overlap.
    session.exec(select(Staff).where(Staff.id == absent).with_for_update()).first()
    query = select(StandIn.id).where(
        StandIn.absent_id == absent,
        col(StandIn.ended_at).is_(None),
        StandIn.begins_at < ends_at,
        StandIn.ends_at > begins_at,
    )
    if session.exec(query).first() is not None:
        raise Conflict(mark("这段时间里已经有代审人，请先结束原来的安排。"), field="stand_in")
