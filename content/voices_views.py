"""Public pages by which readers say whether a piece helped: a button, then a reason and a few words if they like.

Forms of pages that are kept for everybody carry no token. Who posts from another site is refused by what the browser
says of where the form stood; each visitor counts once a day, and an address is kept nowhere.
"""

from dataclasses import dataclass

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from content import lifecycle
from content.listing import PublishedPiece
from content.voices import giving
from core import clock
from core.errors import DomainError, Invalid, NotFound
from core.http import reading as session_for_reading
from core.http import render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution import access
from tracking.recorder import Recorder

blueprint = Blueprint("voices", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class ThanksPage:
    """After the button: why, in a word, and a few words more; `done` when those were given too."""

    piece: PublishedPiece
    number: int
    helpful: bool
    done: bool = False
    error: str = ""
    reason: str = ""
    words: str = ""

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """The reasons to choose from."""
        return [(key, _(name)) for key, name in (giving.YES if self.helpful else giving.NO).items()]


@blueprint.post("/p/<key>/helpful")
@access.public
def say(key: str) -> ResponseReturnValue:
    """Keep an answer. The button alone leads to the page that asks why; with `more` that page has been filled in."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Invalid(mark("请回到那一页，用页面上的按钮来说。"))
    form, number = request.form, _number(request.form.get("number", ""))
    day = clock.today(service(Settings).zone)
    visitor = giving.who(service(Keys), service(Recorder).visitor(request.environ), key, day)
    try:
        answer = giving.said(form)
        with transaction() as session:
            giving.give(session, service(Vault), key, number, answer, who=visitor, day=day)
    except NotFound:
        raise
    except DomainError as error:
        return _thanks(key, error=str(error)), 400
    if form.get("more"):
        onward = url_for(".thanks", key=key, done=1)
    else:
        onward = url_for(".thanks", key=key, v=number, h=int(answer.helpful))
    return redirect(onward, code=303)


@blueprint.get("/p/<key>/helpful")
def thanks(key: str) -> ResponseReturnValue:
    """Thanks, and the question why."""
    return _thanks(key)


def _thanks(key: str, *, error: str = "") -> Response:
    with session_for_reading() as session:
        piece = lifecycle.published(session, key)
    if piece is None:
        raise NotFound(mark("没有找到这篇内容，可能已经更名或撤下。"))
    asked, form = request.args, request.form
    page = ThanksPage(
        piece,
        _number(form.get("number") or asked.get("v", "")),
        (form.get("helpful") or asked.get("h", "1")) == "1",
        done=asked.get("done") == "1",
        error=error,
        reason=form.get("reason", ""),
        words=form.get("words", "")[: 2 * giving.LONGEST],
    )
    answer = Response(render("content/thanks.html", page, longest=giving.LONGEST), mimetype="text/html")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
