"""Messages at the desk: to everybody registered, counted before they go; and who is to be told by telephone."""

from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from campaign.events import occurrences
from campaign.events.models import EventSeries, Occurrence
from campaign.events_desk.routes import blueprint, occurrence_place
from campaign.registration import messages, roster
from campaign.registration.messages import GROUP_NAMES, Reach
from core import clock
from core.errors import DomainError
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.privacy import Vault
from institution import audit
from institution.access import requires, signed_in


@dataclass(frozen=True, slots=True)
class MessagePage:
    """The form of a message; `reach` once it was looked at: to whom it goes."""

    occurrence: Occurrence
    series: EventSeries
    text: str = ""
    group: str = "placed"
    reach: Reach | None = None
    fault: str = ""
    field: str | None = None

    @property
    def groups(self) -> dict[str, str]:
        """To whom, by name."""
        return {key: _(name) for key, name in GROUP_NAMES.items()}


@blueprint.get("/o/<int:number>/message")
@requires("registration.edit", at=occurrence_place)
def message(number: int) -> ResponseReturnValue:
    """The form."""
    return _page(number)


@blueprint.post("/o/<int:number>/message")
@requires("registration.edit", at=occurrence_place)
def send_message(number: int) -> ResponseReturnValue:
    """Show it and count to whom it goes; with `confirm` send it."""
    text, group = request.form.get("text", ""), request.form.get("group", "")
    try:
        text = messages.checked(text, group)
        if request.form.get("confirm") != "1":
            return _page(number, text, group, counted=True)
        with transaction() as session:
            one = occurrences.get(session, number)
            place = occurrences.owner(session, one)
            count = messages.send(session, service(Vault), one, text, group, place=place, now=clock.now())
    except DomainError as error:
        return _page(number, text, group, error=error), 400
    flash(_("已记下，会告诉 %(count)s 份报名；没有邮箱的请打电话。", count=count), "good")
    return redirect(url_for(".occurrence", number=number), code=303)


@blueprint.post("/o/<int:number>/told")
@requires("registration.edit", at=occurrence_place)
def told(number: int) -> ResponseReturnValue:
    """Note that people were called."""
    picked = [int(one) for one in request.form.getlist("notice") if one.isdecimal() and len(one) < 18]
    with transaction() as session:
        one = occurrences.get(session, number)
        count = roster.told(session, number, picked, by=signed_in().id, now=clock.now())
        if count:
            audit.record(
                session, "registration.told", "occurrence", number, after={"count": count},
                outlet_code=occurrences.owner(session, one),
            )  # fmt: skip
    flash(_("已记下 %(count)s 个电话。", count=count), "good")
    return redirect(url_for(".occurrence", number=number, _anchor="tell"), code=303)


def _page(
    number: int,
    text: str = "",
    group: str = "placed",
    *,
    counted: bool = False,
    error: DomainError | None = None,
) -> str:
    with reading() as session:
        one = occurrences.get(session, number)
        page = MessagePage(
            one, session.get_one(EventSeries, one.series_id), text, group,
            messages.reach(session, number, group) if counted else None, str(error) if error else "",
            error.field if error else None,
        )  # fmt: skip
    return render("campaign/event_desk_message.html", page)
