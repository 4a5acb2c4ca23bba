"""Staff pages of what falls due: what it is, who owns it, when it comes down; and saying that it is still true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Day
from datetime import timedelta

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from content.check import due as falling
from content.check.due import Due
from content.desk.checked import today
from content.desk.routes import blueprint, place
from content.models import Piece
from content.off_site import expiring, telling
from content.off_site.expiring import Expiring
from core import clock
from core.errors import DomainError, Invalid
from core.http import reading as session_for_reading
from core.http import render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access
from institution.access import SignedIn
from institution.working_days import WorkingDays

SPANS = (30, 60, 180, 365)
_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class DueLine:
    """One day of one piece; `may`: this person may say that it is still true."""

    due: Due
    of: Expiring
    owners: str
    may: bool


@dataclass(frozen=True)
class DuePage:
    """What of the published pieces has to be looked at again within so many days."""

    found: Sequence[DueLine]
    days: int
    today: Day

    @property
    def options(self) -> list[tuple[str, str]]:
        """How far to look."""
        return [(str(days), _("%(days)s 天内", days=days)) for days in SPANS]

    def name(self, one: Due) -> str:
        """What kind of day it is."""
        return _(falling.DUE_NAMES[one.kind])

    def follows(self, one: DueLine) -> str:
        """What comes of it when nobody does anything."""
        if one.due.kind != falling.REVIEW:
            return _("页面上会注明过了有效期")
        if one.of.waiting:
            return _("新的一版正在审查")
        if one.of.down_on is None:
            return _("留在网站上，继续提醒")
        return _("%(day)s 自动撤下", day=one.of.down_on)

    @property
    def next_year(self) -> str:
        """The day that is offered for saying that something is still true."""
        return (self.today + _YEAR).isoformat()


@blueprint.get("/due")
@access.requires("content.view")
def due() -> str:
    """Published pieces of one's part of the tree whose day of review or of truth comes."""
    asked = request.args.get("days", SPANS[1], int)
    days, me = asked if asked in SPANS else SPANS[1], access.signed_in()
    with session_for_reading() as session:
        found = _lines(session, me, today() + timedelta(days=days))
    return render("content/desk_due.html", DuePage(found, days, today()))


@blueprint.post("/pieces/<key>/still-true")
@access.requires("content.edit", at=place)
def still_true(key: str) -> ResponseReturnValue:
    """Say that a piece is true until another day; a second person reviews it."""
    try:
        settings = service(Settings)
        with transaction() as session:
            expiring.confirm(
                session, key, _day(request.form.get("until", "")), by=access.signed_in().id, now=clock.now(),
                today=today(), working=WorkingDays.of(settings), files_dir=settings.files_dir,
            )  # fmt: skip
        flash(_("已生成只改复核日的新版并提交审查；审查通过并发布以后生效。"), "good")
    except DomainError as error:
        flash(str(error), "bad")
        return redirect(url_for("content_desk.due"))
    return redirect(url_for("content_desk.piece", key=key))


def _lines(session: Session, me: SignedIn, last: Day) -> list[DueLine]:
    where = me.scope("content.view").condition(Piece.outlet_code, above=True)
    names: Mapping[str, str] = {}
    lines = []
    for one in expiring.expiring(session, where):
        soon = [each for each in one.dues if each.on <= last]
        if not soon:
            continue
        names = {
            **names,
            one.piece.key: _("、").join(who.name for who in telling.owners(session, one.revision)),
        }
        may = me.may_at(session, "content.edit", one.piece.outlet_code) and not one.waiting
        lines += [DueLine(each, one, names[one.piece.key], may) for each in soon]
    return sorted(lines, key=lambda line: (line.due.on, line.due.key, line.due.line, line.due.what))


def _day(text: str) -> Day:
    try:
        return Day.fromisoformat(text)
    except ValueError as error:
        raise Invalid(mark("日期请写成 2026-09-15 这样。"), field="until") from error
