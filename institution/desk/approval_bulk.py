"""Several requests decided at once: first a page with each thing and what will happen to it, then for good."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import DomainError, NotAllowed, NotFound
from core.http import reading, render, safe_target, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access, approval_kinds, approval_search, approvals, bulk, deciders
from institution.approval_models import Approval
from institution.bulk import BulkPreview
from institution.desk import approval_lines
from institution.desk.approval_routes import approvals_blueprint as blueprint
from institution.desk.approval_routes import seen_by

ACTS = {
    "approve": (approvals.APPROVED, mark("批量通过"), mark("全部通过")),
    "changes": (approvals.CHANGES, mark("批量退回修改"), mark("全部退回修改")),
    "reject": (approvals.REJECTED, mark("批量否决"), mark("全部否决")),
}
_DONE = {
    approvals.APPROVED: mark("已通过 %(count)s 项。"),
    approvals.CHANGES: mark("已退回 %(count)s 项。"),
    approvals.REJECTED: mark("已否决 %(count)s 项。"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One of the requests as it can be looked at on the page itself."""

    number: int
    title: str
    facts: Sequence[tuple[str, str]]
    previewed: bool


@dataclass(frozen=True, slots=True)
class DecidePreview(BulkPreview):
    """The page that asks once more, with all that is decided on and what else is asked for it."""

    shown: Sequence[Shown] = ()
    forms: Sequence[str] = ()
    reasoned: bool = False  # the reason is owed
    opinion: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was posted: the act, what was ticked, and what was typed."""

    act: str
    picked: Sequence[str]
    back: str
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def decision(self) -> str:
        """The decision of the act."""
        return ACTS[self.act][0]


@blueprint.post("/bulk")
@access.requires("desk.view")
def approve_several() -> ResponseReturnValue:
    """Decide what was ticked: approve, send back or refuse; each for itself, one reason for all."""
    back = safe_target(request.form.get("back"), url_for("approvals.queue"))
    act = request.form.get("action", "approve")
    try:
        picked = bulk.picked(request.form.getlist("pick"))
    except DomainError as error:
        flash(str(error), "bad")
        return redirect(back)
    asked = _Asked(act if act in ACTS else "approve", picked, back, request.form)
    if request.form.get("confirm") != "1":
        return _page(asked, {})
    faults, done = _decide(asked)
    if done:
        flash(_(_DONE[asked.decision]) % {"count": done}, "good")
    if faults and not done:
        return _page(asked, faults), 400
    for number, why in faults.items():
        flash(_("%(number)s 号申请没有变化：%(why)s", number=number, why=why), "bad")
    return redirect(back)


def _decide(asked: _Asked) -> tuple[dict[int, str], int]:
    """Each in a transaction of its own: one that somebody else was faster with does not stop the others."""
    faults, done = {}, 0
    for value in asked.picked:
        number, seen = _parsed(value)
        try:
            with transaction() as session:
                second_factor(session, number)
                approvals.decide(
                    session,
                    number,
                    decision=asked.decision,
                    by=access.signed_in().id,
                    now=clock.now(),
                    opinion=asked.said.get("opinion", ""),
                    seen=seen,
                    said=asked.said,
                )
            done += 1
        except DomainError as error:
            faults[number] = str(error)
    return faults, done


def second_factor(session: Session, number: int) -> None:
    """Who stands in for somebody shows a second factor too, where deciding needs one."""
    person, approval = access.signed_in(), approvals.get(session, number)
    hand = deciders.hand_of(session, approval, approvals.open_step(session, approval), person.id, clock.now())
    wanted = hand.for_staff is not None and service(Settings).second_factor == "required"
    if wanted and person.session.second_factor_at is None:
        raise NotAllowed(mark("代审前请先为自己的账号设置二次验证，再重新登录。"))


def _page(asked: _Asked, faults: Mapping[int, str]) -> str:
    with reading() as session:
        lines = [_line(session, asked, value) for value in asked.picked]
        open_ = [approvals.get(session, _parsed(one.value)[0]) for one in lines if not one.fault]
        _decision, title, confirm = ACTS[asked.act]
        page = DecidePreview(
            title=_(title),
            action=url_for("approvals.approve_several"),
            act=asked.act,
            lines=lines,
            confirm=_(confirm),
            back=asked.back,
            hidden={"back": asked.back},
            note=_("请先逐项看过内容。决定以后不能收回。"),
            danger=asked.act == "reject",
            nav="approvals",
            shown=[_shown(session, one) for one in open_],
            forms=_forms(session, open_, asked),
            reasoned=asked.decision != approvals.APPROVED,
            opinion=asked.said.get("opinion", ""),
            error=next(iter(faults.values()), ""),
        )
        return render("institution/bulk_decide.html", page, nav="approvals")


def _forms(session: Session, found: Sequence[Approval], asked: _Asked) -> list[str]:
    """What each kind asks for, once for all of it; who sends something back need not answer it."""
    if asked.decision != approvals.APPROVED:
        return []
    kinds = dict.fromkeys(one.kind for one in found)
    return [
        approval_kinds.of(kind).form(session, [one for one in found if one.kind == kind], asked.said)
        for kind in kinds
    ]


def _shown(session: Session, approval: Approval) -> Shown:
    kind = approval_kinds.of(approval.kind)
    facts = list(kind.facts(session, approval))
    return Shown(approval.id or 0, approval.title, facts, kind.preview(session, approval) is not None)


def _line(session: Session, asked: _Asked, value: str) -> bulk.Line:
    """What deciding one of the ticked requests will do, or why it cannot."""
    number, seen = _parsed(value)
    try:
        approval = _visible(session, number)
        step = approvals.open_step(session, approval)
        hand = deciders.hand_of(session, approval, step, access.signed_in().id, clock.now())
        if asked.decision == approvals.APPROVED:
            approvals.check_hash(session, approval, seen)
    except DomainError as error:
        known = session.get(Approval, number) if not isinstance(error, NotFound) else None
        title = known.title if known else _("%(number)s 号申请") % {"number": number}
        return bulk.Line(value, title, fault=str(error))
    what = _what(asked, step.number, len(approvals.steps(session, approval)))
    if hand.for_staff:
        names = approval_search.names(session, [hand.for_staff])
        what = _("代 %(name)s：%(what)s") % {"name": names.get(hand.for_staff, ""), "what": what}
    href = url_for("approvals.item", number=number)
    return bulk.Line(value, f"{approval_lines.kind_name(approval.kind)}：{approval.title}", what, href=href)


def _what(asked: _Asked, step: int, count: int) -> str:
    if asked.decision == approvals.CHANGES:
        return _("退回提交人修改")
    if asked.decision == approvals.REJECTED:
        return _("否决，申请办结")
    if step == count:
        return _("通过，申请办结")
    return _("通过第 %(number)s 步，转到下一步") % {"number": step}


def _visible(session: Session, number: int) -> Approval:
    approval = approvals.get(session, number)
    if not approval_search.sees(session, seen_by(session), approval):
        raise NotFound(mark("没有找到这份审批申请。"))
    return approval


def _parsed(value: str) -> tuple[int, str]:
    number, _dot, seen = value.partition(".")
    return (int(number) if number.isdigit() and len(number) < 10 else 0), seen
