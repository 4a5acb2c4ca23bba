"""The door of an occurrence at the desk: links that sign a phone in, shown once, and ended at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from campaign.checkin import doors
from campaign.checkin.models import Door
from campaign.events import occurrences
from campaign.events.models import EventSeries, Occurrence
from campaign.events_desk.routes import blueprint, occurrence_place
from core import clock
from core.errors import DomainError, NotFound
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import places
from institution.access import requires, signed_in
from tracking import links


@dataclass(frozen=True, slots=True)
class DoorPage:
    """An occurrence with its doors; `link` and `qr` of the one that was just opened, which nobody sees again."""

    one: Occurrence
    series: EventSeries
    place: str
    open: Sequence[Door]
    past: Sequence[Door]
    link: str = ""
    qr: str = ""
    error: str = ""


@blueprint.get("/o/<int:number>/door")
@requires("registration.edit", at=occurrence_place)
def door(number: int) -> ResponseReturnValue:
    """The doors of an occurrence."""
    return _shown(number)


@blueprint.post("/o/<int:number>/door")
@requires("registration.edit", at=occurrence_place)
def open_door(number: int) -> ResponseReturnValue:
    """Open a door; its link stands on this one answer alone."""
    try:
        with transaction() as session:
            one = occurrences.get(session, number)
            label = request.form.get("label", "")
            _made, key = doors.make(session, one, label=label, by=signed_in().id, now=clock.now())
    except DomainError as error:
        answer = _shown(number, error=str(error))
        answer.status_code = 409
        return answer
    return _shown(number, link=f"{service(Settings).public_url}{doors.PATH}#{key}")


@blueprint.post("/o/<int:number>/door/<int:door_id>/end")
@requires("registration.edit", at=occurrence_place)
def end_door(number: int, door_id: int) -> ResponseReturnValue:
    """Shut a door: its phone sees and sends nothing more."""
    with transaction() as session:
        if door_id not in {one.id for one in doors.of(session, number)}:
            raise NotFound(mark("没有找到这个签到链接。"))
        doors.end(session, door_id, clock.now())
    flash(_("已停用，那部手机不能再签到。"), "good")
    return redirect(url_for(".door", number=number), code=303)


def _shown(number: int, *, link: str = "", error: str = "") -> Response:
    now = clock.now()
    with reading() as session:
        one = occurrences.get(session, number)
        found = doors.of(session, number)
        page = DoorPage(
            one,
            session.get_one(EventSeries, one.series_id),
            places.name(session, one.outlet_code),
            [each for each in found if each.ended_at is None and now < each.expires_at],
            [each for each in found if each.ended_at is not None or now >= each.expires_at],
            link,
            links.qr_svg(link) if link else "",
            error,
        )
    return make_response(render("campaign/event_desk_door.html", page))
