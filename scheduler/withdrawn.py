"""What a withdrawn piece stops: plans and pushes that carry it or link to it. `webapp` plugs this into content.

Who is sending looks at the state of its push before every group, so that nothing more of it goes out; the letter of the
next batch is not written either (`plan_form.published`), and nothing is cut of a push whose piece is gone.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import update
from sqlmodel import Session, col, select

from content.history import published_revision
from content.off_site.withdrawing import Concern
from core.i18n import gettext as _
from core.i18n import mark
from institution import audit
from scheduler import starting
from scheduler.models import Plan, PlanState, Push, PushState

REASON = mark("内容已从网站撤下，没有再发。重新审查、发布以后可以继续。")
_UNDER_WAY = (PushState.cutting, PushState.running)
Carrier = TypeVar("Carrier", Plan, Push)


def halt(session: Session, key: str, now: datetime) -> None:
    """Pause every active plan and every push under way that carries the piece or links to it."""
    for plan in _plans(session, key):
        if starting.stop(session, plan.id or 0, REASON, now):
            _record(session, "plan.stop", "plan", plan, PlanState.active)
    for push in _pushes(session, key):
        stop_push(session, push)


def concerned(session: Session, key: str, _now: datetime) -> list[Concern]:
    """The plans and pushes that would stop."""
    plans = [
        Concern(_("推送计划：%(name)s", name=one.name), _("暂停，写明原因"), f"/desk/plans/{one.id}")
        for one in _plans(session, key)
    ]
    pushes = [
        Concern(
            _("正在推送：%(name)s", name=one.subject or one.piece_key),
            _("从下一组起不再发出"),
            f"/desk/pushes/{one.id}",
        )
        for one in _pushes(session, key)
    ]
    return [*pushes, *plans]


def stopped(session: Session, push: Push) -> bool:
    """Whether nothing may be cut of a push because its piece is not on the site; it is paused then."""
    if not push.piece_key or published_revision(session, push.piece_key) is not None:
        return False
    stop_push(session, push)
    return True


def stop_push(session: Session, push: Push) -> None:
    """Pause a push under way, with the reason."""
    statement = update(Push).where(col(Push.id) == push.id, col(Push.state).in_(_UNDER_WAY))
    before = PushState(push.state)
    done = session.execute(statement.values(state=PushState.paused, reason=REASON))
    if done.rowcount == 1:  # type: ignore[attr-defined]
        _record(session, "push.pause", "push", push, before)


def _plans(session: Session, key: str) -> Sequence[Plan]:
    active = select(Plan).where(Plan.state == PlanState.active).order_by(col(Plan.id))
    return _carrying(session.exec(active), key)


def _pushes(session: Session, key: str) -> Sequence[Push]:
    under_way = select(Push).where(col(Push.state).in_(_UNDER_WAY)).order_by(col(Push.id))
    return _carrying(session.exec(under_way), key)


def _carrying(found: Iterable[Carrier], key: str) -> list[Carrier]:
    link = re.compile(rf"/p/{re.escape(key)}(?![a-z0-9-])")
    return [one for one in found if one.piece_key == key or link.search(one.body)]


def _record(
    session: Session, action: str, kind: str, one: Plan | Push, before: PlanState | PushState
) -> None:
    audit.record(
        session, action, kind, one.id, before={"state": before}, after={"state": "paused"},
        outlet_code=one.outlet_code, note=_(REASON),
    )  # fmt: skip
