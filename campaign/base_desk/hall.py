"""Screens of a waiting hall on the desk: make one, whose pairing code is shown once, and end one."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from campaign.base import screens
from campaign.base_desk.one import page
from campaign.base_desk.routes import EDIT, blueprint, of_node, of_screen
from core import clock
from core.errors import DomainError
from core.http import reading, transaction
from core.i18n import gettext as _
from institution import access


@blueprint.post("/<code>/screens")
@access.requires(EDIT, at=of_node)
def make_screen(code: str) -> ResponseReturnValue:
    """A new screen. The code is on this answer alone; who loses it makes another screen."""
    try:
        with transaction() as session:
            by = access.signed_in().id
            made = screens.make(session, code, request.form.get("name", ""), by=by, now=clock.now())
    except DomainError as error:
        with reading() as session:
            return page(session, code, error=error), 400
    with reading() as session:
        return page(session, code, made=made)


@blueprint.post("/<code>/screens/<int:screen>/end")
@access.requires(EDIT, at=of_screen)
def end_screen(code: str, screen: int) -> ResponseReturnValue:
    """Have a screen count no more; it goes on showing."""
    with transaction() as session:
        screens.end(session, screens.get(session, screen), now=clock.now())
    flash(_("已停用，这块屏幕的播放不再计入。"), "good")
    return redirect(url_for(".show", code=code, _anchor="screens"), code=303)
