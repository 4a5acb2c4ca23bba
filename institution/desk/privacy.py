"""The desk of personal data: what people ask for about themselves, handed out once; how long what is kept."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_
from sqlmodel import Session, col, select

from core import clock
from core.errors import DomainError
from core.http import attachment, page_number, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from institution import access, desk_table, holders, personal_data, places, retention
from institution.access import signed_in
from institution.desk_table import Column, Listing, View
from institution.holders import Section
from institution.models import Staff
from institution.personal_models import (
    ADDRESS_NAMES,
    EXPORT,
    READY,
    STATE_NAMES,
    WAITING,
    WISH_NAMES,
    PrivacyRequest,
)
from institution.retention import Due

blueprint = Blueprint("privacy", __name__, url_prefix="/desk/privacy", template_folder="../templates")
ASK = "privacy.request"
TONES = {
    WAITING: "warn",
    READY: "good",
    "done": "idle",
    "rejected": "bad",
    "withdrawn": "idle",
    "lapsed": "bad",
}


@dataclass(frozen=True)  # generic parts inside cannot have slots on Python 3.11
class RequestsPage:
    """The requests of a part of the tree, and one's own."""

    view: View[PrivacyRequest]
    listing: Listing[PrivacyRequest]
    people: Mapping[int, str]
    nodes: Mapping[str, str]
    state: str

    @property
    def states(self) -> list[tuple[str, str]]:
        """What a list can be narrowed to."""
        return [("", _("全部")), *((key, _(name)) for key, name in STATE_NAMES.items())]


@dataclass(frozen=True, slots=True)
class AskPage:
    """The form: what was typed, and the field at fault."""

    typed: Mapping[str, str]
    nodes: places.Choices
    fault: str = ""
    field: str = ""

    @property
    def wishes(self) -> list[tuple[str, str]]:
        """What a person can ask for."""
        return [(key, _(name)) for key, name in WISH_NAMES.items()]

    def at(self, name: str) -> str | None:
        """The fault if it is this field's."""
        return self.fault if self.field == name else None


@dataclass(frozen=True, slots=True)
class RequestPage:
    """One request: what was asked, how it stands, what came of it."""

    request: PrivacyRequest
    by: str
    node: str
    found: Sequence[tuple[str, int]]
    mine: bool
    takeable: bool


@dataclass(frozen=True, slots=True)
class RetentionPage:
    """How long what is kept, what is over its time, and what no clock ends."""

    due: Sequence[Due]
    standing: Mapping[str, str]


def wish(one: PrivacyRequest) -> str:
    """What is asked for, in words."""
    return _(WISH_NAMES[one.kind])


def state(one: PrivacyRequest) -> str:
    """How it stands, in words."""
    return _(STATE_NAMES[one.state])


_COLUMNS: tuple[Column[PrivacyRequest], ...] = (
    Column("kind", mark("事项"), wish, sort=PrivacyRequest.kind),
    Column("masked", mark("本人地址"), lambda one: one.masked),
    Column("state", mark("状态"), state, sort=PrivacyRequest.state),
    Column("node", mark("受理机构"), lambda one: one.outlet_code, sort=PrivacyRequest.outlet_code),
    Column("by", mark("申请人"), lambda one: one.requested_by),
    Column("at", mark("申请时间"), lambda one: one.requested_at, sort=PrivacyRequest.requested_at),
    Column("number", mark("编号"), lambda one: one.id, sort=PrivacyRequest.id, numeric=True),
)


def of_request(session: Session, arguments: Mapping[str, Any]) -> str:
    """Locator: the node that took the request in."""
    return personal_data.get(session, int(arguments["number"])).outlet_code


@blueprint.get("")
@access.requires(ASK)
def index() -> ResponseReturnValue:
    """The requests, newest first."""
    me, wanted = signed_in(), request.args.get("state", "")
    seen = desk_table.view(_COLUMNS, request.args, first="-at")
    mine = col(PrivacyRequest.requested_by) == me.id
    query = select(PrivacyRequest).where(or_(mine, me.scope(ASK).condition(PrivacyRequest.outlet_code)))
    if wanted in STATE_NAMES:
        query = query.where(PrivacyRequest.state == wanted)
    with reading() as session:
        found = desk_table.listing(session, query, seen, page_number(), ties=(PrivacyRequest.id,))
        nodes = places.names(session, {one.outlet_code for one in found.rows})
        people = _names(session, {one.requested_by for one in found.rows})
    page = RequestsPage(seen, found, people, nodes, wanted)
    words = {"wish": wish, "state": state, "tones": TONES}
    return render("institution/privacy_requests.html", page, **words)


@blueprint.get("/new")
@access.requires(ASK)
def new() -> ResponseReturnValue:
    """Write down what somebody asks for about themselves."""
    return _form({"wish": request.args.get("wish", EXPORT)}), 200


@blueprint.post("/new")
@access.requires(ASK)
def ask() -> ResponseReturnValue:
    """Ask a second person to decide; the address is kept only masked and as hashes."""
    typed = request.form
    try:
        with transaction() as session:
            made = _asked(session, typed)
    except DomainError as error:
        return _form(typed, str(error), error.field or ""), 400
    flash(_("已提交，等另一位同事审批。"), "good")
    return redirect(url_for(".show", number=made), code=303)


@blueprint.get("/<int:number>")
@access.requires(ASK, at=of_request)
def show(number: int) -> ResponseReturnValue:
    """One request."""
    me = signed_in()
    with reading() as session:
        found = personal_data.get(session, number)
        until = found.ready_until
        page = RequestPage(
            request=found,
            by=_names(session, {found.requested_by}).get(found.requested_by, ""),
            node=places.name(session, found.outlet_code),
            found=[(_label(name), count) for name, count in found.found.items()],
            mine=found.requested_by == me.id,
            takeable=found.state == READY and until is not None and until > clock.now(),
        )
    words = {"wish": wish, "state": state, "tones": TONES, "kinds": ADDRESS_NAMES}
    return render("institution/privacy_request.html", page, **words)


@blueprint.post("/<int:number>/take")
@access.requires(ASK, at=of_request)
def take(number: int) -> ResponseReturnValue:
    """Download what is held, once, as a ZIP with a page to read and a file for machines."""
    now = clock.now()
    with transaction() as session:
        data = personal_data.take(session, service(Vault), number, by=signed_in().id, now=now)
        masked = personal_data.get(session, number).masked
    return _archive(number, masked, {_(label): rows for label, rows in data.items()}, now)


@blueprint.post("/<int:number>/withdraw")
@access.requires(ASK, at=of_request)
def withdraw(number: int) -> ResponseReturnValue:
    """Take one's own request back."""
    with transaction() as session:
        personal_data.withdraw(session, number, by=signed_in().id, now=clock.now())
    flash(_("已撤回。"), "good")
    return redirect(url_for(".show", number=number), code=303)


@blueprint.get("/retention")
@access.requires("desk.view")
def kept() -> ResponseReturnValue:
    """How long what is kept."""
    own = service(Settings).retention_days
    with reading() as session:
        page = RetentionPage(retention.due(session, own, clock.now()), retention.STANDING)
    return render("institution/privacy_retention.html", page)


def _asked(session: Session, typed: Mapping[str, str]) -> int:
    kind, address = personal_data.address_of(typed.get("address", ""))
    indexes, masked = personal_data.lookups(service(Vault), kind, address)
    node = places.typed(session, typed)
    me = signed_in()
    me.check(session, ASK, node)
    made = personal_data.ask(
        session,
        wish=typed.get("wish", ""),
        address_kind=kind,
        indexes=indexes,
        masked=masked,
        reason=typed.get("reason", ""),
        evidence=typed.get("evidence", ""),
        by=me.id,
        outlet_code=node,
        now=clock.now(),
    )
    return made.id or 0


def _form(typed: Mapping[str, str], fault: str = "", field: str = "") -> str:
    with reading() as session:
        nodes = places.choices(session, signed_in().scope(ASK), chosen=typed.get("outlet_code", ""))
    return render("institution/privacy_ask.html", AskPage(typed, nodes, fault, field))


def _archive(number: int, masked: str, data: Mapping[str, Section], now: datetime) -> Response:
    about = {_("申请编号"): number, _("本人地址"): masked, _("导出时间"): now.isoformat(timespec="seconds")}
    page = render("institution/privacy_export.html", data, about=about)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("personal-data.html", page)
        whole = {"about": about, "data": data}
        archive.writestr("personal-data.json", json.dumps(whole, ensure_ascii=False, indent=2))
    answer = attachment(out.getvalue(), f"personal-data-{number}.zip")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _label(name: str) -> str:
    return _(holders.HOLDERS[name].label) if name in holders.HOLDERS else name


def _names(session: Session, ids: set[int]) -> dict[int, str]:
    rows = session.exec(select(Staff.id, Staff.name).where(col(Staff.id).in_(ids)))
    return {number: name for number, name in rows if number is not None}
