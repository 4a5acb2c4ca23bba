"""What the running server answers to its own command line, which cannot open the embedded store beside it."""

import hmac

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from core import clock
from core.database import Database
from core.errors import NotAllowed, NotFound
from core.http import service
from core.i18n import mark
from core.settings import Settings
from institution import access
from institution.powers import WHOLE, Scope
from tracking import closing, status
from tracking.desk import answer
from tracking.drain import Drain
from tracking.report_sender import Reports
from tracking.reports import InternalToken
from tracking.store import ReachStore

blueprint = Blueprint("tracking", __name__, url_prefix="/internal/reach")
HEADER = "X-Signpost-Token"


def _check() -> None:
    """Refuse whoever has not read `server.json`; compared in constant time."""
    given = request.headers.get(HEADER, "").encode()
    if not hmac.compare_digest(given, service(InternalToken).value.encode()):
        raise NotAllowed(mark("这个地址只供本机命令行使用。"))


@blueprint.get("/report")
@access.public
def report() -> ResponseReturnValue:
    """The report that the command line asks for."""
    _check()
    return answer(
        "inline", Scope(frozenset({WHOLE}))
    )  # whoever holds the token of server.json runs the machine


@blueprint.get("/status")
@access.public
def state() -> ResponseReturnValue:
    """What the store holds."""
    _check()
    return jsonify(status.read(service(ReachStore), service(Settings)))


@blueprint.post("/<verb>")
@access.public
def act(verb: str) -> ResponseReturnValue:
    """`drain`: ship what is in the spool; `rebuild`: compute all roll-ups from the raw rows again; `reports`:
    send what is due."""
    _check()
    if verb == "drain":
        return jsonify({"shipped": service(Drain).run_once()})
    if verb == "rebuild":
        today = clock.today(service(Settings).zone)
        days, spans = closing.rebuild(service(ReachStore), service(Database), today)
        return jsonify({"days": days, "spans": spans})
    if verb == "reports":
        return jsonify({"posted": service(Reports).run_once()})
    raise NotFound(mark("没有这个操作。"))
