"""What the page of one request shows: facts, steps, who may decide, guests, and what was typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from core import clock
from core.errors import Conflict, NotAllowed
from core.http import service
from core.i18n import gettext as _
from core.settings import Settings
from institution import access, approval_guests, approval_kinds, approval_search, approvals, deciders, letters
from institution.approval_guests import Invitation
from institution.approval_models import Approval, ApprovalStep, GuestReview
from institution.deciders import Hand
from institution.desk import approval_lines
from institution.desk.approval_lines import StepLine

_NAMED = 8


@dataclass(frozen=True, slots=True)
class GuestLine:
    """One guest of a request."""

    review: GuestReview
    step: str
    state: str
    tone: str
    open: bool


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed into a form that failed, and why it did."""

    decision: str = ""
    opinion: str = ""
    invitation: Invitation = field(default_factory=lambda: Invitation(""))
    said: Mapping[str, str] = field(default_factory=dict)
    form: str = ""
    field: str | None = None
    fault: str = ""

    def at(self, form: str, name: str) -> str | None:
        """The fault if it is this field's of this form."""
        return self.fault if (form, name) == (self.form, self.field) else None

    def general(self, form: str) -> str:
        """The fault of a form that belongs to none of its fields."""
        return self.fault if form == self.form and not self.field else ""


@dataclass(frozen=True, slots=True)
class ItemPage:
    """A request with all that is needed to decide it."""

    request: Approval
    kind: str
    place: str
    by: str
    outcome: str
    tone: str
    overdue: bool
    href: str
    facts: Sequence[tuple[str, str]]
    steps: Sequence[StepLine]
    previewed: bool
    may_decide: bool
    stands_in_for: str
    why_not: str
    overtaken: str
    candidates: Sequence[str]
    others: int
    own: bool
    guests: Sequence[GuestLine]
    by_mail: bool
    form: str
    aside: str
    typed: Typed = field(default_factory=Typed)


def item_page(session: Session, number: int, typed: Typed | None = None) -> ItemPage:
    """The page of a request for the person behind this one."""
    now, me = clock.now(), access.signed_in()
    approval = approvals.get(session, number)
    kind = approval_kinds.of(approval.kind)
    steps = approvals.steps(session, approval)
    step = steps[approval.current_step - 1] if approval.decision is None else None
    hand, why_not = _hand(session, approval, step, me.id, now)
    people = list(deciders.candidates(session, approval, step, now)) if step else []
    line = approval_lines.lines(session, [approval], now)[0]
    absent = hand.for_staff if hand else None
    return ItemPage(
        request=approval,
        kind=line.kind,
        place=line.place,
        by=line.by,
        outcome=line.outcome,
        tone=line.tone,
        overdue=line.overdue,
        href=kind.href(approval) if kind.href else "",
        facts=list(kind.facts(session, approval)),
        steps=approval_lines.step_lines(session, approval, steps),
        previewed=kind.preview(session, approval) is not None,
        may_decide=hand is not None,
        stands_in_for=approval_search.names(session, [absent]).get(absent or 0, ""),
        why_not=why_not,
        overtaken=_overtaken(session, approval),
        candidates=[one.name for one in people[:_NAMED]],
        others=max(0, len(people) - _NAMED),
        own=approval.requested_by == me.id,
        guests=_guests(session, approval, now),
        by_mail=letters.possible(service(Settings)),
        form=kind.form(session, [approval], typed.said if typed else {}) if hand else "",
        aside=kind.aside(session, approval),
        typed=typed or Typed(),
    )


def _hand(
    session: Session, approval: Approval, step: ApprovalStep | None, me: int, now: datetime
) -> tuple[Hand | None, str]:
    """How the person may decide, or why they may not."""
    if step is None:
        return None, ""
    try:
        return deciders.hand_of(session, approval, step, me, now), ""
    except NotAllowed as error:
        return None, str(error)


def _overtaken(session: Session, approval: Approval) -> str:
    """Why nobody can decide any more: the thing was changed after it was submitted."""
    if approval.decision is not None:
        return ""
    try:
        approvals.check_hash(session, approval)
    except Conflict as error:
        return str(error)
    return ""


def _guests(session: Session, approval: Approval, now: datetime) -> list[GuestLine]:
    return [
        _guest_line(session, approval, one, step, now) for one, step in approval_guests.of(session, approval)
    ]


def _guest_line(
    session: Session, approval: Approval, one: GuestReview, step: ApprovalStep, now: datetime
) -> GuestLine:
    if one.used_at is not None:
        return GuestLine(one, step.name, _("已提交意见"), "good", False)
    if one.revoked_at is not None:
        return GuestLine(one, step.name, _("已撤销"), "idle", False)
    if one.expires_at <= now:
        return GuestLine(one, step.name, _("已过期"), "idle", False)
    usable = approval_guests.is_open(session, approval_guests.Asked(one, approval, step), now)
    return GuestLine(
        one, step.name, _("等待对方") if usable else _("已失效"), "info" if usable else "idle", usable
    )
