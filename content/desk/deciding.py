"""Staff pages that decide: submit, take back, review, publish, withdraw, and the queue of approvals."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from content import comparison, history, lifecycle
from content.comparison import Comparison
from content.desk.overview import names
from content.desk.routes import blueprint
from content.models import KIND_NAMES, Kind, Revision, State
from core import clock
from core.errors import DomainError
from core.http import reading as session_for_reading
from core.http import render, transaction
from core.i18n import gettext as _
from institution import access, approvals
from institution.models import Approval


@dataclass(frozen=True)
class Waiting:
    """One request that waits for this person."""

    request: Approval
    revision: Revision
    kind_name: str
    by: str


@dataclass(frozen=True)
class QueuePage:
    """What waits for this person's decision."""

    waiting: list[Waiting]


@dataclass(frozen=True)
class ReviewPage:
    """A submitted revision: how it looks, what changed against the site, who asks."""

    key: str
    revision: Revision
    published: Revision | None
    changes: Comparison | None
    by: str
    reason: str
    own: bool
    opinion: str = ""
    error: str = ""


@dataclass(frozen=True)
class WithdrawPage:
    """The question before something leaves the site."""

    key: str
    revision: Revision
    reason: str = ""
    error: str = ""


@blueprint.get("/approvals")
@access.requires("content.approve")
def queue() -> str:
    """Requests that this person may decide."""
    me = access.signed_in().id
    with session_for_reading() as session:
        waiting = [
            _waiting(session, one, revision)
            for one in approvals.waiting(session, kinds=[lifecycle.APPROVAL_KIND], not_by=me)
            if (revision := _submitted(session, one)) is not None
        ]
    return render("content/desk_approvals.html", QueuePage(waiting))


@blueprint.post("/pieces/<key>/<int:number>/submit")
@access.requires("content.edit")
def submit(key: str, number: int) -> ResponseReturnValue:
    """Ask a second person."""
    reason = request.form.get("reason", "")

    def verb(session: Session, revision: Revision, me: int) -> None:
        lifecycle.submit(session, revision.id or 0, by=me, now=clock.now(), reason=reason)

    return _do(key, number, verb, _("已提交，等另一位同事审查。"))


@blueprint.post("/pieces/<key>/<int:number>/take-back")
@access.requires("content.edit")
def take_back(key: str, number: int) -> ResponseReturnValue:
    """The submitter takes it back."""

    def verb(session: Session, revision: Revision, me: int) -> None:
        lifecycle.take_back(session, revision.id or 0, by=me, now=clock.now())

    return _do(key, number, verb, _("已撤回申请。"))


@blueprint.post("/pieces/<key>/<int:number>/publish")
@access.requires("content.publish")
def publish(key: str, number: int) -> ResponseReturnValue:
    """Put an approved revision on the site."""

    def verb(session: Session, revision: Revision, me: int) -> None:
        lifecycle.publish(session, revision.id or 0, by=me, now=clock.now())

    return _do(key, number, verb, _("已发布，网站上马上能看到。"))


@blueprint.get("/pieces/<key>/<int:number>/review")
@access.requires("content.approve")
def review(key: str, number: int) -> str:
    """Look at a submitted revision before deciding."""
    with session_for_reading() as session:
        return render("content/desk_review.html", _review_page(session, key, number))


@blueprint.post("/pieces/<key>/<int:number>/review")
@access.requires("content.approve")
def decide(key: str, number: int) -> ResponseReturnValue:
    """Approve or send back; a refusal keeps what was typed."""
    opinion, me, now = request.form.get("opinion", ""), access.signed_in().id, clock.now()
    verb = lifecycle.approve if request.form.get("decision") == "approve" else lifecycle.reject
    try:
        with transaction() as session:
            revision = history.by_number(session, key, number)
            verb(session, revision.id or 0, by=me, now=now, opinion=opinion)
    except DomainError as error:
        with session_for_reading() as session:
            page = _review_page(session, key, number, opinion=opinion, error=str(error))
        return render("content/desk_review.html", page), 400
    flash(_("已通过，可以发布了。") if verb is lifecycle.approve else _("已退回，并附上您的意见。"), "good")
    return redirect(url_for("content_desk.queue"))


@blueprint.get("/pieces/<key>/withdraw")
@access.requires("content.publish")
def ask_withdraw(key: str) -> ResponseReturnValue:
    """Ask before it leaves the site."""
    with session_for_reading() as session:
        revision = history.published_revision(session, key)
    if revision is None:
        flash(_("这篇内容现在没有发布，不需要撤下。"), "warn")
        return redirect(url_for("content_desk.piece", key=key))
    return render("content/desk_withdraw.html", WithdrawPage(key, revision))


@blueprint.post("/pieces/<key>/withdraw")
@access.requires("content.publish")
def withdraw(key: str) -> ResponseReturnValue:
    """Take it off every page."""
    reason, me = request.form.get("reason", ""), access.signed_in().id
    try:
        with transaction() as session:
            lifecycle.withdraw(session, key, by=me, now=clock.now(), reason=reason)
    except DomainError as error:
        with session_for_reading() as session:
            revision = history.published_revision(session, key)
        if revision is None:
            raise
        page = WithdrawPage(key, revision, reason, str(error))
        return render("content/desk_withdraw.html", page), 400
    flash(_("已从网站撤下。"), "good")
    return redirect(url_for("content_desk.piece", key=key))


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


def _review_page(
    session: Session, key: str, number: int, *, opinion: str = "", error: str = ""
) -> ReviewPage:
    revision = history.by_number(session, key, number)
    published = history.published_revision(session, key)
    asked = approvals.open_request(session, kind=lifecycle.APPROVAL_KIND, subject=key)
    by = asked.requested_by if asked else revision.author_id
    changes = None
    if published is not None:
        changes = comparison.compare(published.text, revision.text, published.media, revision.media)
    return ReviewPage(
        key=key,
        revision=revision,
        published=published,
        changes=changes,
        by=names(session, [by]).get(by, ""),
        reason=asked.reason if asked else "",
        own=by == access.signed_in().id,
        opinion=opinion,
        error=error,
    )


def _submitted(session: Session, request_: Approval) -> Revision | None:
    query = select(Revision).where(
        Revision.piece_key == request_.subject,
        Revision.hash == request_.subject_hash,
        Revision.state == State.submitted.value,
    )
    return session.exec(query.order_by(col(Revision.number).desc())).first()


def _waiting(session: Session, one: Approval, revision: Revision) -> Waiting:
    kind_name = KIND_NAMES[Kind(str(revision.meta["kind"]))]
    return Waiting(one, revision, kind_name, names(session, [one.requested_by]).get(one.requested_by, ""))
