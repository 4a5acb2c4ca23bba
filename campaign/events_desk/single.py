"""One more occurrence of a series at the desk, besides what its rule means."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.events import occurrences, series, series_form
from campaign.events.models import ONLINE, EventSeries, Occurrence
from campaign.events.occurrences import Spot
from campaign.events_desk.routes import blueprint, series_place, today, zone
from core import clock
from core.errors import DomainError
from core.http import reading, render, transaction
from core.i18n import gettext as _
from institution import places
from institution.access import requires, signed_in
from institution.places import Choices


@dataclass(frozen=True, slots=True)
class SinglePage:
    """The form of a single occurrence."""

    series: EventSeries
    values: Mapping[str, str]
    places: Choices
    fault: str = ""
    field: str | None = None

    @property
    def online(self) -> bool:
        """Whether it is held online: then no outlet is asked for."""
        return self.series.form == ONLINE


@blueprint.get("/series/<code>/add")
@requires("event.edit", at=series_place, above=True)
def add(code: str) -> ResponseReturnValue:
    """The form."""
    return _page(code, {})


@blueprint.post("/series/<code>/add")
@requires("event.edit", at=series_place, above=True)
def add_one(code: str) -> ResponseReturnValue:
    """Make it."""
    try:
        with transaction() as session:
            made = _add(session, series.get(session, code))
    except DomainError as error:
        return _page(code, request.form, error), 400
    flash(_("已加一场。"), "good")
    return redirect(url_for(".occurrence", number=made.id), code=303)


def _add(session: Session, one: EventSeries) -> Occurrence:
    form = request.form
    code = "" if one.form == ONLINE else places.typed(session, form)
    signed_in().check(session, "event.edit", code or one.outlet_code)
    where = Spot(
        series_form.day(form.get("day", ""), "day"),
        series_form.minute(form.get("starts", ""), "starts"),
        series_form.number(form.get("minutes", ""), "minutes", *series_form.NUMBERS["minutes"]),
        code,
        form.get("place", ""),
    )
    capacity = series_form.number(form.get("capacity", ""), "capacity", *series_form.NUMBERS["capacity"])
    return occurrences.add(
        session, one, where, zone=zone(), now=clock.now(), topic=form.get("topic", ""), capacity=capacity
    )


def _page(code: str, typed: Mapping[str, str], error: DomainError | None = None) -> str:
    with reading() as session:
        one = series.get(session, code)
        values = {
            "day": today().isoformat(), "starts": series_form.clock_time(one.starts_minute), "place": one.place,
            "minutes": str(one.minutes), "capacity": str(one.capacity), **typed,
        }  # fmt: skip
        offered = places.choices(
            session, signed_in().scope("event.edit"), chosen=values.get("outlet_code", "")
        )
        page = SinglePage(one, values, offered, str(error) if error else "", error.field if error else None)
    return render("campaign/event_desk_single.html", page)
