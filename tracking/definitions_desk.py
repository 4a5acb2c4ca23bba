"""Staff pages of the definition: its versions, the proposal that waits, a form that shows both side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import DomainError
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import approval_search, approvals
from institution.access import requires, signed_in
from institution.powers import WHOLE
from tracking import dimensions, periods, proposing, tabs, trying_out
from tracking.definition import KIND_NAMES, Definition, in_force
from tracking.models import DefinitionProposal
from tracking.periods import Period
from tracking.proposing import SOURCES, Version
from tracking.store import ReachStore
from tracking.tabs import Tab
from tracking.trying_out import Trial

blueprint = Blueprint(
    "reach_definitions", __name__, url_prefix="/desk/reach/definitions", template_folder="templates"
)
tabs.plug(Tab("definitions", mark("触达定义"), "/desk/reach/definitions", after=40))


@dataclass(frozen=True, slots=True)
class DefinitionsPage:
    """All versions, the newest first, and the proposal that waits."""

    versions: Sequence[Version]
    current: str
    waiting: DefinitionProposal | None
    approval: int | None
    who: Mapping[int, str]
    may_write: bool

    def kinds(self, one: DefinitionProposal) -> str:
        """The kinds of a proposal in words."""
        return proposing.kinds_in_words(one.kinds)

    def head_counts(self, one: DefinitionProposal) -> str:
        """The sources of a proposal in words."""
        return proposing.sources_in_words(one.head_counts)

    @property
    def preview(self) -> str:
        """The address that shows the waiting proposal beside what is in force."""
        one = self.waiting
        return (
            url_for(".propose", kinds=one.kinds, head_counts=one.head_counts, version=one.version, trial="1")
            if one
            else ""
        )


@dataclass(frozen=True, slots=True)
class ProposePage:
    """The form; with a trial, the figures under both definitions."""

    form: Mapping[str, str]
    chosen: frozenset[str]
    sources: frozenset[str]
    present: Definition
    trial: Trial | None
    channels: Mapping[str, str]
    may_write: bool
    fault: str = ""
    fault_field: str = ""

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """The kinds to choose from."""
        return [(key, _(name)) for key, name in KIND_NAMES.items()]

    @property
    def head_counts(self) -> list[tuple[str, str]]:
        """The sources to choose from."""
        return [(key, _(name)) for key, name in SOURCES.items()]

    def kind(self, key: str) -> str:
        """What a kind is called."""
        return _(KIND_NAMES[key])


@blueprint.get("")
@requires("reach.view")
def index() -> ResponseReturnValue:
    """The versions, the newest first."""
    with reading() as session:
        versions, waiting = proposing.versions(session), proposing.waiting(session)
        request_ = approvals.open_request(session, kind=proposing.KIND, subject=proposing.SUBJECT)
        people = {n for one in versions for n in (one.proposed_by, one.decided_by)}
        page = DefinitionsPage(
            versions=versions,
            current=in_force(session, _today()).id,
            waiting=waiting,
            approval=request_.id if request_ else None,
            who=approval_search.names(session, people | {waiting.proposed_by if waiting else None}),
            may_write=signed_in().scope("reach.define").whole,
        )
    return render("tracking/definitions.html", page)


@blueprint.get("/propose")
@requires("reach.view")
def propose() -> ResponseReturnValue:
    """The form, filled with what is in force; with `?trial=1`, figures of a past month under both definitions."""
    if not signed_in().scope("reach.view").whole:
        flash(_("触达定义是全辖的口径，由总公司提出和试算。"), "warn")
        return redirect(url_for(".index"))
    try:
        with reading() as session:
            return render("tracking/definition_new.html", _page(session, request.args))
    except DomainError as error:
        with reading() as session:
            return render("tracking/definition_new.html", _page(session, request.args, fault=error)), 400


@blueprint.post("/propose")
@requires("reach.define")
def hand_in() -> ResponseReturnValue:
    """Put the version before a second person."""
    form, person = request.form, signed_in()
    if form.get("action") == "trial":  # shown under an address of its own, which holds no token
        given: dict[str, Any] = {name: form.getlist(name) for name in _ASKED}
        return redirect(url_for(".propose", trial="1", **given), code=303)
    with reading() as session:
        person.check(session, "reach.define", WHOLE)
    try:
        with transaction() as session:
            proposing.propose(
                session,
                version=form.get("version", ""),
                valid_from=periods.day(form.get("valid_from", ""), "valid_from"),
                kinds=form.getlist("kinds"),
                head_counts=form.getlist("head_counts"),
                note=form.get("note", ""),
                by=person.id,
                now=clock.now(),
                zone=service(Settings).zone,
            )
    except DomainError as error:
        with reading() as session:
            return render("tracking/definition_new.html", _page(session, form, fault=error)), 400
    flash(_("已提交审批；另一位同事批准后，从生效日期起采用。"), "good")
    return redirect(url_for(".index"), code=303)


_ASKED = ("kinds", "head_counts", "from", "to", "version", "valid_from", "note")


def _today() -> date:
    return clock.today(service(Settings).zone)


def _page(session: Session, given: Any, fault: DomainError | None = None) -> ProposePage:
    """The form as somebody left it; the trial only where it was asked for and nothing is wrong."""
    present = in_force(session, _today())
    asked = "kinds" in given or "trial" in given or bool(fault)
    kinds = [one for one in KIND_NAMES if one in (given.getlist("kinds") if asked else present.kinds)]
    sources = [
        one for one in SOURCES if one in (given.getlist("head_counts") if asked else present.head_counts)
    ]
    usual = trying_out.last_month(_today())
    first, last = given.get("from") or str(usual.first), given.get("to") or str(usual.last)
    trial = None
    if given.get("trial") and not fault and kinds:
        other = Definition(given.get("version", ""), _today(), tuple(kinds), tuple(sources))
        period = Period(periods.day(first, "from"), periods.day(last, "to"))
        trial = trying_out.compare(service(ReachStore), period, present, other)
    return ProposePage(
        form={name: given.get(name, "") for name in ("version", "valid_from", "note")}
        | {"from": first, "to": last},
        chosen=frozenset(kinds),
        sources=frozenset(sources),
        present=present,
        trial=trial,
        channels=dimensions.names(session, "channel", _today()) if trial else {},
        may_write=signed_in().scope("reach.define").whole,
        fault=str(fault) if fault else "",
        fault_field=(fault.field or "") if fault else "",
    )
