"""The public page of a guest: one item, its preview, a form for the opinion; nothing else of the desk.

Who holds the link is the guest. Looking changes nothing (mail scanners open every link); the answer counts once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Blueprint, make_response, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from sqlmodel import Session

from core import clock
from core.errors import Conflict, Invalid, NotFound
from core.http import reading, render, transaction
from core.i18n import mark
from institution import access, approval_guests, approval_kinds, approval_search, audit
from institution.approval_guests import Asked
from institution.audit import Actor
from institution.desk import approval_lines

blueprint = Blueprint("review", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """What a guest sees: the item while it is open, else only that it is over. `token` leads to the preview."""

    state: str  # open, done, closed
    token: str = ""
    title: str = ""
    kind: str = ""
    name: str = ""
    by: str = ""
    reason: str = ""
    note: str = ""
    until: datetime | None = None
    facts: Sequence[tuple[str, str]] = ()
    previewed: bool = False
    decision: str = ""
    opinion: str = ""
    field: str | None = None
    fault: str = ""
    form: str = ""

    def at(self, name: str) -> str | None:
        """The fault if it is this field's."""
        return self.fault if name == self.field else None


@blueprint.get("/review/<token>")
def item(token: str) -> ResponseReturnValue:
    """The item and the form, while the link is good."""
    with reading() as session:
        asked = approval_guests.look(session, token)
        page = _page(session, asked, token)
    return _private("institution/review.html", page, 200 if page.state != "closed" else 410)


@blueprint.get("/review/<token>/preview")
def preview(token: str) -> ResponseReturnValue:
    """The thing itself, as a document for the frame."""
    with reading() as session:
        asked = approval_guests.look(session, token)
        if not approval_guests.is_open(session, asked, clock.now()):
            raise NotFound(mark("这个链接已经用过、过期或被撤销。"))
        document = approval_kinds.of(asked.approval.kind).preview(session, asked.approval)
    if document is None:
        raise NotFound(mark("这份申请没有可预览的内容。"))
    return _kept_private(make_response(document))


@blueprint.post("/review/<token>")
@access.public
def answer(token: str) -> ResponseReturnValue:
    """The guest's decision with their opinion; a refusal keeps what was typed."""
    decision, opinion = request.form.get("decision", ""), request.form.get("opinion", "")
    with reading() as session:
        guest = approval_guests.look(session, token).review.name
    try:
        with (
            audit.acting(Actor(None, guest, "link", request.remote_addr or "")),
            transaction() as session,
        ):
            approval_guests.answer(
                session, token, decision=decision, opinion=opinion, now=clock.now(), said=request.form
            )
    except Invalid as error:
        with reading() as session:
            asked = approval_guests.look(session, token)
            page = _page(session, asked, token)
            form = approval_kinds.of(asked.approval.kind).form(session, [asked.approval], request.form)
        page = replace(
            page, decision=decision, opinion=opinion, field=error.field, fault=str(error), form=form
        )
        return _private("institution/review.html", page, 400)
    except Conflict:  # used, revoked, decided or changed meanwhile
        with reading() as session:
            page = _page(session, approval_guests.look(session, token), token)
        page = ReviewPage("closed" if page.state == "open" else page.state, name=page.name)
        return _private("institution/review.html", page, 409)
    return _private("institution/review.html", ReviewPage("done", name=guest), 200)


def _page(session: Session, asked: Asked, token: str) -> ReviewPage:
    review, approval = asked.review, asked.approval
    if review.used_at is not None:
        return ReviewPage("done", name=review.name)
    if not approval_guests.is_open(session, asked, clock.now()):
        return ReviewPage("closed", name=review.name)
    kind = approval_kinds.of(approval.kind)
    names = approval_search.names(session, [review.invited_by])
    return ReviewPage(
        state="open",
        token=token,
        title=approval.title,
        kind=approval_lines.kind_name(approval.kind),
        name=review.name,
        by=names.get(review.invited_by, ""),
        reason=approval.reason,
        note=review.note,
        until=review.expires_at,
        facts=list(kind.facts(session, approval)),
        previewed=kind.preview(session, approval) is not None,
        form=kind.form(session, [approval], {}),
    )


def _private(template: str, page: ReviewPage, status: int) -> Response:
    answer = make_response(render(template, page), status)
    return _kept_private(answer)


def _kept_private(answer: Response) -> Response:
    """The address is the key: no cache, no search engine and no other site may get to know it."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
