"""What the running server answers to `signpost reach growth|funnel|targets`; shown the token of server.json."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from core import clock
from core.errors import NotFound
from core.http import reading, service
from core.i18n import mark
from core.settings import Settings
from institution import access
from tracking import asked, sheets
from tracking.insight_desk.frame import file_of
from tracking.store import ReachStore
from tracking.views import check_token

blueprint = Blueprint("tracking_insight", __name__, url_prefix="/internal/reach/insight")


@blueprint.get("/<what>")
@access.public
def insight(what: str) -> ResponseReturnValue:
    """Growth, funnel or targets as a sheet in the format asked for."""
    check_token()
    given = request.args.to_dict()
    form = given.pop("format", "json")
    if what not in asked.SHEETS or form not in sheets.FORMATS:
        raise NotFound(mark("没有这个操作。"))
    given.pop("lang", None)
    with reading() as session:
        sheet = asked.SHEETS[what](service(ReachStore), session, given, clock.today(service(Settings).zone))
    return file_of(sheet, form, "inline")
