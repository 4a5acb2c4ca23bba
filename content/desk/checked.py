"""Staff pages of the check before review: findings at their passages, reasons given and taken back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date as Day

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from content import history
from content.check import overruling, rulesets
from content.check.findings import SEVERITY_NAMES, Finding, Severity, errors, open_warnings
from content.desk.routes import blueprint, place
from content.lifecycle import Draft
from content.models import Revision, State
from core import clock
from core.errors import DomainError
from core.http import reading as session_for_reading
from core.http import service, transaction
from core.i18n import gettext as _
from core.settings import Settings
from institution import access
from institution.models import Staff

_TONES = {Severity.error: "bad", Severity.warning: "warn"}


@dataclass(frozen=True)
class Checked:
    """What the check found in a text; `authors` by the mark of a finding; `may`: reasons may be given now."""

    findings: list[Finding]
    authors: dict[str, str]
    version: str
    may: bool = False

    @property
    def errors(self) -> int:
        """How many stop the way to review."""
        return len(errors(self.findings))

    @property
    def open(self) -> int:
        """How many warnings nobody answered."""
        return len(open_warnings(self.findings))

    def status(self, finding: Finding) -> tuple[str, str]:
        """The severity in a word, and its tone."""
        if not finding.is_open:
            return _("已说明"), "idle"
        return _(SEVERITY_NAMES[finding.severity]), _TONES[finding.severity]


def of_revision(session: Session, revision: Revision, *, may_edit: bool) -> Checked:
    """The findings of a kept revision, with who answered them."""
    given = overruling.given(session, revision)
    names = dict(
        session.exec(select(Staff.id, Staff.name).where(col(Staff.id).in_([one.by for one in given]))).all()
    )
    authors = {one.mark: names.get(one.by, "") for one in given}
    writable = revision.state in (State.draft, State.withdrawn)
    found = overruling.findings(session, revision, today(), files_dir=service(Settings).files_dir)
    return Checked(found, authors, rulesets.version(), may_edit and writable)


def of_draft(draft: Draft) -> Checked:
    """The findings of a text that is being written."""
    with session_for_reading() as session:
        files_dir = service(Settings).files_dir
        found = overruling.of_text(session, draft.text, draft.meta, draft.media, today(), files_dir=files_dir)
    return Checked(found, {}, rulesets.version())


def today() -> Day:
    """Today where the institution is."""
    return clock.today(service(Settings).zone)


@blueprint.post("/pieces/<key>/<int:number>/overrule")
@access.requires("content.edit", at=place)
def overrule(key: str, number: int) -> ResponseReturnValue:
    """Leave a warning as it is, with a reason."""
    finding, reason, me = request.form.get("mark", ""), request.form.get("reason", ""), access.signed_in().id

    def verb(session: Session, revision: Revision) -> None:
        overruling.overrule(session, revision, finding, reason=reason, by=me, now=clock.now(), on=today())

    return _do(key, number, verb, _("已保留这条提醒，审查人会看到您的理由。"))


@blueprint.post("/pieces/<key>/<int:number>/restore")
@access.requires("content.edit", at=place)
def restore(key: str, number: int) -> ResponseReturnValue:
    """Take a reason back."""
    finding = request.form.get("mark", "")
    return _do(
        key,
        number,
        lambda session, revision: overruling.restore(session, revision, finding),
        _("已取消保留。"),
    )


def _do(key: str, number: int, verb: Callable[[Session, Revision], None], done: str) -> ResponseReturnValue:
    try:
        with transaction() as session:
            verb(session, history.by_number(session, key, number))
        flash(done, "good")
    except DomainError as error:
        flash(str(error), "bad")
    return redirect(url_for("content_desk.piece", key=key, _anchor="check"))
