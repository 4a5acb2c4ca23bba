"""How often programs may ask the API: per token, and per address for those who show no valid one."""

import hashlib

import structlog
from flask import Flask, Response, request
from limits import RateLimitItem, parse
from werkzeug.exceptions import TooManyRequests

from tracking.api_description import PREFIX
from webapp.limiting import Limiter, network

log = structlog.get_logger()
RATES: dict[str, RateLimitItem] = {"api": parse("120/minute"), "api-refused": parse("60/minute")}


def register(app: Flask) -> None:
    """Count the API's requests, where rates are counted at all."""
    limiter: Limiter | None = app.extensions.get("signpost_limiter")
    if limiter is None:
        return
    limiter.rates.update(RATES)

    @app.before_request
    def check() -> None:
        if not request.path.startswith(PREFIX):
            return
        address = network(request.remote_addr or "")
        wait = limiter.spent("api-refused", address) or limiter.wait("api", _who(address))
        if wait:
            log.warning("too many requests", kind="api")
            raise TooManyRequests(retry_after=wait)

    @app.after_request
    def note(response: Response) -> Response:
        if response.status_code == 401 and request.path.startswith(PREFIX):
            limiter.wait("api-refused", network(request.remote_addr or ""))
        return response


def _who(address: str) -> str:
    """The token as a digest, so that no store of counts holds it; without one the address."""
    shown = request.headers.get("Authorization", "")
    return f"token {hashlib.sha256(shown.encode()).hexdigest()[:32]}" if shown else address
