"""Standing sources: numbers of others that come in every day by themselves, agreed to once by four eyes.

What was agreed to (`terms`) is compared each time: another account or another way of counting brings in nothing until it
is agreed to anew. A day that grows is never counted twice: what is in is known by its keys, and only the difference
becomes lines, which are fixed before they are deposited under their own name.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlmodel import Session, col, select

from core.database import Database, Prepared
from core.errors import Conflict, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import approval_kinds, approvals, audit
from institution.approval_models import Approval
from tracking.imports import lines, sources
from tracking.imports.lines import Keys, Line
from tracking.imports.models import ReachImport
from tracking.imports.standing_models import (
    APPROVED,
    ENDED,
    REJECTED,
    WAITING,
    ReachStanding,
    ReachStandingBatch,
    ReachStandingSum,
)
from tracking.recorder import Recorder

KIND, PERMISSION = "reach.standing", "reach.approve"
audit.declare(
    {
        "reach.standing": mark("申请每天自动计入别处的统计"),
        "reach.standing.end": mark("停止自动计入别处的统计"),
    }
)
_WAITING = Prepared(
    select(col(ReachStandingBatch.standing_id), col(ReachStandingBatch.number))
    .where(col(ReachStandingBatch.done).is_(False))
    .order_by(col(ReachStandingBatch.standing_id), col(ReachStandingBatch.number))
)


def find(session: Session, source: str, subject: str) -> ReachStanding | None:
    """The standing source of a subject, if there is one."""
    query = select(ReachStanding).where(ReachStanding.source == source, ReachStanding.subject == subject)
    return session.exec(query).first()


def ask(
    session: Session,
    source: str,
    subject: str,
    *,
    terms: Mapping[str, Any],
    title: str,
    place: str,
    by: int,
    now: datetime,
) -> ReachStanding:
    """Ask a second person to let the numbers of a subject in from now on; Conflict while they come in on these terms."""
    one = find(session, source, subject)
    if one is not None and covered(session, one, terms):
        raise Conflict(mark("这个账号的统计已经在自动计入。"))
    one = one or ReachStanding(
        source=sources.get(source).key, subject=subject, terms={}, title="", asked_by=by, asked_at=now
    )
    one.terms, one.title, one.outlet_code, one.state = dict(terms), title[:200], place, WAITING
    one.asked_by, one.asked_at, one.next_at, one.fault = by, now, None, ""
    session.add(one)
    session.flush()
    approvals.request(
        session, kind=KIND, subject=str(one.id), subject_hash=digest(one.terms), title=one.title, by=by, now=now,
        outlet_code=place,
    )  # fmt: skip
    audit.record(
        session, "reach.standing", "reach_standing", one.id, after={"terms": one.terms}, outlet_code=place
    )
    return one


def end(session: Session, one: ReachStanding) -> None:
    """Bring in nothing more; what is in stays in."""
    one.state, one.next_at = ENDED, None
    session.add(one)
    session.flush()
    audit.record(session, "reach.standing.end", "reach_standing", one.id, outlet_code=one.outlet_code)


def covered(session: Session, one: ReachStanding, terms: Mapping[str, Any]) -> bool:
    """Whether two people agreed to exactly these terms, and nobody ended it."""
    if one.state != APPROVED or one.terms != dict(terms):
        return False
    return (
        approvals.granted(session, kind=KIND, subject=str(one.id), subject_hash=digest(one.terms)) is not None
    )


def digest(terms: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what is agreed to."""
    return hashlib.sha256(json.dumps(dict(terms), ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def due(session: Session, source: str, now: datetime) -> list[ReachStanding]:
    """Those that are to be asked for numbers now."""
    query = select(ReachStanding).where(
        ReachStanding.source == source, ReachStanding.state == APPROVED, col(ReachStanding.next_at) <= now
    )
    return list(session.exec(query.order_by(col(ReachStanding.id))))


def take(session: Session, one: ReachStanding, now: datetime, lease: timedelta) -> bool:
    """Become the one who asks; whoever dies meanwhile is followed after the lease."""
    mine = update(ReachStanding).where(
        col(ReachStanding.id) == one.id, col(ReachStanding.next_at) == one.next_at
    )
    return session.connection().execute(mine.values(next_at=now + lease)).rowcount == 1


def bring(session: Session, number: int, day: date, sums: Mapping[Keys, int], now: datetime) -> int:
    """Bring in what a day has more (or less) than what is in; returns how many lines that makes.

    A day that an import by hand covers stays as it is there. What a source does not name any more stays, too.
    """
    one = session.get(ReachStanding, number, with_for_update=True, populate_existing=True)
    if one is None:
        raise NotFound(mark("没有找到这次导入。"))
    if _by_hand(session, one, day):
        return 0
    query = select(ReachStandingSum).where(
        ReachStandingSum.standing_id == number, ReachStandingSum.day == day
    )
    held = {(row.kind, row.piece): row for row in session.exec(query)}
    more: list[Line] = []
    for keys, quantity in sorted(sums.items()):
        row = held.get((keys.kind, keys.piece)) or ReachStandingSum(
            standing_id=number, day=day, kind=keys.kind, piece=keys.piece, quantity=0
        )
        if quantity != row.quantity:
            more.append(Line(keys, quantity - row.quantity))
            row.quantity = quantity
            session.add(row)
    if more:
        one.batches += 1
        session.add(
            ReachStandingBatch(standing_id=number, number=one.batches, lines=lines.packed(more), made_at=now)
        )
    one.last_day, one.brought_at = max(day, one.last_day or day), now
    session.add(one)
    session.flush()
    return len(more)


def note(session: Session, number: int, *, next_at: datetime, fault: str = "") -> None:
    """When to ask again, and what went wrong."""
    mine = update(ReachStanding).where(col(ReachStanding.id) == number, col(ReachStanding.state) == APPROVED)
    session.connection().execute(mine.values(next_at=next_at, fault=fault[:500]))


def deposit(database: Database, recorder: Recorder, zone: ZoneInfo) -> int:
    """Put what was brought in into the spool; returns how many batches. SpoolError when the spool is full."""
    done = 0
    for number, batch in database.ask(_WAITING, {}):
        with database.reading() as session:
            held = session.get_one(ReachStandingBatch, (number, batch))
        recorder.deposit(held.name, lines.events(held.name, lines.unpacked(held.lines), zone))
        with database.transaction() as session:
            mine = update(ReachStandingBatch).where(
                col(ReachStandingBatch.standing_id) == number, col(ReachStandingBatch.number) == batch
            )
            session.connection().execute(mine.values(done=True))
        done += 1
    return done


def _by_hand(session: Session, one: ReachStanding, day: date) -> bool:
    query = select(ReachImport.id).where(
        ReachImport.source == one.source, ReachImport.outlet_code == one.outlet_code,
        col(ReachImport.claim).is_not(None), col(ReachImport.undoes).is_(None),
        ReachImport.first_day <= day, ReachImport.last_day >= day,
    )  # fmt: skip
    return session.exec(query.limit(1)).first() is not None


def _settled(
    session: Session, approval: Approval, outcome: str, _by: int, now: datetime, _opinion: str
) -> None:
    """Agreed: numbers come in from the next round on."""
    one = session.get_one(ReachStanding, int(approval.subject))
    if one.state != WAITING:
        raise Conflict(mark("这次申请已有结论，请刷新查看。"))
    agreed = outcome == approvals.APPROVED
    one.state, one.next_at = (APPROVED, now) if agreed else (REJECTED, None)
    session.add(one)
    session.flush()


def _facts(session: Session, approval: Approval) -> Sequence[tuple[str, str]]:
    one = session.get_one(ReachStanding, int(approval.subject))
    said = [(_("来源"), _(sources.get(one.source).label)), (_("账号"), one.title)]
    said += [(_(name), str(value)) for name, value in one.terms.items()]
    said.append((_("办法"), _("每天取一次，按天计入；数量变了只写差额。手工导入过的日子不再计。")))
    return said


def _current(session: Session, approval: Approval) -> str | None:
    one = session.get(ReachStanding, int(approval.subject))
    return digest(one.terms) if one is not None and one.state == WAITING else None


def _take_back(session: Session, approval: Approval, by: int, now: datetime) -> None:
    approvals.withdraw(session, approval.id or 0, by=by, now=now)
    one = session.get_one(ReachStanding, int(approval.subject))
    one.state = ENDED
    session.add(one)
    session.flush()


approval_kinds.declare(
    approval_kinds.Kind(
        name=KIND,
        label=mark("自动计入别处的统计"),
        permission=PERMISSION,
        settled=_settled,
        facts=_facts,
        take_back=_take_back,
        current=_current,
    )
)
