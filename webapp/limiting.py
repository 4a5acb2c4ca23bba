"""How much, and how often: limits on the rate and the size of requests, checked before anything is read.

Counted per person where somebody is signed in, else per address (IPv6: per /64). Generous on purpose: a whole
branch, or a mail provider that unsubscribes for its users, stands behind one address; what hinders guessing of
passwords is `institution.throttle`.
"""

import ipaddress
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from flask import Flask, Request, abort, current_app, request
from flask_login import current_user
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter
from werkzeug.exceptions import TooManyRequests

from core.plain_forms import COUNTED
from webapp.counting import CountingMemory

log = structlog.get_logger()
KIB, MIB = 1024, 1024 * 1024
# Forms, with room for the longest article; files only from somebody who is signed in.
LARGEST_FORM, LARGEST_UPLOAD = 2 * MIB, 32 * MIB
# A million contacts, for who may import them; kept on disk, not in memory.
CONTACTS, LARGEST_CONTACTS = "/desk/audience/import", 512 * MIB
MOST_FIELDS, MOST_PARTS = 10_000, 1_000
LONGEST_ADDRESS, LONGEST_COOKIES, MOST_HEADERS = 8 * KIB, 16 * KIB, 100
_FILES = (".csv", ".xlsx", ".jsonl", ".json", ".zip", "/export")
RATES: dict[str, RateLimitItem] = {
    "sign-in": parse("120/minute"),
    "unsubscribe": parse("3000/minute"),
    "public": parse("300/minute"),
    "receipts": parse("6000/minute"),  # of one platform, which sends them as they come
    "search": parse("600/minute"),  # of a hall behind one address; each costs some hundredths of a second
    "play": parse("3000/minute"),  # steps of rooms: a hall of phones plays behind one address
    "join": parse("900/minute"),  # of sessions by code and nickname: a hall of phones, in the same minute
    "register": parse("120/minute"),  # forms that were worked for
    "register-plain": parse("20/10minute"),  # forms from browsers without script, which only had to wait
    "browser": parse("120/minute"),  # that ask to be told, move or stop; each keeps a row
    "batch": parse("600/minute"),  # of one token; 500 events each
    "upload": parse("30/minute"),
    "export": parse("30/minute"),
    "write": parse("300/minute"),
}


@dataclass(frozen=True, slots=True)
class Limiter:
    """Counts requests by kind and by whom; a store that is down lets through rather than closing the site."""

    strategy: SlidingWindowCounterRateLimiter
    rates: dict[str, RateLimitItem]

    @classmethod
    def of(cls, storage: str) -> "Limiter":
        """Over a storage address of the `limits` library."""
        if storage.startswith("memory:"):
            storage = f"{CountingMemory.STORAGE_SCHEME[0]}://"
        store = storage_from_string(storage, wrap_exceptions=True)
        return cls(SlidingWindowCounterRateLimiter(store), dict(RATES))

    def wait(self, kind: str, who: str) -> int:
        """Count one request; 0 if it may go on, else the seconds to wait."""
        rate = self.rates[kind]
        try:
            if self.strategy.hit(rate, kind, who):
                return 0
            reset = self.strategy.get_window_stats(rate, kind, who).reset_time
        except StorageError:
            log.warning("rates cannot be counted; the request goes on")
            return 0
        return max(1, math.ceil(reset - time.time()))

    def spent(self, kind: str, who: str) -> int:
        """Count nothing; 0 while one more would be let through, else the seconds to wait."""
        rate = self.rates[kind]
        try:
            if self.strategy.test(rate, kind, who):
                return 0
            reset = self.strategy.get_window_stats(rate, kind, who).reset_time
        except StorageError:
            return 0
        return max(1, math.ceil(reset - time.time()))


def register(app: Flask, storage: str) -> None:
    """Check every request; to be called before anything else reads forms. An empty storage counts no rates."""
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_FORM, MAX_FORM_MEMORY_SIZE=LARGEST_FORM, MAX_FORM_PARTS=MOST_PARTS
    )
    if storage:
        app.extensions["signpost_limiter"] = Limiter.of(storage)
    app.before_request(_check_size)
    app.before_request(_check_rate)


def _check_size() -> None:
    """Refuse what is too long before it is read."""
    if len(request.environ.get("RAW_URI") or request.full_path) > LONGEST_ADDRESS:
        abort(414)
    if len(request.headers.get("Cookie", "")) > LONGEST_COOKIES or len(request.headers) > MOST_HEADERS:
        abort(431)
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if request.path.startswith("/hooks/"):
        return  # read as it is, whatever it calls itself; `scheduler.hooks_views` limits it
    if request.mimetype == "multipart/form-data":
        if request.path.startswith("/desk") and current_user.is_authenticated:
            wide = request.path == CONTACTS and current_user.may("audience.edit")
            request.max_content_length = LARGEST_CONTACTS if wide else LARGEST_UPLOAD
    elif (request.content_length or 0) <= LARGEST_FORM and len(request.form) > MOST_FIELDS:
        abort(413)


def _check_rate() -> None:
    limiter: Limiter | None = current_app.extensions.get("signpost_limiter")
    kind = kind_of(request)
    if limiter is None or not kind or request.environ.get(COUNTED):
        return
    wait = limiter.wait(kind, _who(kind))
    if wait:
        log.warning("too many requests", kind=kind)
        raise TooManyRequests(retry_after=wait)


def kind_of(asked: Request) -> str:
    """What a request is counted as; "" when it is not (reading pages costs little and is cached)."""
    view = current_app.view_functions.get(asked.endpoint or "")
    writes = asked.method == "POST"
    if not asked.path.startswith("/desk"):
        return _public_kind(asked) if view and (writes or asked.endpoint == "finding.search") else ""
    if getattr(view, "permission", "") == "public":
        return "sign-in" if writes or "/oidc" in asked.path else ""
    if writes:
        return "upload" if asked.mimetype == "multipart/form-data" else "write"
    return "export" if asked.args.get("export") or asked.path.endswith(_FILES) else ""


def _public_kind(asked: Request) -> str:
    endpoint = asked.endpoint or ""
    if endpoint == "registration.register":
        return registering_kind(asked.form)
    named = {
        "finding.search": "search",
        "rooms.step": "play",
        "play_together.join_session": "join",
        "hooks.hear": "receipts",
    }
    if endpoint in named:
        return named[endpoint]
    if endpoint.startswith("browser_push."):  # whether it is told is asked with every page
        return "play" if endpoint.endswith(".standing") else "browser"
    return "unsubscribe" if endpoint.endswith("unsubscribe") else "public"


def registering_kind(form: Mapping[str, str]) -> str:
    """What a form of registration is counted as."""
    return "register" if form.get("proof") else "register-plain"


def _who(kind: str) -> str:
    if kind in ("upload", "export", "write") and current_user.is_authenticated:
        return f"staff {current_user.id}"
    return network(request.remote_addr or "")


def network(address: str) -> str:
    """An address as it is counted: IPv6 by the /64 that one customer gets."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if found.version == 6 else address
