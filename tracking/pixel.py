"""The 1-pixel picture `GET /r/p.gif?k=<sealed>&a=<token>`, for mail and for pages without JavaScript.

What it counts is sealed: the first letter of `k` names the kind, and each kind has a signing key of its own, so
that neither the kind nor the keys can be chosen by who shows the picture. The picture is always answered; what
is dropped is counted with its reason. It sets no cookie: in a mail it is shown by another site.
"""

import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import structlog

from core.settings import Settings
from core.signing import Keys
from tracking import bots, visitors
from tracking.attribution import PARAMETER, Attribution, Attributions, PageKeys, pack, unpack
from tracking.events import Stamps, new_event, to_line
from tracking.recorder import (
    COOKIE,
    DIRECT,
    FAILED,
    FORGED_ATTRIBUTION,
    FORGED_KEYS,
    HEAD,
    MALFORMED,
    NOT_KEPT,
)
from tracking.spool import Spool, SpoolError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/r/p.gif"
SOURCE = "pixel"
KINDS = {"v": "visited", "e": "engaged", "c": "completed", "s": "shared"}
GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
_HEADERS = [
    ("Content-Type", "image/gif"),
    ("Content-Length", str(len(GIF))),
    ("Cache-Control", "no-store, private"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),  # web mail shows it within its own site
    ("X-Content-Type-Options", "nosniff"),
]
_LONGEST = 1024  # characters of a query; ours have about 150
_COOKIE = re.compile(rf"(?:^|; ?){COOKIE}=([\w-]+)(?:;|$)", re.ASCII)

log = structlog.get_logger()


class Pixels:
    """Seals what a picture counts, and unseals it."""

    def __init__(self, keys: Keys) -> None:
        self._keys = {letter: keys.derive(f"tracking/pixel/{kind}") for letter, kind in KINDS.items()}

    def seal(self, kind: str, keys: PageKeys) -> str:
        """The `k` of a picture that counts one `kind` (visited, engaged, completed, shared). ValueError: no such."""
        letter = next((letter for letter, name in KINDS.items() if name == kind), "")
        if not letter:
            raise ValueError(f"a picture cannot count {kind!r}")
        return letter + pack(self._keys[letter], (keys.piece, keys.campaign, keys.outlet))

    def unseal(self, sealed: str) -> tuple[str, PageKeys] | None:
        """The kind and the keys of a `k`, or None when it was not sealed by us for this kind."""
        key = self._keys.get(sealed[:1])
        fields = unpack(key, sealed[1:]) if key else None
        return (KINDS[sealed[0]], PageKeys(*fields)) if fields else None

    def path(self, kind: str, keys: PageKeys, token: str = "") -> str:
        """The path of a picture below the site's address."""
        return f"{PATH}?k={self.seal(kind, keys)}" + (f"&{PARAMETER}={token}" if token else "")


class PixelDoor:
    """WSGI middleware: answers GET and HEAD of the picture, hands everything else to `app`."""

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        spool: Spool,
        pixels: Pixels,
        attributions: Attributions,
        settings: Settings,
        count_drop: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app, self._spool, self._pixels, self._attributions = app, spool, pixels, attributions
        self._zone, self._proxies, self._stamps = (
            settings.zone,
            settings.trusted_proxies,
            Stamps(settings.zone),
        )
        self._hash = visitors.DailyHash(settings.home / "salts")
        self._count_drop, self._clock = count_drop, clock

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._app(environ, start_response)
        reason = self._count(environ)
        if reason:
            self._count_drop(reason)
        start_response("200 OK", list(_HEADERS))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [GIF]

    def _count(self, environ: "WSGIEnvironment") -> str:
        """Keep one event; the reason when it was dropped, else ""."""
        if environ["REQUEST_METHOD"] == "HEAD":
            return HEAD
        reason = bots.reason_of(environ)
        if reason:
            return reason
        try:
            return self._keep(environ)
        except SpoolError:
            return NOT_KEPT
        except Exception as error:  # whatever it is, a mail must not show a broken picture
            log.warning("reach_pixel_failed", error=type(error).__name__)
            return FAILED

    def _keep(self, environ: "WSGIEnvironment") -> str:
        query = environ.get("QUERY_STRING", "")
        asked = parse_qs(query) if len(query) <= _LONGEST else {}
        sealed = asked.get("k", [""])
        if len(sealed) != 1 or not sealed[0]:
            return MALFORMED
        found = self._pixels.unseal(sealed[0])
        if found is None:
            return FORGED_KEYS
        kind, keys = found
        cookies = environ.get("HTTP_COOKIE", "")
        led = self._led(asked.get(PARAMETER, [""])[-1], cookies)
        now = self._clock()
        event = new_event(
            kind,
            at=datetime.fromtimestamp(now, UTC),
            zone=self._zone,
            visitor=visitors.from_cookie(cookies) or self._hashed(environ, now),
            campaign=led.campaign or keys.campaign,
            piece=keys.piece,
            outlet=led.outlet or keys.outlet,
            channel=led.channel or DIRECT,
            source=SOURCE,
        )
        self._spool.append(to_line(event))
        return ""

    def _led(self, token: str, cookies: str) -> Attribution:
        """To whom it is owed: the token of the address, else that of the remembered link; forged: nobody."""
        if token:
            found = self._attributions.read(token)
            if found is None:
                self._count_drop(FORGED_ATTRIBUTION)
            return found or Attribution()
        remembered = _COOKIE.search(cookies)
        return (self._attributions.read(remembered[1]) if remembered else None) or Attribution()

    def _hashed(self, environ: "WSGIEnvironment", now: float) -> int:
        address = visitors.address_of(environ, self._proxies)
        return self._hash.visitor(self._stamps.day(now), address, environ.get("HTTP_USER_AGENT", ""))
