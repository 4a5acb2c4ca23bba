"""One return: what it says, its photos beside those that look the same, its history; verifying, correcting, undoing."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.returns import deciding, filing, photos
from campaign.returns.models import REFUSED, SUBMITTED, VERIFIED, ReturnPhoto, ReturnVersion
from campaign.returns.words import GROUPS, MATERIALS, PARTNERS, WORKS
from campaign.returns_desk import listing
from campaign.returns_desk.listing import Row
from campaign.returns_desk.routes import blueprint, return_place, version_place
from core import clock
from core.errors import DomainError, NotFound
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import approvals
from institution.access import requires, signed_in

_DECIDED = {
    approvals.APPROVED: mark("已核实，稍后计入触达。"),
    approvals.CHANGES: mark("已退回，请对方修改。"),
    approvals.REJECTED: mark("已定为不通过。"),
}


@dataclass(frozen=True, slots=True)
class Beside:
    """A photo of this return and one of another that looks the same; `other` None: it is not this person's to see."""

    photo: int
    other: ReturnPhoto | None
    row: Row | None
    score: float


@dataclass(frozen=True, slots=True)
class ReturnPage:
    """Everything about one return, in the version that is looked at."""

    row: Row
    photos: Sequence[ReturnPhoto]
    beside: Sequence[Beside]
    versions: Sequence[Row]
    audiences: Sequence[tuple[str, int | None]]
    partners: Sequence[str]
    materials: Sequence[tuple[str, int]]
    works: Sequence[tuple[str, int, str]]
    piece: str
    approval: int | None
    seen: str
    newest: bool
    counts: bool
    may_file: bool
    may_decide: bool
    may_withdraw: bool
    fault: str = ""
    typed: str = ""

    @property
    def one(self) -> ReturnVersion:
        """The version itself."""
        return self.row.one

    @property
    def editable(self) -> bool:
        """Whether this person may write on."""
        return self.may_file and self.newest and self.one.open

    @property
    def settled(self) -> bool:
        """Whether it can be corrected or taken back, by this person."""
        return self.may_file and self.newest and self.counts and self.one.state in (VERIFIED, REFUSED)

    @property
    def gone(self) -> bool:
        """Whether photos were cleared after their time."""
        return len(self.photos) < len(self.one.photos)


@blueprint.get("/<int:number>")
@requires("return.view", at=return_place)
def show(number: int) -> ResponseReturnValue:
    """The return as its latest version says it, or another with `?version=`."""
    text = request.args.get("version", "")
    with reading() as session:
        return render(
            "campaign/return.html",
            _page(session, number, int(text) if text.isdecimal() and len(text) < 6 else 0),
        )


@blueprint.get("/of/<int:version>")
@requires("return.view", at=version_place)
def of(version: int) -> ResponseReturnValue:
    """From a version to its return: where requests for approval lead."""
    with reading() as session:
        one = session.get_one(ReturnVersion, version)
        return redirect(url_for(".show", number=one.return_id, version=one.number))


@blueprint.get("/<int:number>/photos/<int:photo>")
@requires("return.view", at=return_place)
def picture(number: int, photo: int) -> ResponseReturnValue:
    """A photo of a return; it is nobody's but who may see the return."""
    with reading() as session:
        found = photos.get(session, photo)
        if found.return_id != number:
            raise NotFound(mark("没有找到这张照片，可能已过保存期限。"))
    return Response(photos.served(service(Settings).files_dir, found), mimetype="image/jpeg")


@blueprint.post("/<int:number>/decide")
@requires("return.verify", at=return_place)
def decide(number: int) -> ResponseReturnValue:
    """Verify, send back or refuse the version that was looked at."""
    given = request.form
    try:
        with transaction() as session:
            asked = filing.asked(session, filing.version(session, filing.get(session, number)))
            if asked is None:
                raise NotFound(mark("没有找到这份审批申请。"))
            approvals.decide(
                session, asked.id or 0, decision=given.get("decision", ""), by=signed_in().id, now=clock.now(),
                opinion=given.get("opinion", ""), seen=given.get("seen", ""),
            )  # fmt: skip
    except NotFound:
        raise
    except DomainError as error:
        return _again(number, str(error), given.get("opinion", "")), 400
    flash(_(_DECIDED[given["decision"]]), "good")
    return redirect(url_for(".show", number=number), code=303)


@blueprint.post("/<int:number>/act")
@requires("return.file", at=return_place)
def act(number: int) -> ResponseReturnValue:
    """Withdraw, correct, take back or throw away: the button pressed says which."""
    action, by, now = request.form.get("action", ""), signed_in().id, clock.now()
    where = url_for(".show", number=number)
    try:
        with transaction() as session:
            if action == "withdraw":
                _withdraw(session, number, by)
                where = url_for(".edit", number=number)
            elif action == "correct":
                filing.correct(session, number, by=by, now=now)
                where = url_for(".edit", number=number)
            elif action == "void":
                filing.void(session, number, by=by, now=now, reason=request.form.get("reason", ""))
                flash(_("已申请撤销，等另一位同事核实；核实后写入数量相反的更正。"), "good")
            elif action == "discard":
                where = url_for(".index") if filing.discard(session, number, now) else where
                flash(_("草稿已删除。"), "good")
    except NotFound:
        raise
    except DomainError as error:
        return _again(number, str(error), request.form.get("reason", "")), 400
    return redirect(where, code=303)


def _withdraw(session: Session, number: int, by: int) -> None:
    asked = filing.asked(session, filing.version(session, filing.get(session, number)))
    if asked is None:
        raise NotFound(mark("没有找到这份审批申请。"))
    deciding.take_back(session, asked, by, clock.now())


def _again(number: int, fault: str, typed: str) -> str:
    with reading() as session:
        return render("campaign/return.html", _page(session, number, 0, fault=fault, typed=typed))


def _page(session: Session, number: int, version: int, *, fault: str = "", typed: str = "") -> ReturnPage:
    one = filing.get(session, number)
    current, person = filing.version(session, one, version), signed_in()
    asked = filing.asked(session, current)
    waits = current.state == SUBMITTED and asked is not None
    history = listing.rows(session, filing.versions(session, one))
    counted = next((each.one for each in history if each.one.number == one.counted), None)
    return ReturnPage(
        row=next(each for each in history if each.one.number == current.number),
        photos=[each for each in photos.of(session, current) if each.dropped_at is None],
        beside=_beside(session, current),
        versions=history,
        audiences=[(_(GROUPS[key]), told) for key, told in current.audiences.items() if key in GROUPS],
        partners=[_(PARTNERS[key]) for key in current.partners if key in PARTNERS],
        materials=[(_(MATERIALS[key]), told) for key, told in current.materials.items() if key in MATERIALS],
        works=[
            (_(WORKS[key][0]), told, _(WORKS[key][1])) for key, told in current.works.items() if key in WORKS
        ],
        piece=filing.pieces(session, one.outlet_code).get(current.piece_key, current.piece_key),
        approval=asked.id if asked else None,
        seen=asked.subject_hash if waits and asked else "",
        newest=current.number == one.latest,
        counts=counted is not None and not counted.void,
        may_file=person.may_at(session, "return.file", one.outlet_code),
        may_decide=waits
        and person.id not in (current.saved_by, current.submitted_by)
        and person.may_at(session, "return.verify", one.outlet_code),
        may_withdraw=waits and current.submitted_by == person.id,
        fault=fault,
        typed=typed,
    )


def _beside(session: Session, current: ReturnVersion) -> list[Beside]:
    """What looks the same elsewhere; of returns outside of this person's part only that there is one."""
    found = photos.doubles(session, current.photos) if current.photos else []
    scope = signed_in().scope("return.view")
    seen = [double for double in found if scope.covers(session, double.other.outlet_code)]
    latest = {
        number: filing.version(session, filing.get(session, number))
        for number in {double.other.return_id for double in seen}
    }
    rows = {row.one.return_id: row for row in listing.rows(session, list(latest.values()))}
    return [
        Beside(double.photo, double.other, rows[double.other.return_id], double.score)
        if double in seen
        else Beside(double.photo, None, None, double.score)
        for double in found
    ]
