"""Staff pages that carry a piece on: submit, take back, publish, have it belong elsewhere."""

from collections.abc import Callable
from datetime import date, datetime, time

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from content import history, lifecycle
from content.desk.routes import blueprint, place
from content.models import Revision
from core import clock
from core.errors import DomainError, Invalid
from core.http import service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access
from institution.working_days import WorkingDays


@blueprint.post("/pieces/<key>/<int:number>/submit")
@access.requires("content.edit", at=place)
def submit(key: str, number: int) -> ResponseReturnValue:
    """Ask others to review it."""
    reason = request.form.get("reason", "")

    def verb(session: Session, revision: Revision, me: int) -> None:
        due_at = _end_of(request.form.get("due_on", ""))
        lifecycle.submit(
            session,
            revision.id or 0,
            by=me,
            now=clock.now(),
            reason=reason,
            due_at=due_at,
            working=WorkingDays.of(service(Settings)),
            files_dir=service(Settings).files_dir,
        )

    return _do(key, number, verb, _("已提交，等另一位同事审查。"))


@blueprint.post("/pieces/<key>/<int:number>/take-back")
@access.requires("content.edit", at=place)
def take_back(key: str, number: int) -> ResponseReturnValue:
    """The submitter takes it back."""

    def verb(session: Session, revision: Revision, me: int) -> None:
        lifecycle.take_back(session, revision.id or 0, by=me, now=clock.now())

    return _do(key, number, verb, _("已撤回申请。"))


@blueprint.post("/pieces/<key>/<int:number>/publish")
@access.requires("content.publish", at=place)
def publish(key: str, number: int) -> ResponseReturnValue:
    """Put an approved revision on the site."""

    def verb(session: Session, revision: Revision, me: int) -> None:
        lifecycle.publish(session, revision.id or 0, by=me, now=clock.now())

    return _do(key, number, verb, _("已发布，网站上马上能看到。"))


@blueprint.post("/pieces/<key>/place")
@access.requires("content.edit", at=place)
def settle(key: str) -> ResponseReturnValue:
    """Have it belong to another part of the tree, over which the person also holds the permission."""
    code = request.form.get("outlet_code", "")
    try:
        with transaction() as session:
            access.signed_in().check(session, "content.edit", code)
            lifecycle.place(session, key, code)
        flash(_("已调整归属。"), "good")
    except DomainError as error:
        flash(str(error), "bad")
    return redirect(url_for("content_desk.piece", key=key))


def _end_of(day: str) -> datetime | None:
    """The end of a day in the institution's zone; None where none is given."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time(23, 59), tzinfo=service(Settings).zone)
    except ValueError as error:
        raise Invalid(mark("日期请写成 2026-09-15 这样。"), field="due_on") from error


def _do(
    key: str, number: int, verb: Callable[[Session, Revision, int], None], done: str
) -> ResponseReturnValue:
    """Carry a verb out on one revision, say what came of it, and go back to the piece."""
    me = access.signed_in().id
    try:
        with transaction() as session:
            verb(session, history.by_number(session, key, number), me)
        flash(done, "good")
    except DomainError as error:
        flash(str(error), "bad")
    return redirect(url_for("content_desk.piece", key=key))
