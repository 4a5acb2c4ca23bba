"""Registrations at the desk: one by one and in bulk, at the counter for an elder, exported, printed."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.events import load, occurrences
from campaign.events.models import EventSeries, Occurrence
from campaign.events_desk.routes import blueprint, occurrence_place, registration_place, zone
from campaign.registration import changing, consent, registering, roster
from campaign.registration.entry import Wanted
from campaign.registration.models import PENDING, STAFF, STATE_NAMES
from campaign.registration.roster import Party
from core import clock
from core.errors import DomainError, NotFound
from core.http import attachment, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from institution import bulk, desk_table
from institution.access import requires, signed_in
from institution.bulk import BulkPreview, Line
from institution.desk_table import Column

COLUMNS: tuple[Column[Party], ...] = (
    Column("code", mark("报名号"), lambda one: one.code),
    Column("state", mark("状态"), lambda one: one.state_name),
    Column("name", mark("姓名"), lambda one: one.name),
    Column("phone", mark("手机"), lambda one: one.phone),
    Column("email", mark("邮箱"), lambda one: one.email),
    Column("size", mark("人数"), lambda one: one.size),
    Column("minors", mark("14 岁以下"), lambda one: one.minors),
    Column("companions", mark("同伴"), lambda one: "、".join(one.companions)),
    Column("options", mark("选择"), lambda one: one.options),
    Column("answers", mark("回答"), lambda one: one.answers),
    Column("via", mark("怎样报的"), lambda one: one.via_name),
    Column("joined_at", mark("报名时间"), lambda one: one.joined_at),
    Column("arrived", mark("到场"), lambda one: one.arrived),
)


@dataclass(frozen=True, slots=True)
class PartyPage:
    """One registration with what may be done to it."""

    party: Party
    occurrence: Occurrence
    series: EventSeries
    place: str
    may_edit: bool
    fault: str = ""


@dataclass(frozen=True, slots=True)
class CounterPage:
    """The form with which staff register somebody who stands at the counter or calls."""

    occurrence: Occurrence
    series: EventSeries
    place: str
    consent: str
    values: Mapping[str, str]
    fault: str = ""
    field: str | None = None


@dataclass(frozen=True, slots=True)
class PrintPage:
    """The list to print: who comes, with room for a tick."""

    occurrence: Occurrence
    series: EventSeries
    place: str
    parties: Sequence[Party]
    plain: bool


@blueprint.get("/o/<int:number>/register")
@requires("registration.edit", at=occurrence_place)
def counter(number: int) -> ResponseReturnValue:
    """The form at the counter."""
    return _counter(number, {"request_key": secrets.token_urlsafe(16)})


@blueprint.post("/o/<int:number>/register")
@requires("registration.edit", at=occurrence_place)
def register(number: int) -> ResponseReturnValue:
    """Register an elder by hand; the same form twice registers once."""
    try:
        with transaction() as session:
            made = registering.register(
                session,
                service(Vault),
                number,
                _wanted(),
                now=clock.now(),
                via=STAFF,
                staff_id=signed_in().id,
            )
            roster.registered(session, made, occurrences.owner(session, occurrences.get(session, number)))
    except DomainError as error:
        return _counter(number, request.form, error), 400
    flash(_("%(state)s，报名号 %(code)s。", state=_(STATE_NAMES[made.state]), code=made.code), "good")
    return redirect(url_for(".occurrence", number=number), code=303)


@blueprint.get("/r/<int:registration>")
@requires("registration.view", at=registration_place)
def party(registration: int) -> ResponseReturnValue:
    """One registration, masked."""
    return _party(registration)


@blueprint.post("/r/<int:registration>")
@requires("registration.edit", at=registration_place)
def act_on_party(registration: int) -> ResponseReturnValue:
    """Approve, reject, promote or take out, each with its reason; the button pressed says which."""
    try:
        with transaction() as session:
            number = changing.get(session, registration).occurrence_id
            _act(session, registration, request.form.get("action", ""), request.form.get("reason", ""))
    except DomainError as error:
        return _party(registration, error), 400
    flash(_("已办好，会告诉报名的人。"), "good")
    return redirect(url_for(".occurrence", number=number), code=303)


@blueprint.post("/o/<int:number>/parties")
@requires("registration.edit", at=occurrence_place)
def act_on_parties(number: int) -> ResponseReturnValue:
    """The same for what was ticked: shown first, then done, all or none."""
    form = request.form
    action, reason, picked = form.get("action", ""), form.get("reason", ""), bulk.picked(form.getlist("pick"))
    with reading() as session:
        lines = _lines(session, number, picked, action)
    if form.get("confirm") != "1":
        page = BulkPreview(
            _("通过报名") if action == "approve" else _("不通过报名"),
            url_for(".act_on_parties", number=number), action, lines, _("照这样办"),
            url_for(".occurrence", number=number), {"reason": reason}, reason, action == "reject", "events",
        )  # fmt: skip
        return bulk.preview(page)
    with transaction() as session:
        for line in lines:
            if not line.fault:
                _act(session, int(line.value), action, reason)
    flash(_("已办好 %(count)s 份报名。", count=sum(not line.fault for line in lines)), "good")
    return redirect(url_for(".occurrence", number=number), code=303)


@blueprint.get("/o/<int:number>/export.<form>")
@requires("registration.view", at=occurrence_place)
def export_parties(number: int, form: str) -> ResponseReturnValue:
    """Who is registered as a file: masked; names and numbers only for who may, and always with a record."""
    if form not in ("csv", "xlsx"):
        raise NotFound(mark("没有这种文件。"))
    plain = request.args.get("plain") == "1"
    with transaction() as session:
        one = occurrences.get(session, number)
        place = occurrences.owner(session, one)
        if plain:
            signed_in().check(session, "registration.contact", place)
        rows = roster.parties(session, service(Vault), one, plain=plain)
        roster.record(session, "registration.export", one, place, len(rows), plain=plain)
    view = desk_table.view(COLUMNS, {})
    return attachment(desk_table.export(view, rows, form, zone()), f"registrations-{one.code}.{form}")


@blueprint.get("/o/<int:number>/print")
@requires("registration.view", at=occurrence_place)
def print_list(number: int) -> ResponseReturnValue:
    """The list to print; names and numbers in full only for who may."""
    plain = request.args.get("plain") == "1"
    with transaction() as session:
        one = occurrences.get(session, number)
        place = occurrences.owner(session, one)
        if plain:
            signed_in().check(session, "registration.contact", place)
        rows = [each for each in roster.parties(session, service(Vault), one, plain=plain) if each.is_live]
        if plain:
            roster.record(session, "registration.export", one, place, len(rows), plain=True)
        page = PrintPage(
            one,
            session.get_one(EventSeries, one.series_id),
            load.where(session, [one])[one.outlet_code],
            rows,
            plain,
        )
    return render("campaign/event_desk_print.html", page)


def _act(session: Session, registration: int, action: str, reason: str) -> None:
    now = clock.now()
    if action in ("approve", "reject"):
        changing.decide(session, registration, accepted=action == "approve", reason=reason, now=now)
    elif action == "promote":
        changing.promote(session, registration, reason=reason, now=now)
    elif action == "take_out":
        changing.take_out(session, registration, reason=reason, now=now)
    else:
        raise NotFound(mark("没有这个操作。"))


def _lines(session: Session, number: int, picked: Sequence[str], action: str) -> list[Line]:
    """What happens to each that was ticked; one of another occurrence does not exist here."""
    rows = roster.parties(session, service(Vault), occurrences.get(session, number))
    known = {str(one.id): one for one in rows}
    if action not in ("approve", "reject") or not set(picked) <= set(known):
        raise NotFound(mark("没有这个操作。"))
    what = _("通过，有位置就留位，没有就排队") if action == "approve" else _("不通过，会告诉报名的人")
    found = []
    for value in picked:
        one = known[value]
        fault = "" if one.state == PENDING else _("不在等待审核")
        found.append(Line(value, f"{one.name} {one.phone}", "" if fault else what, fault))
    return found


def _wanted() -> Wanted:
    form = request.form
    minors = form.get("minors", "0").strip() or "0"
    return Wanted(
        name=form.get("name", ""),
        phone=form.get("phone", ""),
        request_key=f"desk.{form.get('request_key', '')[:40] or secrets.token_urlsafe(16)}",
        email=form.get("email", ""),
        companions=tuple(one for one in form.get("companions", "").splitlines() if one.strip()),
        minors=int(minors) if minors.isdecimal() and len(minors) < 3 else -1,
        chosen={key[2:]: value for key, value in form.items() if key.startswith("c-") and value},
        answers={key[2:]: value for key, value in form.items() if key.startswith("a-") and value},
        agreed=form.get("agreed") == "1",
        language="zh",
    )


def _counter(number: int, values: Mapping[str, str], error: DomainError | None = None) -> str:
    with reading() as session:
        one = occurrences.get(session, number)
        page = CounterPage(
            one, session.get_one(EventSeries, one.series_id), load.where(session, [one])[one.outlet_code], consent.TEXTS[consent.CURRENT],
            values, str(error) if error else "", error.field if error else None,
        )  # fmt: skip
    return render("campaign/event_desk_counter.html", page)


def _party(registration: int, error: DomainError | None = None) -> str:
    with reading() as session:
        found = roster.party(session, service(Vault), registration)
        one = occurrences.get(session, changing.get(session, registration).occurrence_id)
        page = PartyPage(
            found, one, session.get_one(EventSeries, one.series_id), load.where(session, [one])[one.outlet_code],
            signed_in().may_at(session, "registration.edit", occurrences.owner(session, one)),
            str(error) if error else "",
        )  # fmt: skip
    return render("campaign/event_desk_party.html", page)
