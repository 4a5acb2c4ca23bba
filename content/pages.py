"""Published pages as bytes: rendered once per path, language and size, then served, counted and negotiated.

A view declares its answer with `mark`; `PageCache` stands in front of everything else. What it fills the
cache with is rendered without the visitor's session, so nothing personal can be kept or shown to another.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import event, func, text
from sqlmodel import Session, select

from content import page_request as asked
from content.cached_page import Body, CachedPage
from content.models import PageGeneration
from core import clock
from core.database import Database
from institution.models import Outlet
from tracking.attribution import PageKeys

FACTS = "signpost.page"
LARGEST = 64 * 1024 * 1024
_MOST_PATHS = 20_000
_READING = ("GET", "HEAD")
_NEVER = (
    "/desk",
    "/static/",
    "/media/",
    "/internal/",
    "/r/",
    "/s/",
    "/screen/",
    "/play/",
)  # no page of these is a published one: spare the try

Environ = dict[str, Any]
Header = tuple[str, str]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]


@dataclass(frozen=True)
class PageFacts:
    """What a published page is about, and whether its bytes may be kept."""

    keys: PageKeys
    cache: bool = True


class Visits(Protocol):
    """Who counts: `tracking.recorder.Recorder`."""

    def visit(self, environ: Environ, keys: PageKeys) -> list[Header]:
        """Count one page view; headers to add to the answer. Never raises."""


def mark(environ: Environ, facts: PageFacts) -> None:
    """Declare that the answer to this request is a published page: counted, and kept if `facts.cache`."""
    environ[FACTS] = facts


def bump(session: Session) -> None:
    """Have every published page rendered anew, in all processes within a second of the commit."""
    session.execute(
        text(
            "INSERT INTO page_generation (id, value) VALUES (1, 1) "
            "ON CONFLICT (id) DO UPDATE SET value = page_generation.value + 1"
        )
    )
    event.listen(session, "after_commit", _changed_here, once=True)


_changes_here = 0
_uses = itertools.count()  # what was used last has the highest number


def _changed_here(_session: Session) -> None:
    global _changes_here  # noqa: PLW0603  (one number per process, on purpose)
    _changes_here += 1


class Generation:
    """The number of the present generation, read at most once a second.

    A bump, a change of an outlet (its package may not know of pages) and a new day begin a new one. While
    the database cannot be asked the last answer stands: pages are served from memory meanwhile.
    """

    def __init__(self, database: Database, zone: ZoneInfo, seconds: float = 1.0) -> None:
        self._database, self._zone, self._seconds = database, zone, seconds
        self._lock = threading.Lock()
        self._number, self._due_at, self._seen = 0, float("-inf"), -1

    def __call__(self) -> int:
        """The generation; one thread asks the database, the others go on with the last answer."""
        due = time.monotonic() >= self._due_at or self._seen != _changes_here
        if due and self._lock.acquire(blocking=self._seen != _changes_here):
            try:
                self._ask()
            finally:
                self._lock.release()
        return self._number

    def _ask(self) -> None:
        seen = _changes_here
        try:
            with self._database.reading() as session:
                value = session.exec(select(PageGeneration.value)).first()
                changed = session.exec(select(func.max(Outlet.updated_at))).first()
        except Exception:  # whatever the driver raises, the last answer stands
            self._due_at, self._seen = time.monotonic() + self._seconds, seen
            return
        self._number = hash((value, changed, clock.today(self._zone)))
        self._due_at, self._seen = time.monotonic() + self._seconds, seen


class PageCache:
    """WSGI middleware in front of everything: published pages from memory, the rest handed through."""

    def __init__(
        self, app: App, recorder: Visits, generation: Callable[[], int], *, largest: int = LARGEST
    ) -> None:
        self._app, self._recorder, self._generation, self._largest = app, recorder, generation, largest
        self._pages: dict[tuple[str, str], CachedPage] = {}
        self._others: set[str] = set()
        self._filling: dict[tuple[str, str], threading.Lock] = {}
        self._lock = threading.Lock()
        self._bytes = 0
        self._now = 0

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from memory, fill the memory, or hand the request through."""
        method = environ["REQUEST_METHOD"]
        query = environ.get("QUERY_STRING", "")
        if method not in _READING or (query and not asked.is_plain(query)):
            return self._through(environ, start_response)
        generation = self._generation()
        if generation != self._now:
            self._forget(generation)
        path = environ["PATH_INFO"]
        cookies = environ.get("HTTP_COOKIE", "")
        key = (path, asked.variant(cookies) if "sp_lang=" in cookies or "sp_elder=" in cookies else "")
        page = self._pages.get(key)
        if page is None and path not in self._others and not path.startswith(_NEVER):
            page = self._fill(key, environ)
        if page is None:
            return self._through(environ, start_response)
        page.used = next(_uses)
        status, headers, body = page.answer(environ)
        if method == "HEAD":
            start_response(status, list(headers))
            return []
        added = self._recorder.visit(environ, page.keys)
        start_response(status, [*headers, *added] if added else headers)
        return body

    def _fill(self, key: tuple[str, str], environ: Environ) -> CachedPage | None:
        """Render the page once, however many ask for it at the same time; None if it is not one to keep."""
        with self._lock:
            turn = self._filling.setdefault(key, threading.Lock())
        with turn:
            page = self._pages.get(key)
            if page is not None or key[0] in self._others:
                return page
            generation = self._now
            try:
                page = self._render(environ, key)
                with self._lock:
                    if page is not None and generation == self._now:
                        self._keep(key, page)
            finally:
                with self._lock:
                    self._filling.pop(key, None)
            return page

    def _render(self, environ: Environ, key: tuple[str, str]) -> CachedPage | None:
        clean = asked.clean(environ, key[1])
        body = Body()
        body.read(self._app(clean, body.start_response))
        facts = clean.get(FACTS)
        if not isinstance(facts, PageFacts) or not facts.cache:
            self._remember_other(key[0], body.status)
            return None
        return CachedPage.of(body, facts.keys) if body.can_be_kept else None

    def _remember_other(self, path: str, status: str) -> None:
        """Not a published page: next time ask Flask at once. An error is tried again."""
        if status.startswith("5"):
            return
        with self._lock:
            if len(self._others) >= _MOST_PATHS:
                self._others = set()
            self._others.add(path)

    def _keep(self, key: tuple[str, str], page: CachedPage) -> None:
        self._pages[key] = page
        self._bytes += page.size
        while self._bytes > self._largest and len(self._pages) > 1:
            oldest = min((k for k in self._pages if k != key), key=lambda k: self._pages[k].used)
            self._bytes -= self._pages.pop(oldest).size

    def _forget(self, generation: int) -> None:
        with self._lock:
            if generation != self._now:
                self._pages, self._others, self._bytes, self._now = {}, set(), 0, generation

    def _through(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Hand the request through; a marked page is counted all the same (a query, or not to be kept)."""

        def start(status: str, headers: list[Header], exc_info: Any = None) -> Any:
            facts = environ.get(FACTS)
            counted = isinstance(facts, PageFacts) and status.startswith("200")
            if counted and isinstance(facts, PageFacts) and environ["REQUEST_METHOD"] == "GET":
                headers = [*headers, *self._recorder.visit(environ, facts.keys)]
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        return self._app(environ, start)
