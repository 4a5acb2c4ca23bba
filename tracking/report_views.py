"""The public page by which a reader of a report says no: looking changes nothing, a POST takes them off."""

from dataclasses import dataclass

from flask import Blueprint
from flask.typing import ResponseReturnValue

from core.errors import NotFound
from core.http import reading, render, service, transaction
from core.signing import Keys
from institution import access, audit
from institution.audit import Actor
from tracking import subscriptions
from tracking.report_readers import LEAVE, LeaveLinks

blueprint = Blueprint("report_views", __name__, template_folder="templates")
READER = Actor(None, "reader", "link")


@dataclass(frozen=True, slots=True)
class LeavePage:
    """Which report, and whether it is done."""

    name: str
    done: bool


@blueprint.get(LEAVE + "<token>")
def leaving(token: str) -> ResponseReturnValue:
    """Ask once more; mail scanners open every link."""
    number, person = LeaveLinks(service(Keys)).read(token)
    with reading() as session:
        found = subscriptions.get(session, number)
        on = subscriptions.gets(session, number, person) is not None
        return render("tracking/report_leave.html", LeavePage(found.name, done=not on))


@blueprint.post(LEAVE + "<token>")
@access.public
def unsubscribe(token: str) -> ResponseReturnValue:
    """Take the reader off: by the button, or by the mail program itself (RFC 8058: no cookie, no sign-in)."""
    number, person = LeaveLinks(service(Keys)).read(token)
    with audit.acting(READER), transaction() as session:
        try:
            found = subscriptions.hold(session, number)
        except NotFound:
            return render("tracking/report_leave.html", LeavePage("", done=True))
        subscriptions.leave(session, found, person)
        return render("tracking/report_leave.html", LeavePage(found.name, done=True))
