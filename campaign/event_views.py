"""Public pages of events: what there is to attend, a series, the calendar of a month, and calendar files."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from campaign import front
from campaign.events import listing, month, occurrences, structured, subscription
from campaign.events.listing import Line
from campaign.events.models import EventSeries
from campaign.events.subscription import Site
from content import pages
from content.pages import PageFacts
from core import clock
from core.errors import NotFound
from core.http import reading, render, service
from core.i18n import current_locale, mark
from core.settings import Settings
from institution import outlets
from tracking.attribution import Attributions, PageKeys

blueprint = Blueprint("events", __name__, template_folder="templates")


@blueprint.get("/events")
def index() -> ResponseReturnValue:
    """What there is to attend: series with what comes next, and campaigns."""
    zone = service(Settings).zone
    with reading() as session:
        page = front.events(session, clock.today(zone), clock.now())
    return _published("campaign/events.html", page, PageKeys())


@blueprint.get("/events/<code>")
def series(code: str) -> ResponseReturnValue:
    """A series with its next dates; in a city the single occurrences; online the live link while it is time."""
    asked = {name: request.args.get(name, "").strip()[:40] for name in ("province", "city")}
    asked["province"], _bar, both = asked["province"].partition("|")
    asked["city"] = both or asked["city"]
    with reading() as session:
        zone = service(Settings).zone
        page = listing.series_page(session, code, clock.now(), clock.today(zone), **asked)
        coming = page.lines or listing.coming(session, page.series, clock.now(), most=3)
    data = structured.series(page.card, _events(coming), public_url=service(Settings).public_url)
    keys = PageKeys(campaign=page.series.campaign_code)
    # A live link comes and goes by the minute: such a page is counted, but not kept.
    return _published(
        "campaign/event_series.html", page, keys, cache=not page.card.online, data=structured.block(data)
    )


@blueprint.get("/events/calendar")
def calendar() -> ResponseReturnValue:
    """A month of events, everywhere or in a city."""
    asked = {name: request.args.get(name, "").strip()[:40] for name in ("province", "city", "day")}
    settings = service(Settings)
    today = clock.today(settings.zone)
    first = month.first_of(request.args.get("month", "").strip()[:7], today)
    with reading() as session:
        page = month.page(session, first, today, country=settings.holidays, **asked)
    return _published("campaign/event_calendar.html", page, PageKeys())


@blueprint.get("/events/<code>.ics")
def series_file(code: str) -> ResponseReturnValue:
    """A series as a calendar to subscribe to."""
    with reading() as session:
        found = listing.visible(session, code)
        data = subscription.of_series(session, found, _site(), clock.now())
    return _calendar(data, f"{code}.ics")


@blueprint.get("/e/<code>.ics")
def occurrence_file(code: str) -> ResponseReturnValue:
    """One occurrence as a calendar file."""
    with reading() as session:
        found = occurrences.by_code(session, code)
        if not session.get_one(EventSeries, found.series_id).visible:
            raise NotFound(mark("没有找到这场活动，它可能已经撤下。"))
        data = subscription.one(session, found, _site())
    return _calendar(data, f"{code}.ics")


@blueprint.get("/o/<code>/events.ics")
def outlet_file(code: str) -> ResponseReturnValue:
    """An outlet's events as a calendar to subscribe to."""
    with reading() as session:
        data = subscription.of_outlet(session, outlets.get(session, code), _site(), clock.now())
    return _calendar(data, f"{code}.ics")


def _published(template: str, page: object, keys: PageKeys, *, cache: bool = True, **more: Any) -> str:
    pages.mark(request.environ, PageFacts(keys, cache))
    return render(template, page, sealed=service(Attributions).seal(keys), **more)


def _events(lines: Sequence[Line]) -> list[dict[str, Any]]:
    settings = service(Settings)
    name = settings.institution_name_en if current_locale() == "en" else settings.institution_name
    return [
        structured.event(one, public_url=settings.public_url, institution=name, zone=settings.zone)
        for one in lines
    ]


def _site() -> Site:
    settings = service(Settings)
    return Site(settings.public_url, settings.zone)


def _calendar(data: bytes, name: str) -> Response:
    answer = Response(data, mimetype="text/calendar", content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    answer.headers["Cache-Control"] = "public, max-age=900"
    return answer
