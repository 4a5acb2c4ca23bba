"""What the running server answers to its own command line, which cannot open the embedded store beside it."""

import hmac
from dataclasses import asdict

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from core import clock
from core.database import Database
from core.errors import NotAllowed, NotFound
from core.http import reading, service
from core.i18n import mark
from core.settings import Settings
from institution import access
from institution.powers import WHOLE, Scope
from tracking import closing, periods, status
from tracking.desk import answer
from tracking.drain import Drain
from tracking.recorder import Recorder
from tracking.report_sender import Reports
from tracking.reports import InternalToken
from tracking.store import ReachStore

blueprint = Blueprint("tracking", __name__, url_prefix="/internal/reach")
HEADER = "X-Signpost-Token"


def check_token() -> None:
    """Refuse whoever has not read `server.json`; compared in constant time."""
    given = request.headers.get(HEADER, "").encode()
    if not hmac.compare_digest(given, service(InternalToken).value.encode()):
        raise NotAllowed(mark("这个地址只供本机命令行使用。"))


@blueprint.get("/report")
@access.public
def report() -> ResponseReturnValue:
    """The report that the command line asks for."""
    check_token()
    return answer(
        "inline", Scope(frozenset({WHOLE}))
    )  # whoever holds the token of server.json runs the machine


@blueprint.get("/status")
@access.public
def state() -> ResponseReturnValue:
    """What the store holds."""
    check_token()
    return jsonify(status.read(service(ReachStore), service(Settings), service(Recorder).waiting_drops()))


@blueprint.get("/verify")
@access.public
def verified() -> ResponseReturnValue:
    """The checks of `verify`, over the months that `from` and `to` touch."""
    check_token()
    first, last = (request.args.get(name, "") for name in ("from", "to"))
    with reading() as session:
        checks = closing.verify(
            service(ReachStore),
            session,
            service(Settings),
            first=periods.day(first, "from") if first else None,
            last=periods.day(last, "to") if last else None,
        )
    return jsonify([asdict(check) for check in checks])


@blueprint.post("/<verb>")
@access.public
def act(verb: str) -> ResponseReturnValue:
    """`drain`: ship what is in the spool; `rebuild`: compute all roll-ups from the raw rows again; `reports`:
    send what is due."""
    check_token()
    if verb == "drain":
        return jsonify({"shipped": service(Drain).run_once()})
    if verb == "rebuild":
        today = clock.today(service(Settings).zone)
        days, spans = closing.rebuild(service(ReachStore), service(Database), today)
        return jsonify({"days": days, "spans": spans})
    if verb == "reports":
        return jsonify({"posted": service(Reports).run_once()})
    raise NotFound(mark("没有这个操作。"))
