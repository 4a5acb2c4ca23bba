"""One occurrence at the desk: where it stands, who comes, and what may be done to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.events import load, occurrences, series_form
from campaign.events.models import OPEN, STATE_NAMES, EventSeries, Occurrence
from campaign.events.occurrences import Spot, Texts
from campaign.events_desk.routes import blueprint, occurrence_place, zone
from campaign.registration import feedback, roster, seats
from campaign.registration.feedback import Answers
from campaign.registration.roster import Party, ToTell
from core import clock
from core.errors import DomainError, Invalid
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from institution import conflict, places
from institution.access import requires, signed_in
from institution.conflict import Field, Overtaken
from institution.places import Choices

LABELS = {
    "topic": mark("主题"), "topic_en": mark("主题（英文）"), "host": mark("主讲"), "host_en": mark("主讲（英文）"),
    "live_url": mark("直播链接"), "replay_url": mark("回放链接"), "party_most": mark("一次最多几人"),
    "approval": mark("报名要审核"), "waiting": mark("满了可候补"), "starts_at": mark("几点开始"), "ends_at": mark("几点结束"),
    "outlet_code": mark("网点"), "place": mark("具体地点"), "capacity": mark("名额"), "state": mark("状态"),
    "reason": mark("原因"),
}  # fmt: skip
_OWN = ("topic", "topic_en", "host", "host_en", "live_url", "replay_url", "party_most", "approval", "waiting")


@dataclass(frozen=True, slots=True)
class Page:
    """An occurrence with who is registered, and what the person who looks may do."""

    one: Occurrence
    series: EventSeries
    place: str
    spot: Spot
    parties: Sequence[Party]
    to_tell: Sequence[ToTell]
    answers: Answers | None
    plain: bool
    calls: bool
    base: str
    outlets: Choices
    told: int
    may_edit: bool
    may_see: bool
    may_register: bool
    may_contact: bool
    over: bool

    @property
    def status(self) -> tuple[str, str]:
        """Its state in a word, and the tone."""
        if self.one.state != OPEN:
            return _(STATE_NAMES[self.one.state]), "bad"
        if self.over:
            return _("已结束"), "idle"
        return (
            (_("已满"), "info")
            if self.one.free <= 0
            else (_("还有 %(free)s 个空位", free=self.one.free), "good")
        )

    def count(self, *states: str) -> int:
        """How many people are in one of these states."""
        return sum(one.size for one in self.parties if one.state in states)

    @property
    def came(self) -> int:
        """How many people came."""
        return sum(one.arrived for one in self.parties)

    @property
    def starts(self) -> str:
        """The beginning as a form shows it."""
        return series_form.clock_time(self.spot.minute)


@blueprint.get("/o/<int:number>")
@requires("event.view", at=occurrence_place)
def occurrence(number: int) -> ResponseReturnValue:
    """The page of an occurrence. `?plain=1` shows names and numbers to who may see them, `?calls=1` those of the
    people to be called to who may call them; both leave a record."""
    plain, calls = (request.args.get(name) == "1" for name in ("plain", "calls"))
    if plain or calls:
        with transaction() as session:
            one = occurrences.get(session, number)
            place = occurrences.owner(session, one)
            may = "registration.contact" if plain else "registration.edit"
            signed_in().check(session, may, place)
            count = (
                occurrences.live_parties(session, number) if plain
                else len(roster.to_tell(session, service(Vault), number))
            )  # fmt: skip
            roster.record(session, "registration.read", one, place, count, plain=True)
    with reading() as session:
        page = _page(session, number, plain=plain, calls=plain or calls)
    return render("campaign/event_desk_occurrence.html", page)


@blueprint.post("/o/<int:number>/edit")
@requires("event.edit", at=occurrence_place)
def edit_occurrence(number: int) -> ResponseReturnValue:
    """Change what it says and links to, unless somebody else did meanwhile."""
    try:
        with transaction() as session:
            _check_base(session, number)
            occurrences.change(session, number, _texts(), now=clock.now())
    except Overtaken as overtaken:
        return _both(number, overtaken)
    except DomainError as error:
        return _refused(number, error)
    flash(_("已保存。"), "good")
    return redirect(url_for(".occurrence", number=number), code=303)


@blueprint.post("/o/<int:number>/move")
@requires("event.edit", at=occurrence_place)
def move(number: int) -> ResponseReturnValue:
    """Another time or place; asks once more when somebody would be told."""
    form = request.form

    def act(session: Session, now: datetime) -> str:
        _check_base(session, number)
        where = Spot(
            series_form.day(form.get("day", ""), "day"),
            series_form.minute(form.get("starts", ""), "starts"),
            series_form.number(form.get("minutes", ""), "minutes", *series_form.NUMBERS["minutes"]),
            places.typed(session, form),
            form.get("place", ""),
        )
        if where.outlet_code:
            signed_in().check(session, "event.edit", where.outlet_code)
        done = occurrences.move(session, number, where, zone=zone(), now=now)
        return _("已改期，会通知 %(count)s 份报名。", count=done.told)

    return _acted(number, act)


@blueprint.post("/o/<int:number>/capacity")
@requires("event.edit", at=occurrence_place)
def resize(number: int) -> ResponseReturnValue:
    """More or fewer seats."""

    def act(session: Session, now: datetime) -> str:
        capacity = series_form.number(request.form.get("capacity", ""), "capacity", 0, 100_000)
        one = occurrences.set_capacity(session, number, capacity, now=now)
        return _("名额现在是 %(capacity)s，已报 %(taken)s。", capacity=one.capacity, taken=one.taken)

    return _acted(number, act)


@blueprint.post("/o/<int:number>/call-off")
@requires("event.edit", at=occurrence_place)
def call_off(number: int) -> ResponseReturnValue:
    """Cancel it; everybody registered is told why."""

    def act(session: Session, now: datetime) -> str:
        done = occurrences.call_off(session, number, request.form.get("reason", ""), now=now)
        return _("已取消，会通知 %(count)s 份报名。", count=done.told)

    return _acted(number, act)


@blueprint.post("/o/<int:number>/call-on")
@requires("event.edit", at=occurrence_place)
def call_on(number: int) -> ResponseReturnValue:
    """Take a cancellation back."""

    def act(session: Session, now: datetime) -> str:
        done = occurrences.call_on(session, number, now=now)
        return _("已恢复，会通知 %(count)s 份报名。", count=done.told)

    return _acted(number, act)


@blueprint.post("/o/<int:number>/clone")
@requires("event.edit", at=occurrence_place)
def clone_occurrence(number: int) -> ResponseReturnValue:
    """The same on another day or at another outlet."""
    try:
        with transaction() as session:
            code = places.typed(session, request.form)
            signed_in().check(
                session, "event.edit", code or occurrences.owner(session, occurrences.get(session, number))
            )
            day = series_form.day(request.form.get("day", ""), "day")
            made = occurrences.clone(session, number, day, code, zone=zone(), now=clock.now())
    except DomainError as error:
        return _refused(number, error)
    flash(_("已复制成新的一场，还没有人报名。"), "good")
    return redirect(url_for(".occurrence", number=made.id), code=303)


def _acted(number: int, act: Callable[[Session, datetime], str]) -> ResponseReturnValue:
    """Carry a verb out and say what came of it; a refusal is said on the page."""
    try:
        with transaction() as session:
            words = act(session, clock.now())
    except Overtaken as overtaken:
        return _both(number, overtaken)
    except DomainError as error:
        return _refused(number, error)
    flash(words, "good")
    return redirect(url_for(".occurrence", number=number), code=303)


def _refused(number: int, error: DomainError) -> ResponseReturnValue:
    if not isinstance(error, Invalid) and error.field is None:
        raise error
    with reading() as session:
        page = _page(session, number)
    return render("campaign/event_desk_occurrence.html", page, fault=str(error), fault_at=error.field), 400


def _page(session: Session, number: int, *, plain: bool = False, calls: bool = False) -> Page:
    me, vault = signed_in(), service(Vault)
    one = occurrences.get(session, number)
    series = session.get_one(EventSeries, one.series_id)
    place = occurrences.owner(session, one)
    may_see = me.may_at(session, "registration.view", place)
    may_edit = me.may_at(session, "event.edit", place)
    return Page(
        one,
        series,
        load.where(session, [one])[one.outlet_code],
        occurrences.spot(one, zone()),
        roster.parties(session, vault, one, plain=plain) if may_see else [],
        roster.to_tell(session, vault, number, plain=calls) if may_see else [],
        feedback.answers(session, vault, number) if may_see and one.starts_at <= clock.now() else None,
        plain,
        calls,
        conflict.version_of(occurrences.shown(one)),
        places.choices(session, me.scope("event.edit"), chosen=one.outlet_code) if may_edit else Choices(),
        occurrences.live_parties(session, number),
        may_edit,
        may_see,
        me.may_at(session, "registration.edit", place),
        me.may_at(session, "registration.contact", place),
        one.ends_at <= clock.now(),
    )


def _texts() -> Texts:
    form = request.form
    return Texts(
        **{name: form.get(name, "") for name in (*occurrences.TEXTS, *occurrences.LINKS)},
        approval=form.get("approval") == "1",
        waiting=form.get("waiting") == "1",
        party_most=series_form.number(
            form.get("party_most", ""), "party_most", *series_form.NUMBERS["party_most"]
        ),
    )


def _check_base(session: Session, number: int) -> None:
    conflict.check(request.form.get("base", ""), occurrences.shown(seats.held(session, number)))


def _both(number: int, overtaken: Overtaken) -> ResponseReturnValue:
    """Both versions. A move is asked for anew on the page; only texts can be merged field by field."""
    with reading() as session:
        theirs = occurrences.shown(occurrences.get(session, number))
    if "topic" not in request.form:
        flash(str(overtaken), "bad")
        return redirect(url_for(".occurrence", number=number), code=303)
    flags = {"1": _("是"), "": _("否")}
    fields = [
        Field(
            name,
            _(LABELS[name]),
            theirs[name],
            request.form.get(name, ""),
            flags if name in ("approval", "waiting") else {},
        )
        for name in _OWN
    ]
    return conflict.page(
        _("这一场"), url_for("events_desk.edit_occurrence", number=number), fields, base=overtaken.base,
        began=request.form.get("base", ""), back=url_for("events_desk.occurrence", number=number),
    )  # fmt: skip
