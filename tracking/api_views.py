"""The JSON API for programs: reach as the desk reports it, within the part of the tree that a token was given for."""

import json
from typing import Any

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import NotAllowed, NotFound
from core.http import reading, service, transaction
from core.i18n import mark
from core.settings import Settings
from institution import api_tokens
from institution.api_token_models import ApiToken
from institution.powers import Scope
from tracking import api_answers, api_description, export, periods, reports
from tracking.api_description import DIMENSIONS, LANG, ON, PREFIX, REACH
from tracking.reports import Ask
from tracking.store import ReachStore

blueprint = Blueprint("reach_api", __name__, url_prefix=PREFIX)
_BEARER = "Bearer "


@blueprint.get("/reach")
def reach() -> ResponseReturnValue:
    """The report that the address asks for, as JSON or CSV."""
    token = _token()
    given = api_description.read(REACH, _given())
    with reading() as session:
        given["within"] = _within(session, token.scope, given["within"])
        asked = _asked(given)
        etag = api_answers.state(service(ReachStore), session, asked, token.scope, given["format"])
        if request.if_none_match.contains_weak(etag):
            return _unchanged(etag)
        report = reports.report(service(ReachStore), session, asked)
        write, media_type = export.FORMATS[given["format"]]
        return _answer(write(report), media_type, etag)


@blueprint.get("/reach/definitions")
def definitions() -> ResponseReturnValue:
    """Every version of what counts as reach."""
    _token()
    api_description.read((LANG,), _given())
    with reading() as session:
        return _json(api_answers.every_definition(session))


@blueprint.get("/reach/dimensions/<name>")
def dimension(name: str) -> ResponseReturnValue:
    """Keys of a dimension and their names on a day."""
    token = _token()
    given = api_description.read((ON, LANG), _given())
    if name not in DIMENSIONS:
        raise NotFound(
            mark("没有“%(name)s”这个维度，可用的是 %(known)s。"), name=name[:40], known="、".join(DIMENSIONS)
        )
    on = periods.day(given["on"], "on") if given["on"] else clock.today(service(Settings).zone)
    with reading() as session:
        within = _within(session, token.scope, "")
        return _json(api_answers.dimension(service(ReachStore), session, name, on, within))


@blueprint.get("/openapi.json")
def description() -> ResponseReturnValue:
    """The OpenAPI document of all this; it says nothing that is secret, so it needs no token."""
    api_description.read((LANG,), _given())
    return _json(api_description.openapi(service(Settings).public_url))


def _given() -> dict[str, list[str]]:
    return {name: request.args.getlist(name) for name in request.args}


def _asked(given: dict[str, str]) -> Ask:
    asked = reports.ask(
        given["from"],
        given["to"],
        by=given["by"],
        compare=given["compare"],
        within=given["within"],
        base=given["base"],
        where=given["where"],
    )
    return Ask(asked.compared, asked.by, asked.within, asked.where, people=given["people"] == "true")


def _token() -> ApiToken:
    """The token that the request shows; 401 without a valid one, NotAllowed for one of another purpose."""
    shown = request.headers.get("Authorization", "")
    if not shown.startswith(_BEARER):
        abort(401)
    now = clock.now()
    with reading() as session:
        found = api_tokens.known(session, shown.removeprefix(_BEARER).strip(), now)
    if found is None:
        abort(401)
    if not found.may(api_tokens.READ):
        raise NotAllowed(mark("这个令牌没有“读取触达报告”的用途，请让管理员新建一个。"))
    if api_tokens.is_due(found, now):
        with transaction() as session:
            api_tokens.used(session, found.id or 0, now)
    return found


def _within(session: Session, scope: Scope, asked: str) -> str:
    """The part that is asked for if it is the token's, else the token's own; NotFound for any other, also for one
    that does not exist, so that nobody can try codes."""
    if scope.whole:
        return asked
    if not asked:
        return min(scope.tops)
    if not scope.covers(session, asked):
        raise NotFound(
            mark("没有找到编号为“%(code)s”的机构，请核对后再试。"), field="within", code=asked[:32]
        )
    return asked


def _json(content: dict[str, Any]) -> Response:
    """Something small, whose own digest is its name."""
    etag = api_answers.digest(content)
    if request.if_none_match.contains_weak(etag):
        return _unchanged(etag)
    return _answer((json.dumps(content, ensure_ascii=False) + "\n").encode(), "application/json", etag)


def _answer(body: bytes, media_type: str, etag: str) -> Response:
    return _named(Response(body, content_type=media_type), etag)


def _unchanged(etag: str) -> Response:
    return _named(Response(status=304), etag)


def _named(answer: Response, etag: str) -> Response:
    """Whoever keeps it asks again each time, and keeps it for nobody else."""
    answer.set_etag(etag)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Vary"] = "Authorization"
    return answer
