"""Parallel questions about what a room teaches: before playing, after it, and weeks later by a link that was kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from content.escape_room.learning import Asked, Marked, Phase
from content.rooms import answers, door, learners
from content.rooms.games import Ready
from content.rooms.learners import LATER_DAYS, Invitation, Invitations, Learner
from content.rooms.playing import Table
from core import clock
from core.errors import Invalid
from core.http import render, service, transaction
from core.i18n import current_locale, mark
from core.i18n import gettext as _
from core.settings import Settings
from institution import access
from tracking import links
from tracking.dimensions import AUDIENCES

blueprint = Blueprint("questions", __name__, url_prefix="/play")


@dataclass(frozen=True, slots=True)
class QuestionPage:
    """The questions of a phase, as a form. `going_on`: a play of this browser would be left behind."""

    ready: Ready
    phase: Phase
    token: str
    questions: Sequence[Asked]
    going_on: bool = False
    wait_until: date | None = None

    @property
    def title(self) -> str:
        """What the room is called."""
        return self.ready.game.room.title.of(current_locale())

    @property
    def audiences(self) -> list[tuple[str, str]]:
        """Groups to choose from, or none."""
        return [("", _("不选")), *((key, _(name)) for key, name in AUDIENCES.items())]

    @property
    def lang(self) -> str:
        """The language of the texts."""
        return current_locale()


@dataclass(frozen=True, slots=True)
class DonePage:
    """What was right and why; after playing with the link for weeks later."""

    ready: Ready
    phase: Phase
    marked: Sequence[tuple[str, Marked]]
    link: str
    qr: str
    day: date | None

    @property
    def title(self) -> str:
        """What the room is called."""
        return self.ready.game.room.title.of(current_locale())

    @property
    def lang(self) -> str:
        """The language of the texts."""
        return current_locale()

    @property
    def right(self) -> int:
        """How many were right."""
        return sum(one.right for _fact, one in self.marked)


@blueprint.get("/<key>/before")
def before(key: str) -> ResponseReturnValue:
    """Questions before playing; who skips them just plays."""
    ready = service(Table).games.current(key)
    learner = learners.new()
    found = learners.asked(ready.game.room, "before", learner)
    if not found:
        return redirect(f"/p/{key}", code=303)
    token = service(Invitations).sign(Invitation(learner, ready.revision))
    going_on = bool(request.cookies.get(door.COOKIE))
    return _private(
        render("content/room_questions.html", QuestionPage(ready, "before", token, found, going_on))
    )


@blueprint.post("/<key>/before")
@access.public
def begin(key: str) -> ResponseReturnValue:
    """Keep the answers and begin. Nobody is signed in; the signed form is what is asked for."""
    form, now = request.form, clock.now()
    invited = service(Invitations).read(form.get("token", ""))
    ready = service(Table).games.current(key)
    audience = form.get("audience", "")
    learner = invited.learner._replace(audience=audience if audience in AUDIENCES else "")
    if ready.revision == invited.revision and form.get("do") == "answer":
        _keep(ready, learner, "before")
    step = service(Table).start(key, now, clock=form.get("clock") == "1", learner=learner.packed())
    answer = redirect(f"/play/{key}", code=303)
    secure = service(Settings).public_url.startswith("https:")
    answer.headers.extend(door.cookies(key, step, secure=secure))
    return answer


@blueprint.post("/<key>/after")
@access.public
def after(key: str) -> ResponseReturnValue:
    """Questions after a play that has ended; the signed state says whose play."""
    done = service(Table).resume(key, request.form.get("state", ""), clock.now())
    if not done.state.ending:
        raise Invalid(mark("还没有走到结局，先玩完再来答题。"))
    invited = Invitation(learners.of_play(done.play), done.ready.revision, _today())
    found = learners.asked(done.ready.game.room, "after", invited.learner)
    token = service(Invitations).sign(invited)
    return _private(render("content/room_questions.html", QuestionPage(done.ready, "after", token, found)))


@blueprint.get("/later/<token>")
def later(token: str) -> ResponseReturnValue:
    """Questions weeks later, for whoever kept the link; before that it says from when."""
    invited, ready = _invited(token)
    found = learners.asked(ready.game.room, "later", invited.learner)
    until = _later_from(invited)
    page = QuestionPage(ready, "later", token, found, wait_until=until if _today() < until else None)
    return _private(render("content/room_questions.html", page))


@blueprint.post("/answers/<token>")
@access.public
def answer(token: str) -> ResponseReturnValue:
    """Keep answers after playing or weeks later, once, and say what is right. The token alone decides of whom."""
    invited, ready = _invited(token)
    phase: Phase = "later" if request.form.get("phase") == "later" else "after"
    if phase == "later" and _today() < _later_from(invited):
        raise Invalid(mark("还没到时候，请过几天再来。"))
    marked = _keep(ready, invited.learner, phase)
    link = f"{service(Settings).public_url}/play/later/{token}" if phase == "after" else ""
    day = _later_from(invited) + timedelta(days=7) if link else None
    page = DonePage(ready, phase, marked, link, links.qr_svg(link) if link else "", day)
    return _private(render("content/room_answered.html", page))


def _keep(ready: Ready, learner: Learner, phase: Phase) -> list[tuple[str, Marked]]:
    picks = {
        name: int(text)
        for name in ready.game.room.facts
        if (text := request.form.get(f"fact-{name}", "")).isdecimal() and text.isascii() and len(text) < 3
    }
    with transaction() as session:
        return answers.take(session, ready, (learner, phase), picks, _today())


def _invited(token: str) -> tuple[Invitation, Ready]:
    invited = service(Invitations).read(token)
    if invited.day is None:
        raise Invalid(mark("先玩完这个密室，再来答这几道题。"))
    return invited, service(Table).games.of(invited.revision)


def _later_from(invited: Invitation) -> date:
    return (invited.day or _today()) + timedelta(days=LATER_DAYS)


def _today() -> date:
    return clock.today(service(Settings).zone)


def _private(html: str) -> Response:
    """A page that is this browser's own."""
    page = Response(html, mimetype="text/html")
    page.headers["Cache-Control"] = "no-store"
    return page
