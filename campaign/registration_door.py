"""The door of registration: takes a form before Flask, so that an evening's rush is answered in a moment.

Only what goes well is answered here, by leading on to the personal page. A form that is refused, or is not plainly
one of ours, is handed to the page's view as it came, which reads it again and says what is wrong.
"""

import io
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request

from campaign.registration.registrar import Registrar
from core.errors import DomainError
from core.plain_forms import COUNTED, is_plain
from tracking.recorder import COOKIE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/e/"
_LARGEST, _MOST_FIELDS = 16 * 1024, 100


class RegistrationDoor:
    """WSGI middleware around Flask, behind what finds out the visitor's address.

    `wait`: counts a form from an address, 0 when it may go on; what was counted is marked, so that Flask does not
    count it again. `language`: the language that cookies ask for. `headers` go with every answer of the site.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        registrar: Callable[[], Registrar],
        *,
        wait: Callable[[MultiDict[str, str], str], int],
        language: Callable[[MultiDict[str, str]], str],
        now: Callable[[], datetime],
        headers: Iterable[tuple[str, str]],
    ) -> None:
        self._app, self._registrar, self._now = app, registrar, now
        self._wait, self._language, self._headers = wait, language, list(headers)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        link = self._taken(environ) if is_form(environ) else ""
        if not link:
            return self._app(environ, start_response)
        leads = [("Location", f"/my/{link}?new=1"), ("Content-Length", "0"), ("Cache-Control", "no-store")]
        start_response("303 See Other", [*leads, *self._headers])
        return []

    def _taken(self, environ: "WSGIEnvironment") -> str:
        """The personal link of the registration that was made; "" when the view is to have a look."""
        request = Request(environ)
        request.max_form_parts = _MOST_FIELDS
        body = request.get_data()
        environ["wsgi.input"] = io.BytesIO(body)  # … as it came
        form, cookies = request.form, request.cookies
        if len(form) > _MOST_FIELDS or self._wait(form, request.remote_addr or ""):
            return ""
        environ[COUNTED] = True
        try:
            return self._registrar().take(
                form, language=self._language(cookies), led_by=cookies.get(COOKIE, ""), now=self._now()
            )
        except (DomainError, SQLAlchemyError):
            return ""


def is_form(environ: "WSGIEnvironment") -> bool:
    """Whether this is a plain form for an occurrence, of a size that one of ours can have."""
    return environ["PATH_INFO"].startswith(PREFIX) and is_plain(environ, _LARGEST)
