"""The door: a page that a phone keeps and that works without network, its list, and what it sends.

The page itself is the same for everybody and knows nothing; the key behind `#` stays in the phone and is sent as a
header. So these routes need no CSRF token: another site cannot set that header.
"""

import importlib.util
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from campaign.checkin import doors, guest_list, scanning
from campaign.checkin.doors import Shut
from core import clock
from core.errors import DomainError, NotFound
from core.http import reading, service, transaction
from core.i18n import gettext, mark
from core.privacy import Vault
from core.settings import Settings
from institution import access

blueprint = Blueprint("checkin", __name__, template_folder="templates", url_prefix=doors.PATH.rstrip("/"))
HEADER = "X-Door-Key"
_SCANNER = "lona_html5_qrcode"
_SCANNER_FILE = "static/lona-html5-qrcode/dist/html5-qrcode.min.js"


@blueprint.get("/")
def page() -> ResponseReturnValue:
    """The page, which holds no data of anybody; it may use the camera."""
    words = {verdict: gettext(said) for verdict, said in scanning.VERDICTS.items()}
    answer = make_response(
        render_template("campaign/door.html", verdicts=words, has_scanner=scanner() is not None)
    )
    answer.headers["Permissions-Policy"] = "camera=(self)"
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@blueprint.get("/worker.js")
def worker() -> ResponseReturnValue:
    """The service worker; it lies here so that it rules /door/ and nothing else."""
    answer = make_response(render_template("campaign/door_worker.js"))
    answer.headers["Content-Type"] = "text/javascript; charset=utf-8"
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@blueprint.get("/scanner.js")
def scanner_script() -> ResponseReturnValue:
    """The library that reads QR codes where a browser cannot; installed beside us, not part of us."""
    found = scanner()
    if found is None:
        raise NotFound(mark("这台服务器没有安装扫码组件，请输入签到码。"))
    answer = make_response(found.read_bytes())
    answer.headers["Content-Type"] = "text/javascript; charset=utf-8"
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer


@lru_cache(1)
def scanner() -> Path | None:
    """Where the library lies, None where it is not installed."""
    found = importlib.util.find_spec(_SCANNER)
    path = Path(found.origin).parent / _SCANNER_FILE if found and found.origin else None
    return path if path is not None and path.is_file() else None


@blueprint.post("/list")
@access.public
def names() -> ResponseReturnValue:
    """Who is expected, as little of it as a door needs."""
    now = clock.now()
    try:
        with transaction() as session:
            door = doors.opened(session, request.headers.get(HEADER, ""), now)
            doors.seen(session, door, now)
            occurrence_id = door.occurrence_id
        with reading() as session:
            found = guest_list.guest_list(session, service(Vault), occurrence_id, service(Settings).zone, now)
    except Shut as error:
        return _said(error, 410)
    return _kept(found.as_json())


@blueprint.post("/scans")
@access.public
def scans() -> ResponseReturnValue:
    """What happened at the door; a verdict for each act, the same when it is sent again."""
    now = clock.now()
    try:
        with transaction() as session:
            door = doors.opened(session, request.headers.get(HEADER, ""), now)
            acts = scanning.read(request.get_json(silent=True), now)
            verdicts = scanning.apply(session, door, acts, now)
    except Shut as error:
        return _said(error, 410)
    except DomainError as error:
        return _said(error, 400)
    return _kept({"verdicts": verdicts})


def _kept(values: dict[str, object]) -> Response:
    answer = jsonify(values)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _said(error: DomainError, status: int) -> Response:
    answer = _kept({"error": str(error)})
    answer.status_code = status
    return answer
