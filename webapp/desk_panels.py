"""What waits on the desk's first page, and who is told when the tree of outlets changes: plugged together."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from content import pages
from content.models import Piece, Revision, State
from core.http import service
from core.i18n import gettext as _
from core.settings import Settings
from institution import approval_search, desk_home, outlet_changes
from institution.access import SignedIn
from institution.approval_models import Approval
from institution.approval_search import MINE, Filter
from institution.desk_home import Entry, Panel
from institution.personal_models import READY, PrivacyRequest
from scheduler.models import Batch, BatchState, Plan, PlanApproval, PlanState, Push, PushState
from tracking import keeping, links
from tracking.watching import alarms
from tracking.watching.models import ReachAlarm
from tracking.watching.rules import KINDS
from webapp import desk_content_panels, desk_event_panels, desk_figures

_FIRST = 5
_RECENT = timedelta(days=14)
_SOON = timedelta(days=1)


def plug() -> None:
    """Plug the panels in, in the order in which they are shown; again: changes nothing."""
    for maker in (
        reviews,
        desk_content_panels.withdrawn,
        collecting,
        odd_visits,
        uncertain,
        failed,
        overtaken,
        stopped,
        returned,
        publishable,
        startable,
        takeable,
        desk_event_panels.to_approve,
        desk_event_panels.to_call,
        desk_event_panels.to_verify,
        desk_event_panels.to_mend,
        desk_content_panels.due,
    ):
        desk_home.plug(maker)
    desk_figures.plug()
    outlet_changes.on_change(pages.bump)  # an outlet's public page shows what the tree says
    links.on_change(pages.bump)  # … and its QR code, which is a short link where there is one


def reviews(session: Session, person: SignedIn, now: datetime) -> Panel | None:
    """Requests of every kind that this person may decide, what is overdue first."""
    who = approval_search.viewer(session, person.id, person.powers, now)
    count = approval_search.count(session, who, Filter())
    if not count:
        return None
    first = approval_search.first(session, who, Filter(), _FIRST)
    return Panel(_("等我审批"), "/desk/approvals", count, [_asked(one, now) for one in first])


def _asked(one: Approval, now: datetime) -> Entry:
    note, tone = _("待审批"), "warn"
    if one.due_at is not None and one.due_at <= now:
        note, tone = _("已超期"), "bad"
    elif one.due_at is not None and one.due_at - now <= _SOON:
        note = _("一天内到期")
    return Entry(one.title, f"/desk/approvals/{one.id}", note, tone)


def returned(session: Session, person: SignedIn, now: datetime) -> Panel | None:
    """My own requests that came back lately with a wish or a refusal, unless I asked again."""
    again = (
        select(func.max(Approval.id))
        .where(Approval.requested_by == person.id)
        .group_by(Approval.kind, Approval.subject)
    )
    query = select(Approval).where(
        Approval.requested_by == person.id,
        col(Approval.decision).in_(("changes", "rejected")),
        col(Approval.decided_at) > now - _RECENT,
        col(Approval.id).in_(again),
    )
    rows = list(session.exec(query.order_by(col(Approval.decided_at).desc())))
    entries = [
        Entry(
            one.title,
            f"/desk/approvals/{one.id}",
            _("要求修改") if one.decision == "changes" else _("已否决"),
        )
        for one in rows[:_FIRST]
    ]
    return Panel(_("退回给我的申请"), f"/desk/approvals?box={MINE}", len(rows), entries)


def publishable(session: Session, person: SignedIn, _now: datetime) -> Panel | None:
    """Revisions that were approved and are not on the site yet."""
    if not person.may("content.publish"):
        return None
    query = (
        select(Revision)
        .join(Piece, col(Piece.key) == col(Revision.piece_key))
        .where(Revision.state == State.approved, person.scope("content.publish").condition(Piece.outlet_code))
    )
    ready = list(session.exec(query.order_by(col(Revision.id).desc())))
    entries = [
        Entry(one.title, f"/desk/pieces/{one.piece_key}", _("可以发布"), "good") for one in ready[:_FIRST]
    ]
    return Panel(_("已通过，等待发布"), "/desk/pieces?state=approved", len(ready), entries)


def uncertain(session: Session, person: SignedIn, _now: datetime) -> Panel | None:
    """Pushes with recipients of whom only a person can tell whether they were reached."""
    found = select(Batch.push_id).where(Batch.state == BatchState.uncertain)
    rows = _pushes(session, person, col(Push.id).in_(found))
    entries = [
        Entry(_title(one), f"/desk/pushes/{one.id}", _("结果不明，请核对"), "bad") for one in rows[:_FIRST]
    ]
    return Panel(_("推送结果不明"), "/desk/plans", len(rows), entries)


def failed(session: Session, person: SignedIn, now: datetime) -> Panel | None:
    """Pushes of the last days of which a part failed."""
    found = select(Batch.push_id).where(
        Batch.state == BatchState.failed, col(Batch.settled_at) > now - timedelta(days=3)
    )
    rows = _pushes(session, person, col(Push.id).in_(found))
    entries = [
        Entry(_title(one), f"/desk/pushes/{one.id}", _("有一部分没有发出"), "bad") for one in rows[:_FIRST]
    ]
    return Panel(_("推送失败"), "/desk/plans", len(rows), entries)


def overtaken(session: Session, person: SignedIn, _now: datetime) -> Panel | None:
    """Firings that were found too late and wait for a decision."""
    rows = _pushes(session, person, col(Push.state) == PushState.overtaken)
    entries = [Entry(_title(one), f"/desk/pushes/{one.id}", _("已过时，发还是不发")) for one in rows[:_FIRST]]
    return Panel(_("错过时间的推送"), "/desk/plans", len(rows), entries)


def stopped(session: Session, person: SignedIn, _now: datetime) -> Panel | None:
    """Plans that were stopped by themselves because their approval no longer covers them."""
    rows = _plans(session, person, "push.edit", col(Plan.state) == PlanState.paused, col(Plan.reason) != "")
    entries = [Entry(one.name, f"/desk/plans/{one.id}", _("要重新提交审批"), "bad") for one in rows[:_FIRST]]
    return Panel(_("停下的推送计划"), "/desk/plans?state=paused", len(rows), entries)


def startable(session: Session, person: SignedIn, _now: datetime) -> Panel | None:
    """Plans that were approved and wait to be started."""
    waiting = (col(Plan.state) == PlanState.draft, col(Plan.approval) == PlanApproval.approved)
    rows = _plans(session, person, "push.run", *waiting)
    entries = [Entry(one.name, f"/desk/plans/{one.id}", _("可以启动"), "good") for one in rows[:_FIRST]]
    return Panel(_("已批准，等待启动"), "/desk/plans?state=draft", len(rows), entries)


def _plans(
    session: Session, person: SignedIn, permission: str, *conditions: ColumnElement[bool]
) -> list[Plan]:
    """The plans of the person's part of the tree that fit, the latest first."""
    if not person.may(permission):
        return []
    query = select(Plan).where(person.scope(permission).condition(Plan.outlet_code), *conditions)
    return list(session.exec(query.order_by(col(Plan.id).desc())))


def _pushes(session: Session, person: SignedIn, condition: object) -> list[Push]:
    """The pushes of the person's part of the tree that fit, the latest first."""
    if not person.may("push.run"):
        return []
    query = select(Push).where(condition, person.scope("push.run").condition(Push.outlet_code))  # type: ignore[arg-type]
    return list(session.exec(query.order_by(col(Push.due_at).desc())))


def _title(push: Push) -> str:
    return push.subject or push.piece_key or _("推送 %(number)s") % {"number": push.id}


def takeable(session: Session, person: SignedIn, now: datetime) -> Panel | None:
    """Exports of personal data that this person asked for and may now take, once."""
    if not person.may("privacy.request"):
        return None
    query = select(PrivacyRequest).where(
        PrivacyRequest.requested_by == person.id,
        PrivacyRequest.state == READY,
        col(PrivacyRequest.ready_until) > now,
    )
    rows = list(session.exec(query.order_by(col(PrivacyRequest.ready_until))))
    entries = [Entry(one.masked, f"/desk/privacy/{one.id}", _("可以下载"), "good") for one in rows[:_FIRST]]
    return Panel(_("个人信息可以下载"), "/desk/privacy?state=ready", len(rows), entries)


def collecting(_session: Session, person: SignedIn, now: datetime) -> Panel | None:
    """What keeps reach from being counted: a spool that waits, lines set aside, a disk that is nearly full."""
    if not person.scope("reach.view").whole:
        return None
    said = keeping.spooled(service(Settings).spool_dir, now.timestamp()).warnings(now.timestamp())
    entries = [Entry(one, "/desk/reach/keeping", _("请查看"), "bad") for one in said[:_FIRST]]
    return Panel(_("触达收集异常"), "/desk/reach/keeping", len(said), entries)


def odd_visits(session: Session, person: SignedIn, _now: datetime) -> Panel | None:
    """Alarms about visits in this person's part of the tree that nobody has taken care of."""
    if not person.may("reach.edit"):
        return None
    scope = person.scope("reach.edit")
    number = alarms.count(session, scope)
    if not number:
        return None
    query = alarms.query(scope, alarms.Filter()).order_by(col(ReachAlarm.first).desc(), col(ReachAlarm.id))
    rows = list(session.exec(query.limit(_FIRST)))
    words = alarms.Words(session, rows)
    entries = [Entry(words.who(one), f"/desk/reach/alarms/{one.id}", _(KINDS[one.kind])) for one in rows]
    return Panel(_("触达预警"), "/desk/reach/alarms", number, entries)
