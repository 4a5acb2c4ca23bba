"""What waits on the desk's first page, and who is told when the tree of outlets changes: plugged together."""

from datetime import datetime

from sqlmodel import Session, col, select

from content import history, lifecycle, pages
from content.models import State
from core.i18n import gettext as _
from institution import approvals, desk_home, outlet_changes
from institution.access import SignedIn
from institution.desk_home import Entry, Panel
from scheduler.models import Batch, BatchState, Push, PushState

_FIRST = 5


def plug() -> None:
    """Plug the panels in, in the order in which they are shown; again: changes nothing."""
    for maker in (reviews, uncertain, overtaken, publishable):
        desk_home.plug(maker)
    outlet_changes.on_change(pages.bump)  # an outlet's public page shows what the tree says


def reviews(session: Session, person: SignedIn, _now: datetime) -> Panel | None:
    """Requests that this person may decide."""
    if not person.may("content.approve"):
        return None
    waiting = approvals.waiting(session, kinds=[lifecycle.APPROVAL_KIND], not_by=person.id)
    entries = [Entry(one.title, "/desk/approvals", _("待审批")) for one in waiting[:_FIRST]]
    return Panel(_("等我审批"), "/desk/approvals", len(waiting), entries)


def publishable(session: Session, person: SignedIn, _now: datetime) -> Panel | None:
    """Revisions that were approved and are not on the site yet."""
    if not person.may("content.publish"):
        return None
    ready = [one for one in history.newest_of_all(session) if one.state == State.approved]
    entries = [
        Entry(one.title, f"/desk/pieces/{one.piece_key}", _("可以发布"), "good") for one in ready[:_FIRST]
    ]
    return Panel(_("已通过，等待发布"), "/desk/pieces?state=approved", len(ready), entries)


def uncertain(session: Session, person: SignedIn, _now: datetime) -> Panel | None:
    """Pushes with recipients of whom only a person can tell whether they were reached."""
    if not person.may("push.run"):
        return None
    found = select(Batch.push_id).where(Batch.state == BatchState.uncertain)
    rows = list(session.exec(select(Push).where(col(Push.id).in_(found)).order_by(col(Push.due_at).desc())))
    entries = [
        Entry(_title(one), f"/desk/pushes/{one.id}", _("结果不明，请核对"), "bad") for one in rows[:_FIRST]
    ]
    return Panel(_("推送结果不明"), "/desk/plans", len(rows), entries)


def overtaken(session: Session, person: SignedIn, _now: datetime) -> Panel | None:
    """Firings that were found too late and wait for a decision."""
    if not person.may("push.run"):
        return None
    query = select(Push).where(Push.state == PushState.overtaken).order_by(col(Push.due_at))
    rows = list(session.exec(query))
    entries = [Entry(_title(one), f"/desk/pushes/{one.id}", _("已过时，发还是不发")) for one in rows[:_FIRST]]
    return Panel(_("错过时间的推送"), "/desk/plans", len(rows), entries)


def _title(push: Push) -> str:
    return push.subject or push.piece_key or _("推送 %(number)s") % {"number": push.id}
