"""Staff pages of releases: publish at a time, move it, cancel it, and the calendar of what comes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date as Day
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from content import history, releases
from content.desk.routes import blueprint, place
from content.models import Piece
from content.release_models import RELEASE_NAMES, ReleaseState
from content.releases import Coming
from core import clock
from core.errors import DomainError, Invalid
from core.http import reading as session_for_reading
from core.http import render, safe_target, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access

_WEEKS = 5
_RECENT = 20
_TONES = {ReleaseState.done: "good", ReleaseState.stopped: "bad", ReleaseState.cancelled: "idle"}


@dataclass(frozen=True)
class Square:
    """A day of the calendar with what comes out on it."""

    day: Day
    is_today: bool
    is_past: bool
    coming: tuple[Coming, ...]


@dataclass(frozen=True)
class ReleasesPage:
    """What comes, by day; and what became of the last ones."""

    days: list[tuple[Day, list[Coming]]]
    weeks: list[list[Square]]
    settled: list[Coming]
    mine: frozenset[int]

    def state(self, one: Coming) -> tuple[str, str]:
        """The state in a word, and its tone."""
        state = ReleaseState(one.release.state)
        return _(RELEASE_NAMES[state]), _TONES.get(state, "info")


def place_of_release(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the piece that a release is about, or NotFound."""
    return history.get_piece(session, releases.get(session, arguments["release_id"]).piece_key).outlet_code


@blueprint.get("/releases")
@access.requires("content.view")
def coming() -> str:
    """The calendar and list of coming releases of one's part of the tree."""
    me, zone = access.signed_in(), service(Settings).zone
    today = clock.today(zone)
    with session_for_reading() as session:
        where = me.scope("content.view").condition(Piece.outlet_code, above=True)
        found = releases.listed(session, [ReleaseState.waiting], where)
        settled = releases.listed(
            session, [ReleaseState.done, ReleaseState.stopped, ReleaseState.cancelled], where, most=_RECENT
        )
        mine = frozenset(
            one.release.id or 0 for one in found if me.may_at(session, "content.publish", one.outlet_code)
        )
    days = [
        (day, list(some))
        for day, some in groupby(found, key=lambda one: one.release.due_at.astimezone(zone).date())
    ]
    return render("content/desk_releases.html", ReleasesPage(days, _weeks(dict(days), today), settled, mine))


@blueprint.post("/pieces/<key>/<int:number>/release")
@access.requires("content.publish", at=place)
def schedule(key: str, number: int) -> ResponseReturnValue:
    """Have an approved revision published at a time."""
    me = access.signed_in().id

    def verb(session: Session) -> None:
        revision = history.by_number(session, key, number)
        releases.schedule(session, revision.id or 0, _moment(), by=me, now=clock.now())

    return _do(verb, _("已排定，到时自动发布。"), url_for("content_desk.piece", key=key))


@blueprint.post("/releases/<int:release_id>/move")
@access.requires("content.publish", at=place_of_release)
def move_release(release_id: int) -> ResponseReturnValue:
    """Another time."""
    me = access.signed_in().id

    def verb(session: Session) -> None:
        releases.move(session, release_id, _moment(), by=me, now=clock.now())

    return _do(verb, _("已改到新的时间。"), url_for("content_desk.coming"))


@blueprint.post("/releases/<int:release_id>/cancel")
@access.requires("content.publish", at=place_of_release)
def cancel_release(release_id: int) -> ResponseReturnValue:
    """Not at that time."""

    def verb(session: Session) -> None:
        releases.cancel(session, release_id, now=clock.now())

    return _do(verb, _("已取消定时发布，这一版仍是“已通过”。"), url_for("content_desk.coming"))


def _weeks(days: dict[Day, list[Coming]], today: Day) -> list[list[Square]]:
    """Five weeks from the Monday of this one."""
    monday = today - timedelta(days=today.weekday())
    squares = [
        Square(day, day == today, day < today, tuple(days.get(day, ())))
        for day in (monday + timedelta(days=number) for number in range(7 * _WEEKS))
    ]
    return [squares[at : at + 7] for at in range(0, len(squares), 7)]


def _moment() -> datetime:
    """The time that was typed, on the institution's clock."""
    try:
        typed = datetime.fromisoformat(request.form.get("at", ""))
    except ValueError as error:
        raise Invalid(mark("请选择发布的日期和时间。"), field="at") from error
    return typed.replace(tzinfo=service(Settings).zone, second=0, microsecond=0)


def _do(verb: Callable[[Session], None], done: str, onward: str) -> ResponseReturnValue:
    try:
        with transaction() as session:
            verb(session)
        flash(done, "good")
    except DomainError as error:
        flash(str(error), "bad")
    return redirect(safe_target(request.form.get("back"), onward))
