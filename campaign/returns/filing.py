"""Filing returns: a draft that loses nothing, handing in, correcting, taking back, throwing a draft away."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from campaign.models import Campaign
from campaign.returns import form, photos, plausible, reckoning
from campaign.returns.form import Known, Read
from campaign.returns.models import (
    DRAFT,
    REFUSED,
    SUBMITTED,
    VERIFIED,
    ActivityReturn,
    ReturnVersion,
)
from campaign.returns.words import FORMS
from content import lifecycle
from content.models import Piece
from core.errors import Conflict, Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import approvals, audit
from institution.approval_models import Approval
from institution.models import Outlet
from institution.powers import Scope

VERIFY = "return.verify"
audit.declare(
    {
        "return.save": mark("保存活动回执"),
        "return.submit": mark("提交活动回执"),
        "return.correct": mark("更正活动回执"),
        "return.void": mark("申请撤销活动回执"),
        "return.discard": mark("删除活动回执草稿"),
    }
)
_COPIED = tuple(
    name
    for name in (
        "typed", "held_on", "starts", "ends", "form", "place", "campaign_code", "piece_key", "occurrence_id", "theme",
        "partners", "partner_names", "audiences", "staff", "heads", "joined", "materials", "works", "note", "photos",
    )
)  # fmt: skip


def get(session: Session, number: int) -> ActivityReturn:
    """The return of this number, or NotFound."""
    found = session.get(ActivityReturn, number)
    if found is None:
        raise NotFound(mark("没有找到这份回执。"))
    return found


def version(session: Session, one: ActivityReturn, number: int = 0) -> ReturnVersion:
    """A version of a return, without a number the latest, or NotFound."""
    query = select(ReturnVersion).where(
        ReturnVersion.return_id == one.id, ReturnVersion.number == (number or one.latest)
    )
    found = session.exec(query).first()
    if found is None:
        raise NotFound(mark("没有找到这份回执。"))
    return found


def versions(session: Session, one: ActivityReturn) -> list[ReturnVersion]:
    """All versions, the newest first."""
    query = select(ReturnVersion).where(ReturnVersion.return_id == one.id)
    return list(session.exec(query.order_by(col(ReturnVersion.number).desc())))


def hold(session: Session, number: int) -> tuple[ActivityReturn, ReturnVersion]:
    """A return and its latest version, held for writing until the transaction ends."""
    session.exec(select(ActivityReturn.id).where(ActivityReturn.id == number).with_for_update()).first()
    one = get(session, number)
    session.refresh(one)
    return one, version(session, one)


def start(session: Session, *, outlet_code: str, key: str, by: int, now: datetime) -> ActivityReturn:
    """An empty draft of an outlet; the same key of the same person gives the same one."""
    outlet = session.get(Outlet, outlet_code)
    if outlet is None or outlet.kind != "outlet":
        raise Invalid(mark("请选一个网点：回执由办活动的网点来报。"), field="outlet_code")
    known = session.exec(select(ActivityReturn).where(ActivityReturn.key == key)).first()
    if known is None:
        made = ActivityReturn(outlet_code=outlet_code, key=key[:40], created_by=by, created_at=now)
        try:
            with session.begin_nested():
                session.add(made)
                session.flush()
                session.add(_empty(made, by, now))
        except IntegrityError:
            known = session.exec(select(ActivityReturn).where(ActivityReturn.key == key)).one()
        else:
            return made
    if known.created_by != by or known.outlet_code != outlet_code:
        raise Conflict(mark("这张表已经用过，请重新打开“报一场活动”。"))
    return known


def _empty(one: ActivityReturn, by: int, now: datetime) -> ReturnVersion:
    return ReturnVersion(
        return_id=one.id or 0, number=1, outlet_code=one.outlet_code, saved_by=by, saved_at=now
    )


def read(session: Session, typed: Mapping[str, Any], outlet: str, today: date) -> Read:
    """What was typed, read against the campaigns and pieces that the outlet may name."""
    return form.read(typed, Known(today, set(campaigns(session, outlet)), set(pieces(session, outlet))))


def campaigns(session: Session, outlet: str) -> dict[str, str]:
    """The campaigns that a return of an outlet may name: of the outlet and of all over it; the latest first."""
    query = select(Campaign).where(_above(outlet).condition(Campaign.outlet_code, above=True))
    found = session.exec(query.order_by(col(Campaign.starts_on).desc(), col(Campaign.code)))
    return {one.code: one.shown("name") for one in found}


def pieces(session: Session, outlet: str) -> dict[str, str]:
    """The published pieces that a return of an outlet may name, by key."""
    query = select(Piece.key).where(_above(outlet).condition(Piece.outlet_code, above=True))
    allowed = set(session.exec(query))
    return {one.key: one.title for one in lifecycle.published_list(session) if one.key in allowed}


def _above(outlet: str) -> Scope:
    return Scope(frozenset({outlet}))


def save(
    session: Session, number: int, typed: Mapping[str, Any], *, by: int, now: datetime, today: date
) -> Read:
    """Keep what was typed, good or bad; returns what could be read of it. Conflict once it was handed in."""
    one, current = hold(session, number)
    _writable(current)
    found = read(session, typed, one.outlet_code, today)
    current.typed = dict(typed)
    for name, value in found.values.items():
        setattr(current, name, value)
    current.saved_by, current.saved_at = by, now
    session.add(current)
    audit.record(
        session, "return.save", "activity_return", one.id, after={"version": current.number, "heads": current.heads},
        outlet_code=one.outlet_code,
    )  # fmt: skip
    return found


def submit(session: Session, number: int, *, by: int, now: datetime, today: date) -> ReturnVersion:
    """Hand a draft in: Invalid while a field is wrong; what is odd is marked; a second person is asked."""
    one, current = hold(session, number)
    _writable(current)
    found = read(session, current.typed, one.outlet_code, today)
    if found.faults:
        name, first = next(iter(found.faults.items()))
        raise Invalid(
            mark("还有 %(count)s 处要改，草稿已存好。第一处：%(first)s"),
            field=name,
            count=len(found.faults),
            first=first,
        )
    for column, value in found.values.items():
        setattr(current, column, value)
    current.marks = plausible.marks(session, current, today)
    _ask(session, one, current, by, now)
    audit.record(
        session, "return.submit", "activity_return", one.id, outlet_code=one.outlet_code,
        after={"version": current.number, "heads": current.heads, "marks": [each["key"] for each in current.marks]},
    )  # fmt: skip
    return current


def correct(session: Session, number: int, *, by: int, now: datetime) -> ReturnVersion:
    """A new version of a verified return to write on; until it is verified too, the old one counts."""
    one, current = hold(session, number)
    if one.counted is None or current.state not in (VERIFIED, REFUSED):
        raise Conflict(mark("只有已核实、没有在更正的回执可以更正。"))
    made = _following(session, one, by, now)
    audit.record(
        session, "return.correct", "activity_return", one.id, after={"version": made.number},
        outlet_code=one.outlet_code,
    )  # fmt: skip
    return made


def void(session: Session, number: int, *, by: int, now: datetime, reason: str) -> ReturnVersion:
    """Ask a second person to take a verified return back: a version that counts nothing."""
    one, current = hold(session, number)
    if one.counted is None or current.state not in (VERIFIED, REFUSED):
        raise Conflict(mark("只有已核实、没有在更正的回执可以撤销。"))
    if not reason.strip():
        raise Invalid(mark("请写明为什么撤销，方便核实的人判断。"), field="reason")
    if version(session, one, one.counted).void:
        raise Conflict(mark("这份回执已经撤销。"))
    made = _following(session, one, by, now)
    made.void, made.note, made.marks = True, reason.strip()[:2000], []
    _ask(session, one, made, by, now)
    audit.record(
        session, "return.void", "activity_return", one.id, after={"version": made.number}, outlet_code=one.outlet_code,
        note=reason.strip(),
    )  # fmt: skip
    return made


def discard(session: Session, number: int, now: datetime) -> bool:
    """Throw away a draft that nobody decided on; True when the whole return went with it."""
    one, current = hold(session, number)
    if current.state != DRAFT or current.submitted_at is not None:
        raise Conflict(mark("只有还没提交过的草稿可以删除。"))
    numbers, whole = list(current.photos), one.latest == 1
    after = {"version": current.number, "whole": whole}
    session.delete(current)
    session.flush()
    photos.release(session, one.id or 0, numbers, now)
    audit.record(
        session, "return.discard", "activity_return", one.id, after=after, outlet_code=one.outlet_code
    )
    if whole:
        photos.remove(session, one.id or 0)
        session.delete(one)
    else:
        one.latest -= 1
        session.add(one)
    session.flush()
    return whole


def title(session: Session, one: ReturnVersion) -> str:
    """What lists and requests call it: outlet, day and form."""
    outlet = session.get(Outlet, one.outlet_code)
    where = outlet.name if outlet else one.outlet_code
    said = f"{where} {one.held_on or ''} {_(FORMS[one.form]) if one.form else ''}".strip()
    return _("撤销：%(title)s", title=said) if one.void else said


def asked(session: Session, one: ReturnVersion) -> Approval | None:
    """The newest request for a version, also a decided one."""
    query = select(Approval).where(Approval.kind == VERIFY, Approval.subject == str(one.id))
    return session.exec(query.order_by(col(Approval.id).desc())).first()


def _writable(one: ReturnVersion) -> None:
    if not one.open or one.void:
        raise Conflict(mark("这份回执已经提交，不能再改；要改请等核实，或先撤回。"))


def _following(session: Session, one: ActivityReturn, by: int, now: datetime) -> ReturnVersion:
    """The next version, saying what the counted one says."""
    old = version(session, one, one.counted or 0)
    copied = {name: getattr(old, name) for name in _COPIED}
    made = ReturnVersion(
        return_id=one.id or 0, number=one.latest + 1, outlet_code=one.outlet_code, saved_by=by, saved_at=now, **copied
    )  # fmt: skip
    one.latest = made.number
    session.add(one)
    session.add(made)
    session.flush()
    return made


def _ask(session: Session, one: ActivityReturn, current: ReturnVersion, by: int, now: datetime) -> None:
    current.state, current.submitted_by, current.submitted_at = SUBMITTED, by, now
    current.decided_by = current.decided_at = None
    session.add(current)
    session.flush()
    approvals.request(
        session, kind=VERIFY, subject=str(current.id), subject_hash=reckoning.digest(session, current),
        title=title(session, current), by=by, now=now, outlet_code=one.outlet_code,
        reason=current.note if current.void else "",
    )  # fmt: skip
