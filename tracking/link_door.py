"""The door of short links: `/s/<code>` in WSGI, from a small memory; what leads nowhere gets a page of the site."""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.database import Database
from tracking import links
from tracking.attribution import Attributions
from tracking.link_models import ShortLink

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REMEMBERED_SECONDS = 15.0  # how long a link is believed without asking again: ending one works within this
_MOST_REMEMBERED = 20_000

log = structlog.get_logger()


class LinkDoor:
    """WSGI middleware: redirects GET and HEAD of a live link, hands everything else to `app`.

    It counts nothing, so robots, previews and HEAD are redirected like people: the page that follows tells
    them apart. While the database cannot be asked, remembered links go on leading where they led.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        database: Database,
        attributions: Attributions,
        today: Callable[[], date],
        seconds: float = REMEMBERED_SECONDS,
    ) -> None:
        self._app, self._database, self._attributions = app, database, attributions
        self._today, self._seconds = today, seconds
        self._known: dict[str, tuple[float, ShortLink, str]] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        path: str = environ["PATH_INFO"]
        if not path.startswith(links.PREFIX) or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._app(environ, start_response)
        target = self._target(path[len(links.PREFIX) :].lower())
        if not target:
            return self._app(environ, start_response)
        headers = [("Location", target), ("Content-Length", "0"), ("Cache-Control", "no-store")]
        start_response("302 Found", headers)
        return []

    def _target(self, code: str) -> str:
        """Where a code leads now; "" for nowhere."""
        asked_at, link, target = self._known.get(code, (0.0, None, ""))
        if link is None or time.monotonic() - asked_at >= self._seconds:
            try:
                link, target = self._ask(code)
            except SQLAlchemyError as error:
                log.warning("short_link_not_asked", error=type(error).__name__)
        return target if link is not None and link.live(self._today()) else ""

    def _ask(self, code: str) -> tuple[ShortLink | None, str]:
        with self._database.reading() as session:
            link = links.read(session, code)
        target = links.target(link, self._attributions) if link else ""
        with self._lock:
            self._known.pop(code, None)
            if link is not None:  # what does not exist is not remembered: guesses drive nothing out
                if len(self._known) >= _MOST_REMEMBERED:
                    del self._known[next(iter(self._known))]
                self._known[code] = (time.monotonic(), link, target)
        return link, target
