"""Four eyes for returns: what a decision does, what the page of a request shows, taking a request back."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from campaign.registration.models import Registration
from campaign.returns import filing, photos, plausible, reckoning
from campaign.returns.models import (
    DRAFT,
    REFUSED,
    REPLACED,
    RETURNED,
    SUBMITTED,
    VERIFIED,
    ActivityReturn,
    ReturnVersion,
)
from campaign.returns.words import WHERE
from core.errors import Conflict, NotAllowed, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import approval_kinds, approvals
from institution.approval_models import Approval

PERMISSION = filing.VERIFY


def settled(
    session: Session, approval: Approval, outcome: str, by: int, now: datetime, _opinion: str
) -> None:
    """The last decision. Verified: what it counts is fixed in this commit; a job carries it to the books.

    Nobody verifies what they wrote themselves, whoever handed it in.
    """
    current = _version(session, approval)
    one, latest = filing.hold(session, current.return_id)
    session.refresh(current)
    if current.state != SUBMITTED or latest.id != current.id:
        raise Conflict(mark("这份回执已有结论，请刷新查看。"))
    if by in (current.saved_by, current.submitted_by):
        raise NotAllowed(mark("自己填写或提交的回执要由另一位同事核实。"))
    current.decided_by, current.decided_at, current.reason = by, now, (approval.opinion or "")[:2000]
    if outcome == approvals.APPROVED:
        _verify(session, one, current)
    elif outcome == approvals.CHANGES and not current.void:
        current.state = RETURNED
    else:
        current.state = REFUSED
    session.add(current)
    session.flush()


def _verify(session: Session, one: ActivityReturn, current: ReturnVersion) -> None:
    lines = reckoning.difference(session, current)
    current.lines, current.state = reckoning.packed(lines), VERIFIED
    current.batch = f"{'demo-' if one.demo else ''}return-{one.id}-{current.number}"
    earlier = select(ReturnVersion).where(
        ReturnVersion.return_id == one.id,
        ReturnVersion.id != current.id,
        col(ReturnVersion.state) == VERIFIED,
    )
    for old in session.exec(earlier):
        old.state = REPLACED
        session.add(old)
    one.counted = current.number
    session.add(one)
    session.flush()
    numbers = {each.occurrence_id for each in (current, *session.exec(_all(one))) if each.occurrence_id}
    if numbers:  # the check-in counted who came so far; the return takes that over, or gives it back
        again = update(Registration).where(col(Registration.occurrence_id).in_(numbers))
        session.execute(again.values(counted=False))


def _all(one: ActivityReturn) -> SelectOfScalar[ReturnVersion]:
    return select(ReturnVersion).where(ReturnVersion.return_id == one.id)


def take_back(session: Session, approval: Approval, by: int, now: datetime) -> None:
    """Who handed it in takes it back: a draft again; a request to void a return is closed."""
    approvals.withdraw(session, approval.id or 0, by=by, now=now)
    current = _version(session, approval)
    current.state = REFUSED if current.void else DRAFT
    session.add(current)
    session.flush()


def facts(session: Session, approval: Approval) -> Sequence[tuple[str, str]]:
    """What somebody who decides should know."""
    one = session.get(ReturnVersion, int(approval.subject))
    if one is None:
        return ()
    given = sum(one.materials.values())
    said = [
        (_("日期"), str(one.held_on or "—")),
        (_("地点"), _(WHERE[one.place]) if one.place else "—"),
        (_("到场"), _("%(heads)s 人，其中互动完成 %(joined)s 人", heads=f"{one.heads:,}", joined=f"{one.joined:,}")),
        (_("发放资料"), _("%(given)s 份", given=f"{given:,}")),
        (_("照片"), _("%(count)s 张", count=len(one.photos))),
    ]  # fmt: skip
    if one.void:
        said.append((_("办法"), _("写入数量相反的更正事件，原来的事件一条也不删。")))
    elif one.number > 1:
        said.append((_("办法"), _("这是更正：只把差额记入触达，原来的事件一条也不改。")))
    if one.marks:
        said.append((_("请留意"), _("；").join(plausible.sentence(each) for each in one.marks)))
    alike = len(photos.doubles(session, one.photos)) if one.photos else 0
    if alike:
        said.append((_("相同的照片"), _("%(count)s 处，请到回执页并排查看", count=alike)))
    return said


def current_hash(session: Session, approval: Approval) -> str | None:
    """The hash of what is kept now, None when it no longer waits."""
    one = session.get(ReturnVersion, int(approval.subject))
    return reckoning.digest(session, one) if one is not None and one.state == SUBMITTED else None


def _version(session: Session, approval: Approval) -> ReturnVersion:
    found = session.get(ReturnVersion, int(approval.subject))
    if found is None:
        raise NotFound(mark("没有找到这份回执。"))
    return found


def href(approval: Approval) -> str:
    """The address of the return that a request is about."""
    return f"/desk/returns/of/{approval.subject}"


approval_kinds.declare(
    approval_kinds.Kind(
        name=filing.VERIFY,
        label=mark("核实活动回执"),
        permission=PERMISSION,
        settled=settled,
        facts=facts,
        href=href,
        take_back=take_back,
        current=current_hash,
    )
)
