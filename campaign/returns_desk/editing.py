"""The form of a return: one page for a phone, without JavaScript; what was typed is kept before it is judged."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from campaign.returns import filing, form, photos
from campaign.returns.models import ActivityReturn, ReturnPhoto, ReturnVersion
from campaign.returns.words import FORMS, GROUPS, MATERIALS, PARTNERS, WHERE, WORKS
from campaign.returns_desk.routes import blueprint, return_place, today
from core import clock
from core.errors import Conflict, DomainError, NotFound
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import places
from institution.access import requires, signed_in
from institution.models import Outlet
from institution.places import Choices
from institution.powers import Scope

_LISTED = 200  # outlets to choose from in a list; with more there is a field to search


@dataclass(frozen=True, slots=True)
class FormPage:
    """The form as it stands: what was typed, what is wrong with it, the photos that are kept."""

    number: int
    outlet: str
    typed: Mapping[str, Any]
    campaigns: Sequence[tuple[str, str]] = ()
    pieces: Sequence[tuple[str, str]] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    photos: Sequence[ReturnPhoto] = ()
    outlets: Choices = field(default_factory=Choices)
    key: str = ""
    base: str = ""
    reason: str = ""
    correcting: bool = False
    discardable: bool = False

    def value(self, name: str) -> str:
        """What was typed in a field."""
        return str(self.typed.get(name, ""))

    def ticked(self, name: str, key: str) -> bool:
        """Whether a box of several was ticked."""
        return key in self.typed.get(name, ())

    @property
    def forms(self) -> list[tuple[str, str]]:
        """What an activity can be."""
        return [("", _("请选择")), *((key, _(word)) for key, word in FORMS.items())]

    @property
    def places(self) -> list[tuple[str, str]]:
        """Where it can be."""
        return [("", _("请选择")), *((key, _(word)) for key, word in WHERE.items())]

    @property
    def groups(self) -> Mapping[str, str]:
        """Who can be there."""
        return GROUPS

    @property
    def partners(self) -> Mapping[str, str]:
        """With whom it can be."""
        return PARTNERS

    @property
    def materials(self) -> Mapping[str, str]:
        """What can be handed out."""
        return MATERIALS

    @property
    def works(self) -> Mapping[str, tuple[str, str]]:
        """What can be published."""
        return WORKS

    @property
    def room(self) -> int:
        """How many photos more fit."""
        return photos.MOST - len(self.photos)


@blueprint.get("/new")
@requires("return.file")
def new() -> ResponseReturnValue:
    """An empty form."""
    occurrence = request.args.get("occurrence", "")
    with reading() as session:
        return render("campaign/return_form.html", _empty(session, {"occurrence_id": occurrence[:9]}))


@blueprint.post("/new")
@requires("return.file")
def create() -> ResponseReturnValue:
    """Keep a new draft, whatever is wrong with it; only without an outlet there is nothing to keep it in."""
    typed = form.typed(request.form.to_dict(flat=False))
    person, now = signed_in(), clock.now()
    try:
        with transaction() as session:
            code = places.typed(session, request.form)
            person.check(session, "return.file", code)
            key = f"{person.id}-{request.form.get('key', '')}"
            made = filing.start(session, outlet_code=code, key=key, by=person.id, now=now)
            filing.save(session, made.id or 0, typed, by=person.id, now=now, today=today())
            number = made.id or 0
    except DomainError as error:
        with reading() as session:
            page = _empty(session, typed, fault=str(error), fault_field=error.field or "")
            return render("campaign/return_form.html", page), 400
    return _after(number)


@blueprint.get("/<int:number>/edit")
@requires("return.file", at=return_place)
def edit(number: int) -> ResponseReturnValue:
    """The form of a draft; with `?check=1` it names everything that is still wrong."""
    with reading() as session:
        one = filing.get(session, number)
        current = filing.version(session, one)
        if not current.open:
            return redirect(url_for(".show", number=number))
        check = request.args.get("check") == "1"
        return render("campaign/return_form.html", _page(session, one, current, check=check))


@blueprint.post("/<int:number>/edit")
@requires("return.file", at=return_place)
def save(number: int) -> ResponseReturnValue:
    """Keep what was typed; then hand it in, if that was asked. What a colleague saved meanwhile is not run over."""
    typed, now, person = form.typed(request.form.to_dict(flat=False)), clock.now(), signed_in()
    try:
        with transaction() as session:
            _one, current = filing.hold(session, number)
            if request.form.get("base", "") != _base(current):
                raise Conflict(mark("同事刚刚也存过这份草稿。您填的都在下面，核对后再存一次，就以您的为准。"))
            for text in request.form.getlist("drop"):
                if text.isdecimal() and int(text) in current.photos:
                    photos.drop(session, current, int(text), now)
            filing.save(session, number, typed, by=person.id, now=now, today=today())
    except NotFound:
        raise
    except DomainError as error:
        with reading() as session:
            one = filing.get(session, number)
            page = _page(session, one, filing.version(session, one), typed=typed, fault=str(error))
            return render("campaign/return_form.html", page), 409
    return _after(number)


def _after(number: int) -> ResponseReturnValue:
    """The photos that came with the form, then handing in; everything else is kept already."""
    bad = _take_photos(number)
    if request.form.get("action") != "submit":
        flash(_("草稿已存好，可以接着填。"), "good")
        return redirect(url_for(".edit", number=number), code=303)
    if not bad:
        try:
            with transaction() as session:
                filing.submit(session, number, by=signed_in().id, now=clock.now(), today=today())
            flash(_("已提交，等上级机构的同事核实；核实后计入触达。"), "good")
            return redirect(url_for(".show", number=number), code=303)
        except DomainError as error:
            flash(str(error), "bad")
    return redirect(url_for(".edit", number=number, check=1), code=303)


def _take_photos(number: int) -> bool:
    """Keep the photos of the form one by one; whether one of them could not be kept (it is named)."""
    bad, folder = False, service(Settings).files_dir
    for file in request.files.getlist("photos"):
        if not file.filename:
            continue
        try:
            drawn = photos.draw(file.filename, file.read())
            photos.write(folder, drawn)
            with transaction() as session:
                _one, current = filing.hold(session, number)
                added = photos.add(session, current, drawn, by=signed_in().id, now=clock.now())
            if not added:
                flash(_("照片“%(name)s”这份回执里已有，没有再存。", name=file.filename[:80]), "warn")
        except DomainError as error:
            flash(str(error), "bad")
            bad = True
    return bad


def _empty(session: Session, typed: Mapping[str, Any], *, fault: str = "", fault_field: str = "") -> FormPage:
    scope = signed_in().scope("return.file")
    outlets = _outlets(session, scope)
    only = outlets[0][0] if len(outlets) == 1 and not outlets.more else ""
    return FormPage(
        number=0,
        outlet=outlets[0][1] if only else "",
        typed={"outlet_code": request.form.get("outlet_code", ""), **typed},
        campaigns=_offered(session, only, scope),
        pieces=list(filing.pieces(session, only).items()) if only else [],
        faults={fault_field: fault} if fault_field else {},
        fault=fault,
        outlets=outlets,
        key=request.form.get("key") or secrets.token_urlsafe(12),
    )


def _offered(session: Session, only: str, scope: Scope) -> list[tuple[str, str]]:
    """The campaigns of the outlet; while it is not chosen yet, those that hold for all of this person's."""
    top = only or next(iter(sorted(scope.tops)), "")
    return list(filing.campaigns(session, top).items())


def _outlets(session: Session, scope: Scope) -> Choices:
    """The open outlets of a part of the tree; the first of many, and a field to search for the others."""
    query = select(Outlet.code, Outlet.name).where(
        scope.condition(Outlet.code), Outlet.kind == "outlet", col(Outlet.closed_on).is_(None)
    )
    rows = list(session.exec(query.order_by(Outlet.code).limit(_LISTED + 1)))
    found = Choices([(code, name) for code, name in rows[:_LISTED]])
    if len(found) > 1:
        found.insert(0, ("", _("请选择")))
    found.more = len(rows) > _LISTED
    return found


def _base(current: ReturnVersion) -> str:
    return f"{current.number}-{current.saved_at.timestamp():.6f}"


def _page(
    session: Session,
    one: ActivityReturn,
    current: ReturnVersion,
    *,
    check: bool = False,
    typed: Mapping[str, Any] | None = None,
    fault: str = "",
) -> FormPage:
    said = current.typed if typed is None else typed
    faults = filing.read(session, said, one.outlet_code, today()).faults if check else {}
    return FormPage(
        number=one.id or 0,
        outlet=places.name(session, one.outlet_code),
        typed=said,
        campaigns=list(filing.campaigns(session, one.outlet_code).items()),
        pieces=list(filing.pieces(session, one.outlet_code).items()),
        faults=faults,
        fault=fault,
        photos=photos.of(session, current),
        base=_base(current),
        reason=current.reason,
        correcting=current.number > 1,
        discardable=current.state == "draft" and current.submitted_at is None,
    )
