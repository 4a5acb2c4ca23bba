"""What visitors see of a short link that leads nowhere: a page that says why and leads on."""

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue

from core import clock
from core.errors import NotFound
from core.http import reading, service
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from tracking import links
from tracking.attribution import Attributions

blueprint = Blueprint("links", __name__)


@blueprint.get("/s/<code>")
def lost(code: str) -> ResponseReturnValue:
    """A link that is over (410) or never was (404); a live one seldom comes here, the door answers it."""
    with reading() as session:
        found = links.read(session, code)
    if found is None:
        raise NotFound(mark("没有这个短链接。可能少抄了一位，请对照原来的码再试一次。"))
    if found.live(clock.today(service(Settings).zone)):
        return redirect(links.target(found, service(Attributions)))
    sentence = _("这个短链接已经过期或停用。要看的内容多半还在，从这里继续找。")
    return render_template("error.html", status=410, sentence=sentence), 410
