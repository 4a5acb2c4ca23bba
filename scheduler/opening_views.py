"""The link of a message: says which message was opened, then shows the page. Counting never breaks a page."""

import structlog
from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from core import clock
from core.http import transaction
from scheduler import openings
from tracking import bots

log = structlog.get_logger()
blueprint = Blueprint("opening", __name__)


@blueprint.get(f"/{openings.PREFIX}/<key>/", defaults={"path": ""})
@blueprint.get(f"/{openings.PREFIX}/<key>/<path:path>")
def go(key: str, path: str) -> ResponseReturnValue:
    """Note the message as opened by a person, and lead to the page; programs that try every link are no person."""
    if request.method == "GET" and not bots.reason_of(request.environ):
        try:
            with transaction() as session:
                openings.note(session, key, clock.now())
        except Exception:
            log.exception("an opening was not noted")
    answer = redirect(openings.target(path, request.query_string.decode("ascii", "replace")), code=302)
    answer.headers["Cache-Control"] = "no-store"
    return answer
