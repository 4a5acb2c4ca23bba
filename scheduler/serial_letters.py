"""Letters of a serial: when an episode first comes out, its subscribers get one, by the outbox like any push.

A person prepares a plan for it and a second one approves it, as any plan; it is not started, but stands as the
approved pattern: each new episode becomes one push of it, which says only what was reviewed (title, summary, picture,
link). What changes the plan takes the approval away, and ending it ends the letters. Consent, refusals, caps and
allowed hours hold as for every push, and who left the diary alone gets none; an episode is told once, whatever happens
to the job.
"""

from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import Session, col, select

from campaign import lists, serials
from campaign.contacts import DIARY, EMAIL
from campaign.recurrence import LOCAL
from content import lifecycle
from content.lifecycle import PublishedPiece
from content.models import Kind
from core.database import Database, inserting
from core.errors import Conflict, Invalid
from core.i18n import gettext, mark
from scheduler import failover, followups, plans, reaching, rules, starting, windows
from scheduler.models import Plan, PlanState, Push, PushState
from scheduler.plan_form import PlanForm
from scheduler.planner import push_of
from scheduler.serial_models import SerialLetter, SerialPlan
from scheduler.settling import changed

log = structlog.get_logger()
EVERY_SECONDS = 2.0
# An episode that came out longer ago is no news any more: nobody wants a letter about last month.
FRESH = timedelta(days=3)
_STANDS = (PlanState.draft, PlanState.active)


def prepare(session: Session, *, by: int, zone: ZoneInfo, now: datetime) -> Plan:
    """The draft of the plan; Conflict while one stands, Invalid while no episode is published."""
    found = session.get(SerialPlan, Kind.diary.value)
    if found is not None and session.get_one(Plan, found.plan_id).state != PlanState.ended:
        raise Conflict(mark("已有一份寄信的计划；先结束它，才能另做一份。"))
    episodes = lifecycle.published_list(session, Kind.diary)
    if not episodes:
        raise Invalid(mark("还没有发布过日记，等第一篇发布以后再准备。"))
    listed = lists.found_or_made(session, serials.LIST, now)
    form = PlanForm(
        name=gettext("成长日记：新的一篇寄给订阅的人（批准后自动寄，不用启动）"),
        list_id=listed.id,
        channel=EMAIL,
        piece_key=episodes[-1].key,
        first_at=now.astimezone(zone).strftime(LOCAL),
    )
    plan = plans.create(session, form, by=by, now=now)
    if found is None:
        session.add(SerialPlan(serial=Kind.diary.value, plan_id=plan.id or 0, since=now))
    else:
        found.plan_id, found.since = plan.id or 0, now
        session.add(found)
    session.flush()
    return plan


def standing(session: Session) -> Plan | None:
    """The plan of the diary's letters, if there is one that was not ended."""
    found = session.get(SerialPlan, Kind.diary.value)
    plan = session.get(Plan, found.plan_id) if found else None
    return plan if plan is not None and plan.state != PlanState.ended else None


def told(session: Session) -> list[tuple[SerialLetter, Push | None]]:
    """The last episodes that were told, the latest first, each with its push."""
    query = (
        select(SerialLetter, Push)
        .join(Push, col(Push.id) == SerialLetter.push_id, isouter=True)
        .order_by(col(SerialLetter.at).desc())
        .limit(20)
    )
    return list(session.exec(query))


def tick(database: Database, zone: ZoneInfo, country: str, now: datetime) -> int:
    """Tell what came out; returns how many episodes became pushes."""
    with database.reading() as session:
        waiting = [one.key for one in _untold(session, now)]
        if not waiting or not _may_send(session, zone, country, now):
            return 0
    done = 0
    for key in waiting:
        try:
            with database.transaction() as session:
                done += tell(session, key, now) is not None
        except Exception:
            log.exception("a letter of a serial could not be planned; it is tried again")
    return done


def tell(session: Session, key: str, now: datetime) -> Push | None:
    """One push for one episode; None when it was told already, or the plan does not stand any more."""
    plan, piece = standing(session), lifecycle.published(session, key)
    if plan is None or piece is None or not starting.approved(session, plan):
        return None
    made = inserting(session.get_bind().dialect)(SerialLetter).values(piece_key=key, at=now)
    if changed(session, made.on_conflict_do_nothing(index_elements=["piece_key"])) != 1:
        return None
    at = followups.free_moment(session, plan.id or 0, now.replace(microsecond=0))
    push = push_of(plan, at, PushState.cutting, "", now)
    push.piece_key, push.subject, push.body, push.summary = key, "", "", ""
    reaching.freeze(session, plan, push).target = starting.line(session, plan)
    push.purpose = DIARY  # who left the diary alone is left out, and each letter says how to
    session.add(push)
    session.flush()
    failover.prepare(session, plan, [push])
    letter = session.get_one(SerialLetter, key)
    letter.push_id = push.id
    session.add(letter)
    session.flush()
    return push


def _untold(session: Session, now: datetime) -> list[PublishedPiece]:
    found = session.get(SerialPlan, Kind.diary.value)
    if found is None:
        return []
    known = set(session.exec(select(SerialLetter.piece_key)))
    since = max(found.since, now - FRESH)
    fresh = partial(_is_fresh, since=since, known=known)
    return [one for one in lifecycle.published_list(session, Kind.diary) if fresh(one)]


def _is_fresh(piece: PublishedPiece, *, since: datetime, known: set[str]) -> bool:
    return piece.key not in known and piece.first_published_at > since


def _may_send(session: Session, zone: ZoneInfo, country: str, now: datetime) -> bool:
    """Whether the plan stands, is approved, and it is an hour at which letters may go out."""
    plan = standing(session)
    if plan is None or plan.state not in _STANDS or not starting.approved(session, plan):
        return False
    allowed = rules.of(session, plan, country)
    return not windows.dropped(now, allowed, zone) and windows.next_allowed(now, allowed, zone) <= now
