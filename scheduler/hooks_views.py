"""Where platforms tell what became of messages: no cookie, no sign-in, a secret address and the platform's signature."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from core.errors import NotFound
from core.http import service
from institution import access
from scheduler.hearing import LARGEST, Call, Hearing, Refused

blueprint = Blueprint("hooks", __name__, url_prefix="/hooks")


@blueprint.get("/<kind>/<token>")
def greet(kind: str, token: str) -> ResponseReturnValue:
    """Answer a platform that tries the address out before it calls there."""
    try:
        said = service(Hearing).greet(_call(kind, token))
    except NotFound:
        return Response(status=404)
    except Refused:
        return Response(status=403)
    return _answer(said.encode())


@blueprint.post("/<kind>/<token>")
@access.public
def hear(kind: str, token: str) -> ResponseReturnValue:
    """Take receipts; whoever is not believed learns no more than that."""
    request.max_content_length = LARGEST
    body = request.get_data(cache=False, parse_form_data=False)
    try:
        said = service(Hearing).hear(_call(kind, token, body))
    except NotFound:
        return Response(status=404)
    except Refused:
        return Response(status=403)
    return _answer(said)


def _call(kind: str, token: str, body: bytes = b"") -> Call:
    return Call(kind, token, dict(request.headers), request.args.to_dict(), body)


def _answer(said: bytes) -> Response:
    json = said[:1] == b"{"
    return Response(
        said, mimetype="application/json" if json else "text/plain", headers={"Cache-Control": "no-store"}
    )
