"""The filter by pushes that this package hands in to segments: who got a push, opened it, or did neither.

A node picks by pushes of its own part of the tree, and among its own contacts: a push of head office to the contacts
of head office says nothing to a branch.
"""

from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from campaign.segment_handed import Handed, hand_in
from core.errors import Invalid
from core.i18n import gettext, mark
from institution.powers import Scope
from scheduler import outcomes
from scheduler.channels import registry
from scheduler.models import Plan, Push, PushState

OUTCOMES = {
    outcomes.REACHED: mark("收到了"),
    outcomes.MISSED: mark("没有收到"),
    outcomes.OPENED: mark("打开了链接"),
    outcomes.UNOPENED: mark("收到了，没有打开链接"),
}
_GONE_OUT = (PushState.running, PushState.paused, PushState.done, PushState.cancelled)
_LATEST = 60


def choices(session: Session, outlet_code: str) -> dict[str, str]:
    """The latest pushes of a node and below that went to people, by number."""
    query = (
        select(Push, Plan.name)
        .join(Plan, col(Plan.id) == col(Push.plan_id))
        .where(Scope(frozenset({outlet_code})).condition(Push.outlet_code), col(Push.state).in_(_GONE_OUT))
        .order_by(col(Push.id).desc())
    )
    return {
        str(push.id): f"{name} {push.due_at:%Y-%m-%d} {registry.label(push.channel)}"
        for push, name in session.exec(query.limit(_LATEST))
        if not registry.to_group(push.channel)
    }


def check(session: Session, outcome: str, push_id: int, outlet_code: str) -> None:
    """Invalid for what is no such question, or about a push outside of the node."""
    push = session.get(Push, push_id)
    if outcome not in OUTCOMES:
        raise Invalid(mark("请选择收到了、打开了还是没有打开。"), field="push_did")
    if push is None or not Scope(frozenset({outlet_code})).covers(session, push.outlet_code):
        raise Invalid(mark("请选择一次推送；只能选自己机构范围内的。"), field="push_id")
    if outcome in outcomes.BY_LINK and not outcomes.tells_openings(push.channel):
        raise Invalid(
            mark("%(channel)s的链接人人一样，认不出是谁打开的，请选别的条件。"), field="push_did",
            channel=registry.label(push.channel),
        )  # fmt: skip


def where(outcome: str, push_id: int, contact: Any) -> ColumnElement[bool]:
    """The condition on a contact."""
    return outcomes.of_push(outcome, push_id, contact)


def words(session: Session, outcome: str, push_id: int) -> str:
    """The question in words."""
    push = session.get(Push, push_id)
    name = session.get_one(Plan, push.plan_id).name if push else "—"
    day = f"{push.due_at:%Y-%m-%d}" if push else ""
    said = {"did": gettext(OUTCOMES.get(outcome, outcome)), "name": f"{name} {day}".strip()}
    return gettext("推送“%(name)s”：%(did)s") % said


hand_in(Handed(OUTCOMES, choices, check, where, words))
