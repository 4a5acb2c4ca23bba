"""The institution's own colours and logo for pages: a stylesheet that is generated, since the policy allows no inline style."""

import hashlib

from flask import Blueprint, Response, request

from content import logo
from core import brand
from core.errors import NotFound
from core.http import service
from core.i18n import mark
from core.settings import Settings

blueprint = Blueprint("branding", __name__)

_FOREVER = "public, max-age=31536000, immutable"
_PICTURE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
_MISSING = mark("没有设置机构标志或颜色。")


@blueprint.get("/brand.css")
def colours() -> Response:
    """The tokens that the institution's colours replace."""
    text = brand.stylesheet(service(Settings))
    if not text:
        raise NotFound(_MISSING)
    return _kept(Response(text, mimetype="text/css"), _version(text.encode()))


@blueprint.get("/brand/logo")
def picture() -> Response:
    """The logo, harmless."""
    found = logo.of(service(Settings))
    if found is None:
        raise NotFound(_MISSING)
    answer = Response(found.data, mimetype=found.media_type)
    answer.headers["Content-Security-Policy"] = _PICTURE_POLICY
    return _kept(answer, found.version)


def stylesheet_url(settings: Settings) -> str:
    """The address of the stylesheet, empty where there are no colours of its own."""
    text = brand.stylesheet(settings)
    return f"/brand.css?v={_version(text.encode())}" if text else ""


def logo_url(settings: Settings) -> str:
    """The address of the logo, empty where the signpost stands."""
    found = logo.of(settings)
    return f"/brand/logo?v={found.version}" if found else ""


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:10]


def _kept(answer: Response, version: str) -> Response:
    answer.headers["Cache-Control"] = _FOREVER if request.args.get("v") == version else "no-cache"
    return answer
