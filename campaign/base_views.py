"""The screen of a waiting hall: its page, the worker that keeps it offline, pairing, and what it showed."""

from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from campaign.base import screens, showings, slides
from campaign.base.page import next_events
from campaign.base.screens import ScreenKeys
from core import clock
from core.database import Database
from core.errors import Invalid
from core.http import reading, render, service, transaction
from core.i18n import mark
from core.settings import Settings
from institution import access, audit
from institution.audit import Actor
from tracking.attribution import Attributions
from tracking.batches import Batches, OtherBody
from tracking.spool import SpoolError

WORKER = "js/screen_worker.js"
blueprint = Blueprint("screen", __name__, url_prefix="/screen")


@blueprint.get("/<code>")
def show(code: str) -> ResponseReturnValue:
    """The slides of an outlet, full screen. It is no page view: what it shows is counted as showings."""
    settings = service(Settings)
    with reading() as session:
        page = slides.screen_page(
            session,
            code,
            clock.today(settings.zone),
            attributions=service(Attributions),
            public_url=settings.public_url,
            events=next_events(session, code, settings.zone, clock.now()),
        )
    answer = make_response(render("campaign/base_screen.html", page))
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@blueprint.get("/worker.js")
def worker() -> ResponseReturnValue:
    """The service worker. It lies here so that its scope is `/screen/` and nothing else of the site."""
    path = Path(str(current_app.static_folder)) / WORKER
    answer = Response(path.read_bytes(), mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Service-Worker-Allowed"] = "/screen/"
    return answer


@blueprint.post("/<code>/pair")
@access.public
def pair(code: str) -> ResponseReturnValue:
    """Trade a pairing code for a key, once. It needs no token: who knows the code may use it."""
    said = request.get_json(silent=True)
    typed = said.get("code", "") if isinstance(said, dict) else ""
    visitor = Actor(None, "", "visitor", request.remote_addr or "")
    with audit.acting(visitor), transaction() as session:
        key = screens.pair(session, code, str(typed), service(ScreenKeys), now=clock.now())
    return jsonify(key=key)


@blueprint.post("/<code>/shown")
@access.public
def shown(code: str) -> ResponseReturnValue:
    """Keep what a paired screen showed. No cookie opens this: the key stands in a header that no other site can set."""
    now, keys = clock.now(), service(ScreenKeys)
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    with reading() as session:
        screen = screens.known(session, code, key.strip() if scheme.lower() == "bearer" else "", keys)
    batch = request.headers.get("Idempotency-Key", "")
    if not (batch.isascii() and batch.isprintable() and 1 <= len(batch) <= 100):
        raise Invalid(mark("请带上 Idempotency-Key，1 到 100 个可见的 ASCII 字符。"))
    found = showings.read(request.get_data(), code, service(Attributions), now)
    try:
        kept = showings.take(service(Database), service(Batches), screen, batch, found, now=now)
    except OtherBody as error:
        raise Invalid(error.message) from error
    except SpoolError:
        answer = make_response(jsonify(kept=0), 503)
        answer.headers["Retry-After"] = "30"
        return answer
    return jsonify(kept=kept)
