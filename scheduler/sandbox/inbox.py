"""The pages of the sandbox: what arrived, as each app would show it; limits, breaches and faults on demand."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from core.errors import Invalid
from core.i18n import gettext, mark, using_locale
from scheduler.channels.base import Look
from scheduler.sandbox import faults
from scheduler.sandbox.core import Arrived, Fault, Sandbox, Used
from scheduler.sandbox.registry import STAND_INS, Offer, address

ROOT = Path(__file__).resolve().parents[2]
# Pictures come from the site that sent, on this machine; nothing else is fetched and no script runs.
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data: http://127.0.0.1:* http://localhost:*; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_SHOWN = 60
_HIDDEN = re.compile(r"<(style|script|head)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_OWN = ("127.0.0.1", "localhost")


class Shown(NamedTuple):
    """A message as the page shows it; `link` and `picture` are empty where a browser must not follow them."""

    app: str
    label: str
    look: str
    to: str
    title: str
    text: str
    link: str
    picture: str
    host: str
    at: datetime


class Platform(NamedTuple):
    """A stand-in as its page shows it."""

    name: str
    offer: Offer
    address: str
    messages: int
    calls: int
    used: list[Used]
    breaches: list[str]
    faults: list[Fault]


@dataclass
class Page:
    """What the templates see."""

    locale: str
    tab: str
    shown: list[Shown] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    app: str = ""
    still: bool = False
    breaches: int = 0
    platforms: list[Platform] = field(default_factory=list)
    error: str = ""
    wrong: str = ""


class Inbox:
    """A WSGI application: the pages at `/` and `/platforms`, the stand-ins below their names."""

    def __init__(
        self, sandbox: Sandbox, *, locale: str, zone: ZoneInfo, ports: Mapping[str, int] | None = None
    ) -> None:
        self._sandbox = sandbox
        self._ports = ports or {}
        self._locale = locale
        self._zone = zone
        self._pages = Environment(
            loader=FileSystemLoader(ROOT / "scheduler" / "templates" / "sandbox"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._pages.globals |= {
            "_": gettext,
            "stand_ins": STAND_INS,
            "kinds": faults.KINDS,
            "times": faults.TIMES,
        }
        self._files = SharedDataMiddleware(self._answer, {"/static": str(ROOT / "static")})

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a page, a file of ours, or a call to a platform."""
        return self._files(environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        page = {"/": self._inbox, "/platforms": self._platforms}.get(request.path)
        if page is None:
            return self._sandbox(environ, start_response)
        if urlsplit(f"//{request.host}").hostname not in _OWN or not _from_here(request):
            return Response("", 403)(environ, start_response)
        with using_locale(self._locale):
            answer = page(request)
        answer.headers.extend(_HEADERS)
        return answer(environ, start_response)

    def _inbox(self, request: Request) -> Response:
        app = request.args.get("app", "")
        with self._sandbox.lock:
            arrived, counts = list(self._sandbox.arrived), dict(self._sandbox.total)
        newest = [one for one in reversed(arrived) if app in ("", one.app)][:_SHOWN]
        page = Page(
            self._locale,
            "inbox",
            shown=[self._show(one) for one in newest],
            counts=counts,
            app=app,
            still="still" in request.args,
            breaches=len(self._sandbox.breaches),
        )
        return self._page("inbox.html", page)

    def _show(self, one: Arrived) -> Shown:
        offer = STAND_INS.get(one.app)
        return Shown(
            one.app,
            gettext(offer.label) if offer else one.app,
            offer.look if offer else Look.chat,
            one.to,
            one.title,
            one.text or _words(one.html),
            one.link if _web(one.link) else "",
            one.picture if _web(one.picture) and urlsplit(one.picture).hostname in _OWN else "",
            urlsplit(one.link).netloc if _web(one.link) else "",
            datetime.fromtimestamp(one.at, UTC).astimezone(self._zone),
        )

    def _platforms(self, request: Request) -> Response:
        if request.method == "POST":
            return self._fail(request)
        return self._page("platforms.html", Page(self._locale, "platforms", platforms=self._all(request)))

    def _fail(self, request: Request) -> Response:
        name = request.form.get("app", "")
        try:
            if name not in STAND_INS:
                raise Invalid(mark("没有这个平台。"), field="app")
            self._sandbox.fail(name, *faults.asked(request.form))
        except Invalid as error:
            page = Page(self._locale, "platforms", platforms=self._all(request), error=str(error), wrong=name)
            return self._page("platforms.html", page, 422)
        return redirect(f"/platforms#{name}", 303)

    def _all(self, request: Request) -> list[Platform]:
        sandbox = self._sandbox
        return [
            Platform(
                name,
                offer,
                address(f"http://{request.host}", name, self._ports),
                sandbox.total[name],
                sandbox.calls[name],
                sandbox.used(name),
                [one for one in sandbox.breaches if one.startswith(f"{name}: ")][-5:],
                sandbox.planned(name),
            )
            for name, offer in STAND_INS.items()
        ]

    def _page(self, template: str, page: Page, status: int = 200) -> Response:
        html = self._pages.get_template(template).render(page=page)
        return Response(html, status, content_type="text/html; charset=utf-8")


def _words(html: str) -> str:
    """The words of a page; as text, which the template escapes."""
    return Markup(_HIDDEN.sub("", html)).striptags()  # noqa: S704


def _web(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _from_here(request: Request) -> bool:
    """Whether a form was sent by our own page: another site open in the same browser must not set faults."""
    return request.method in ("GET", "HEAD") or request.headers.get("Origin") == f"http://{request.host}"
