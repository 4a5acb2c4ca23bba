"""Stand-ins: who decides for whom, set up by who goes away or by who sets up approvals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from core import clock
from core.errors import DomainError, Invalid, NotAllowed, NotFound
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access, approval_search, sessions, stand_ins
from institution.approval_models import StandIn
from institution.desk.approval_routes import approvals_blueprint as blueprint
from institution.models import Staff
from institution.powers import WHOLE


@dataclass(frozen=True, slots=True)
class Arrangement:
    """One stand-in in the list."""

    row: StandIn
    absent: str
    stand_in: str
    now: bool
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class StandInPage:
    """Arrangements that concern this person, and the form of a new one."""

    arrangements: Sequence[Arrangement]
    for_others: bool
    values: Mapping[str, str]
    field: str | None = None
    fault: str = ""

    def at(self, name: str) -> str | None:
        """The fault if it is this field's."""
        return self.fault if name == self.field else None


@blueprint.get("/stand-ins")
@access.requires("desk.view")
def stand_in_list() -> ResponseReturnValue:
    """Who stands in for whom."""
    today = clock.today(service(Settings).zone)
    values = {"first_day": today.isoformat(), "last_day": (today + timedelta(days=7)).isoformat()}
    with reading() as session:
        return render("institution/stand_ins.html", _page(session, values))


@blueprint.post("/stand-ins")
@access.requires("desk.view")
def set_up_stand_in() -> ResponseReturnValue:
    """Set one up: for oneself, or for somebody whose powers one's own include."""
    form, me = request.form, access.signed_in()
    try:
        with transaction() as session:
            absent = _absent(session, form.get("absent", ""))
            begins, ends = _days(form.get("first_day", ""), form.get("last_day", ""))
            stand_ins.set_up(
                session,
                absent=absent,
                stand_in=_person(session, form.get("stand_in", ""), "stand_in"),
                begins_at=begins,
                ends_at=ends,
                by=me.id,
                now=clock.now(),
                reason=form.get("reason", ""),
            )
    except DomainError as error:
        with reading() as session:
            page = _page(session, form.to_dict(), error)
        return render("institution/stand_ins.html", page), 400
    flash(_("代审已设好，到期自动结束。"), "good")
    return redirect(url_for("approvals.stand_in_list"))


def _of_mine(session: Session, arguments: Mapping[str, Any]) -> str:
    """Locator: an arrangement is found by the two it concerns and by who may set up the absent one's."""
    row = stand_ins.get(session, int(arguments["number"]))
    if not _may_end(session, row):
        raise NotFound(mark("没有找到这项代审安排。"))
    return WHOLE


@blueprint.post("/stand-ins/<int:number>/end")
@access.requires("desk.view", at=_of_mine, above=True)
def end_stand_in(number: int) -> ResponseReturnValue:
    """End it before its day."""
    try:
        with transaction() as session:
            stand_ins.end(session, number, now=clock.now())
        flash(_("代审已结束。"), "good")
    except DomainError as error:
        flash(str(error), "bad")
    return redirect(url_for("approvals.stand_in_list"))


def _page(session: Session, values: Mapping[str, str], error: DomainError | None = None) -> StandInPage:
    me, now, zone = access.signed_in(), clock.now(), service(Settings).zone
    rows = stand_ins.listing(session, now, of=None if me.may("approval.edit") else me.id)
    shown = [row for row in rows if _may_end(session, row)]
    names = approval_search.names(session, {n for row in shown for n in (row.absent_id, row.stand_in_id)})
    return StandInPage(
        arrangements=[
            Arrangement(
                row=row,
                absent=names.get(row.absent_id, ""),
                stand_in=names.get(row.stand_in_id, ""),
                now=row.begins_at <= now,
                first_day=clock.day_of(row.begins_at, zone),
                last_day=clock.day_of(row.ends_at - timedelta(seconds=1), zone),
            )
            for row in shown
        ],
        for_others=me.may("approval.edit"),
        values=values,
        field=error.field if error else None,
        fault=str(error) if error else "",
    )


def _may_end(session: Session, row: StandIn) -> bool:
    me = access.signed_in()
    return me.id in (row.absent_id, row.stand_in_id) or _governs(session, row.absent_id)


def _governs(session: Session, staff_id: int) -> bool:
    """Whether this person sets up approvals and holds all that the other one may do."""
    me = access.signed_in()
    return me.may("approval.edit") and me.powers.includes(session, sessions.powers_of(session, staff_id))


def _absent(session: Session, text: str) -> int:
    me = access.signed_in()
    if not text.strip():
        return me.id
    number = _person(session, text, "absent")
    if number != me.id and not _governs(session, number):
        raise NotAllowed(mark("只能为自己设置代审；为别人设置请联系管理员。"), field="absent")
    return number


def _person(session: Session, text: str, field: str) -> int:
    """The open account with this login, or the only one with this name."""
    text = text.strip()
    query = select(Staff.id).where(col(Staff.active), col(Staff.system).is_(False))
    found = session.exec(query.where(Staff.login == text.lower())).all()
    found = found or session.exec(query.where(Staff.name == text).limit(2)).all()
    if len(found) > 1:
        raise Invalid(mark("有几位同事叫这个名字，请填登录名。"), field=field)
    if not found or not text:
        raise Invalid(mark("没有找到这位同事，请填对方的姓名或登录名。"), field=field)
    return found[0] or 0


def _days(first: str, last: str) -> tuple[datetime, datetime]:
    """The moments at which the first day begins and the last one ends, in the institution's time zone."""
    zone = service(Settings).zone
    try:
        begins, ends = date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise Invalid(mark("请填写开始和结束的日期。"), field="first_day") from None
    return datetime.combine(begins, time(), zone), datetime.combine(ends, time(), zone)
