"""Public pages of playing a room: every step is a plain form, and its answer is the next page itself."""

from dataclasses import dataclass

from flask import Blueprint, Response, g, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from content.rooms import certificate, door, result
from content.rooms.certificate import Certificate
from content.rooms.games import Ready
from content.rooms.playing import Step, Table
from content.rooms.result import Result, Results
from content.rooms.stage import Stage
from core import clock
from core.errors import DomainError, Invalid
from core.http import render, service
from core.i18n import current_locale
from core.settings import Settings
from institution import access

blueprint = Blueprint("rooms", __name__, url_prefix="/play")


@dataclass(frozen=True, slots=True)
class AskPage:
    """The question before a play that goes on is left behind, or what is wrong with a state (`error`)."""

    key: str
    title: str
    going_on: str = ""
    clock: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class PlayPage:
    """A scene as a page of its own."""

    title: str
    theme: str
    scene: Markup


@blueprint.get("/<key>")
def look(key: str) -> ResponseReturnValue:
    """The play that goes on in this browser, else the room's own page."""
    sealed = request.cookies.get(door.COOKIE, "")
    if not sealed:
        service(Table).games.current(key)
        return redirect(f"/p/{key}", code=303)
    try:
        step = service(Table).resume(key, sealed, clock.now())
    except Invalid as error:
        return _asked(key, error=str(error)), 400
    return _scene(key, step)


@blueprint.post("/<key>")
@access.public
def step(key: str) -> ResponseReturnValue:
    """Begin, go on, or take a step. The page carries no token: nobody is signed in, the signed state is what is
    asked for, and who has another browser send a step changes only what that browser plays."""
    if request.form.get("do", "") == "start" or not request.form.get("state"):
        return _start(key)
    if request.form.get("do") == "certificate":
        return _certificate(key)
    try:
        taken = service(Table).take(key, request.form, clock.now(), request.environ)
    except Invalid as error:
        return _asked(key, error=str(error)), 400
    return _scene(key, taken)


@blueprint.get("/result/<token>")
def verified(token: str) -> ResponseReturnValue:
    """A certificate: what was learned, and that it is ours."""
    return _private(render("content/room_result.html", _certified(token)))


@blueprint.get("/result/<token>/picture.png")
def picture(token: str) -> Response:
    """The certificate as a picture to keep and to pass on."""
    answer = Response(certificate.png(_certified(token)), mimetype="image/png")
    answer.headers["Cache-Control"] = "private, max-age=86400"
    answer.headers["Content-Disposition"] = 'inline; filename="certificate.png"'
    return answer


@blueprint.post("/result/<token>/shared")
@access.public
def shared(token: str) -> ResponseReturnValue:
    """Count that it was passed on, once for each play; needs no token for the same reason as a step."""
    found = service(Results).verify(token)
    key = service(Table).games.of(found.revision).key
    service(Table).shared(key, found.play, clock.now(), request.environ)
    return "", 204


def _start(key: str) -> ResponseReturnValue:
    """A new play; asks first where another one goes on."""
    table, now, on = service(Table), clock.now(), request.form.get("clock") == "1"
    going_on = "" if request.form.get("fresh") == "1" else request.cookies.get(door.COOKIE, "")
    if going_on and not _is_over(key, going_on):
        return _asked(key, going_on=going_on, clock_on=on)
    return _scene(key, table.start(key, now, clock=on))


def _is_over(key: str, sealed: str) -> bool:
    """Whether the play of a cookie has ended, or cannot go on."""
    try:
        return bool(service(Table).resume(key, sealed, clock.now()).state.ending)
    except DomainError:
        return True


def _certificate(key: str) -> ResponseReturnValue:
    """Sign the result of a play that has ended, and lead to it."""
    nickname, now = request.form.get("nickname", ""), clock.now()
    try:
        done = service(Table).resume(key, request.form["state"], now)
    except Invalid as error:
        return _asked(key, error=str(error)), 400
    try:
        day = clock.today(service(Settings).zone)
        made = result.of(done.ready.game, done.play, done.state, day, nickname)
    except Invalid as error:
        return _scene(key, done, error=str(error), nickname=nickname), 400
    return redirect(f"/play/result/{service(Results).sign(made)}", code=303)


def _certified(token: str) -> Certificate:
    """What the certificate of a token says, in the language in force; NotFound when it is not ours."""
    found: Result = service(Results).verify(token)
    ready: Ready = service(Table).games.of(found.revision)
    settings = service(Settings)
    english = current_locale() == "en"
    house = settings.institution_name_en if english else settings.institution_name
    address = f"{settings.public_url}/play/result/{token}"
    return certificate.of(ready, found, current_locale(), address=address, house=house)


def _asked(key: str, *, going_on: str = "", clock_on: bool = False, error: str = "") -> Response:
    ready = service(Table).games.current(key)
    title = ready.game.room.title.of(current_locale())
    return _private(render("content/room_ask.html", AskPage(key, title, going_on, clock_on, error)))


def _scene(key: str, taken: Step, *, error: str = "", nickname: str = "") -> Response:
    room, lang = taken.ready.game.room, current_locale()
    drawn = service(Stage).html(taken, lang, elder=bool(g.get("elder")), error=error, nickname=nickname)
    answer = _private(render("content/room_play.html", PlayPage(room.title.of(lang), str(room.theme), drawn)))
    secure = service(Settings).public_url.startswith("https:")
    for name, value in door.cookies(key, taken, secure=secure):
        answer.headers.add(name, value)
    return answer


def _private(html: str) -> Response:
    """A page that is this browser's own."""
    data, packed = door.compressed(html.encode(), request.headers.get("Accept-Encoding", ""))
    answer = Response(data, mimetype="text/html")
    answer.headers.extend([*packed, ("Cache-Control", "no-store")])
    return answer
