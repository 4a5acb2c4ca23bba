"""One session at the desk: code and QR, the screen, who is in it, the end."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from campaign.play_sessions import boards, hosting
from campaign.play_sessions.boards import SessionBoard
from campaign.play_sessions.hosting import ScreenLinks
from campaign.play_sessions.models import PlayMember
from campaign.play_sessions_desk.routes import EDIT, VIEW, blueprint, session_place
from content.rooms.playing import Table
from core import clock
from core.http import reading, render, service, transaction
from core.i18n import current_locale
from core.i18n import gettext as _
from core.settings import Settings
from institution.access import requires, signed_in
from tracking import links


@dataclass(frozen=True, slots=True)
class ShowPage:
    """A session with its members; `join` and `qr` while one can join it."""

    board: SessionBoard
    members: Sequence[PlayMember]
    screen: str
    join: str
    qr: str
    may_edit: bool


@blueprint.get("/<int:number>")
@requires(VIEW, at=session_place)
def show(number: int) -> ResponseReturnValue:
    """The page of a session."""
    with reading() as session:
        found = boards.session_board(
            session, number, service(Table).games.find, current_locale(), clock.now()
        )
        members = hosting.members(session, number)
        may_edit = signed_in().may_at(session, EDIT, found.one.outlet_code)
    site = service(Settings).public_url
    join = f"{site}/play/join/{found.one.code}" if found.open and found.one.code else ""
    screen = site + service(ScreenLinks).screen(number)
    page = ShowPage(found, members, screen, join, links.qr_svg(join) if join else "", may_edit)
    return render("campaign/play_desk_show.html", page)


@blueprint.post("/<int:number>/end")
@requires(EDIT, at=session_place)
def end(number: int) -> ResponseReturnValue:
    """End it: the board stays as it is."""
    with transaction() as session:
        hosting.end(session, number, now=clock.now())
    flash(_("这一场结束了，成绩就停在这里。"), "good")
    return redirect(url_for(".show", number=number), code=303)


@blueprint.post("/<int:number>/members/<int:member>/hide")
@requires(EDIT, at=session_place)
def hide(number: int, member: int) -> ResponseReturnValue:
    """Take a nickname off screen and boards."""
    with transaction() as session:
        hosting.hide(session, number, member)
    flash(_("大屏和排行上不再出现这个昵称。"), "good")
    return redirect(url_for(".show", number=number), code=303)
