"""Opening a session at the desk: which room, where, of which event and campaign, for how many hours at most."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from campaign import programme
from campaign.events import listing as event_listing
from campaign.events import load
from campaign.events.models import EventSeries, Occurrence
from campaign.play_sessions import hosting
from campaign.play_sessions.hosting import HOURS, Wanted
from campaign.play_sessions_desk.routes import EDIT, blueprint
from content import lifecycle
from content.models import Kind
from core import clock
from core.errors import DomainError
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.settings import Settings
from institution import places
from institution.access import requires, signed_in
from institution.models import Outlet, OutletKind
from institution.places import Choices

Pairs = list[tuple[str, str]]
_DAYS = 7  # events so many days ahead may be chosen


@dataclass(frozen=True, slots=True)
class OpenPage:
    """The form of a new session."""

    values: Mapping[str, str]
    rooms: Pairs
    places: Choices
    events: Pairs
    campaigns: Pairs
    hours: Pairs
    fault: str = ""
    field: str | None = None


@blueprint.get("/new")
@requires(EDIT)
def new() -> ResponseReturnValue:
    """The form; `?occurrence=` fills in the outlet and the campaign of an event."""
    return _page(request.args)


@blueprint.post("/new")
@requires(EDIT)
def open_one() -> ResponseReturnValue:
    """Open it."""
    form = request.form
    try:
        with transaction() as session:
            place = places.typed(session, form)
            signed_in().check(session, EDIT, place)
            wanted = Wanted(
                form.get("piece_key", ""), _number(form.get("hours", "")) or 0,
                _number(form.get("occurrence_id", "")), form.get("campaign_code", "")[:60],
            )  # fmt: skip
            made = hosting.open_session(session, place, wanted, by=signed_in().id, now=clock.now())
    except DomainError as error:
        return _page(form, error), 400
    flash(_("这一场开始了。请把大屏打开，让大家扫码。"), "good")
    return redirect(url_for(".show", number=made.id), code=303)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else None


def _page(typed: Mapping[str, str], error: DomainError | None = None) -> str:
    scope = signed_in().scope(EDIT)
    with reading() as session:
        values = {"hours": "2"} | _of_event(session, typed.get("occurrence", "")) | dict(typed)
        outlets = places.choices(session, scope, chosen=values.get("outlet_code", ""))
        rooms = [(one.key, one.shown_title) for one in lifecycle.published_list(session, Kind.escape_room)]
        today = clock.today(service(Settings).zone)
        running = programme.on_show(session, today).running
        page = OpenPage(
            values,
            rooms,
            _outlets_alone(session, outlets),
            [("", _("不属于哪场活动")), *_events(session)],
            [("", _("不属于哪个活动期")), *((one.code, one.shown("name")) for one in running)],
            [(str(hours), _("%(hours)s 小时", hours=hours)) for hours in HOURS],
            str(error) if error else "",
            error.field if error else None,
        )
    return render("campaign/play_desk_new.html", page)


def _outlets_alone(session: Session, offered: Choices) -> Choices:
    """Outlets of what may be chosen from; where there are too many to list, one is looked for by name."""
    codes = [code for code, _name in offered]
    query = select(Outlet.code).where(col(Outlet.code).in_(codes), Outlet.kind == OutletKind.outlet)
    mine = set(session.exec(query))
    found = Choices(pair for pair in offered if pair[0] in mine)
    found.more = offered.more or not found
    return found


def _events(session: Session) -> Pairs:
    now, zone = clock.now(), service(Settings).zone
    found = event_listing.lines(
        session,
        load.within(signed_in().scope(EDIT)),
        col(Occurrence.outlet_code) != "",
        col(Occurrence.ends_at) > now - timedelta(hours=12),
        col(Occurrence.starts_at) < now + timedelta(days=_DAYS),
        most=100,
    )
    numbers = _numbers(session, [one.code for one in found])
    return [
        (
            str(numbers[one.code]),
            f"{one.starts_at.astimezone(zone):%m-%d %H:%M} {one.topic or one.series} · {one.outlet}",
        )
        for one in found
    ]


def _numbers(session: Session, codes: list[str]) -> dict[str, int]:
    query = select(Occurrence.code, Occurrence.id).where(col(Occurrence.code).in_(codes))
    return {code: number or 0 for code, number in session.exec(query)}


def _of_event(session: Session, text: str) -> dict[str, str]:
    """Outlet and campaign of the event that an address names, where the person may host there."""
    number = _number(text)
    one = session.get(Occurrence, number) if number else None
    if one is None or not signed_in().may_at(session, EDIT, one.outlet_code or "-"):
        return {}
    campaign = session.get_one(EventSeries, one.series_id).campaign_code
    return {"occurrence_id": str(one.id), "outlet_code": one.outlet_code, "campaign_code": campaign}
