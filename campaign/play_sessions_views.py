"""Playing together, as visitors meet it: joining by code, the screen of the hall, the board for phones."""

import secrets
from dataclasses import dataclass

from flask import Blueprint, Response, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.play_sessions import boards, hosting, joining
from campaign.play_sessions.boards import SessionBoard
from campaign.play_sessions.hosting import ScreenLinks
from campaign.play_sessions.joining import Joining
from campaign.play_sessions.progress import group_of
from content.rooms import door
from content.rooms.games import Ready
from content.rooms.playing import Table
from core import clock
from core.errors import DomainError, NotFound
from core.http import reading, render, service, transaction
from core.i18n import current_locale
from core.settings import Settings
from institution import access, places
from tracking import links, visitors

blueprint = Blueprint("play_together", __name__)
EVERY_SECONDS = 3  # a screen asks again


@dataclass(frozen=True, slots=True)
class CodePage:
    """The form for the six digits, with what was typed and what is wrong with it."""

    typed: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class NamePage:
    """The form for a nickname, in a session that was found."""

    code: str
    outlet: str
    room: Ready
    ticket: str
    nickname: str = ""
    hidden: bool = False
    error: str = ""

    @property
    def title(self) -> str:
        """What is played."""
        return self.room.game.room.title.of(current_locale())

    @property
    def summary(self) -> str:
        """What it is about."""
        return self.room.game.room.summary.of(current_locale())


@dataclass(frozen=True, slots=True)
class ScreenPage:
    """A session on the hall's screen: how it stands, how to join, where to ask again."""

    board: SessionBoard
    token: str
    address: str
    qr: str
    every: int = EVERY_SECONDS


@blueprint.get("/play/join")
def join() -> ResponseReturnValue:
    """Ask for the code; with `?code=` go where it leads."""
    typed = request.args.get("code", "")
    if not typed:
        return _private(render("campaign/play_join.html", CodePage()))
    try:
        with reading() as session:
            found = hosting.by_code(session, typed, clock.now())
    except NotFound as error:
        return _private(render("campaign/play_join.html", CodePage(typed[:12], str(error)))), 404
    return redirect(url_for(".name", code=found.code), code=303)


@blueprint.get("/play/join/<code>")
def name(code: str) -> ResponseReturnValue:
    """Ask for a nickname."""
    try:
        return _named(code, secrets.token_urlsafe(16))
    except NotFound as error:
        return _private(render("campaign/play_join.html", CodePage(code[:12], str(error)))), 404


@blueprint.post("/play/join/<code>")
@access.public
def join_session(code: str) -> ResponseReturnValue:
    """Join and begin. It needs no token: nobody is signed in, and it changes only what this browser plays."""
    form, now, table = request.form, clock.now(), service(Table)
    wanted = Joining(form.get("nickname", ""), form.get("hidden") == "1", form.get("ticket", "")[:64])
    try:
        with transaction() as session:
            one = hosting.by_code(session, code, now)
            member = joining.join(session, one, wanted, now=now)
            group = group_of(one.id or 0, member.id or 0)
            step = table.start(one.piece_key, now, clock=False, group=group)
            joining.seat(session, member, step.play.id, len(step.ready.game.bolts))
    except NotFound as error:
        return _private(render("campaign/play_join.html", CodePage(code[:12], str(error)))), 404
    except DomainError as error:
        return _named(code, wanted.ticket, error), 409
    answer = redirect(f"/play/{one.piece_key}", code=303)
    secure = service(Settings).public_url.startswith("https:")
    headers = door.cookies(one.piece_key, step, secure=secure)
    if not visitors.from_cookie(request.headers.get("Cookie", "")):  # phones of a hall share one address
        headers.append(visitors.cookie_header(visitors.new_visitor(), secure=secure))
    answer.headers.extend(headers)
    return answer


@blueprint.get("/play/board/<token>")
def board(token: str) -> ResponseReturnValue:
    """The board of a session, for phones."""
    with reading() as session:
        page = _board(session, service(ScreenLinks).board_of(token))
    return _private(render("campaign/play_board.html", page))


@blueprint.get("/screen/play/<token>")
def screen(token: str) -> ResponseReturnValue:
    """The hall's screen: how to join, how all get on, the board. It is no page view."""
    return _private(render("campaign/play_screen.html", _screen(token)))


@blueprint.get("/screen/play/<token>/now")
def screen_now(token: str) -> ResponseReturnValue:
    """What changes on the screen, for its script."""
    return _private(render("campaign/play_screen_now.html", _screen(token)))


def _screen(token: str) -> ScreenPage:
    with reading() as session:
        found = _board(session, service(ScreenLinks).screen_of(token))
    address = f"{service(Settings).public_url}/play/join"
    code = found.one.code if found.open else None
    return ScreenPage(found, token, address, links.qr_svg(f"{address}/{code}") if code else "")


def _board(session: Session, number: int) -> SessionBoard:
    return boards.session_board(session, number, service(Table).games.find, current_locale(), clock.now())


def _named(code: str, ticket: str, error: DomainError | None = None) -> Response:
    with reading() as session:
        one = hosting.by_code(session, code, clock.now())
        outlet = places.name(session, one.outlet_code)
    form = request.form
    page = NamePage(
        one.code or "", outlet, service(Table).games.current(one.piece_key), ticket or secrets.token_urlsafe(16),
        form.get("nickname", "")[:24], form.get("hidden") == "1", str(error) if error else "",
    )  # fmt: skip
    return _private(render("campaign/play_name.html", page))


def _private(html: str) -> Response:
    """A page that changes from one moment to the next."""
    answer = make_response(html)
    answer.headers["Cache-Control"] = "no-store"
    return answer
