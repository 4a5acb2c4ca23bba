"""The door of playing: takes the steps that a page's script sends before Flask, so that a hall of phones plays at once.

It answers with the scene alone. Whatever is not plainly such a step, or cannot be taken, goes to the page's view as it
came, which reads it again and says what is wrong.
"""

import gzip
import io
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict

from content.page_request import takes_gzip, variant
from content.rooms.envelope import DAYS, LONGEST
from content.rooms.playing import Step, Table
from content.rooms.stage import Stage
from core.errors import DomainError
from core.i18n import using_locale
from core.plain_forms import COUNTED, is_plain

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/play/"
COOKIE, FLAG, HEADER = "sp_room", "sp_going", "HTTP_X_SCENE"
_SECONDS = int(timedelta(days=DAYS).total_seconds())
_PATH = re.compile(r"/play/([a-z0-9-]{1,60})")
_LARGEST, _MOST_FIELDS = LONGEST + 8 * 1024, 60
_SMALL = 8 * 1024  # below it compressing takes longer than it saves: the interpreter is given away for it
_BY_VIEW = ("start", "certificate")
Header = tuple[str, str]


class RoomDoor:
    """WSGI middleware around Flask, behind what finds out the visitor's address.

    `wait`: counts a step from an address, 0 when it may go on; what was counted is marked, so that Flask does not
    count it again. `language`: the one in force where a cookie asks for this one, or for none. `headers` go with
    every answer of the site.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        table: Callable[[], Table],
        *,
        wait: Callable[[str], int],
        language: Callable[[str], str],
        stage: Callable[[], Stage],
        now: Callable[[], datetime],
        headers: Iterable[Header],
        secure: bool,
    ) -> None:
        self._app, self._table, self._wait, self._language = app, table, wait, language
        self._stage, self._now, self._headers, self._secure = stage, now, list(headers), secure

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        answer = self._answer(environ) if is_step(environ) else None
        if answer is None:
            return self._app(environ, start_response)
        start_response("200 OK", answer[0])
        return [answer[1]]

    def _answer(self, environ: "WSGIEnvironment") -> tuple[list[Header], bytes] | None:
        """The headers and the body of a step that went well; None when the view is to have a look."""
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)  # … as it came
        form, key = _form(body), environ["PATH_INFO"].removeprefix(PREFIX)
        if form is None or form.get("do", "") in _BY_VIEW or self._wait(environ.get("REMOTE_ADDR", "")):
            return None
        environ[COUNTED] = True
        wish = variant(environ.get("HTTP_COOKIE", ""))
        language = self._language("en" if "sp_lang=en" in wish else "zh" if "sp_lang=zh" in wish else "")
        try:
            with using_locale(language):
                step = self._table().take(key, form, self._now(), environ)
                html = self._stage().html(step, language, elder="sp_elder=1" in wish)
        except DomainError:
            return None
        return self._headed(environ, key, step, html.encode())

    def _headed(
        self, environ: "WSGIEnvironment", key: str, step: Step, data: bytes
    ) -> tuple[list[Header], bytes]:
        headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Cache-Control", "no-store"),
            *self._headers,
        ]
        headers += cookies(key, step, secure=self._secure)
        packed: list[Header] = []
        if len(data) > _SMALL:
            data, packed = compressed(data, environ.get("HTTP_ACCEPT_ENCODING", ""))
        return [*headers, *packed, ("Content-Length", str(len(data)))], data


def _form(body: bytes) -> MultiDict[str, str] | None:
    """The fields of a form; None when it cannot be one of ours."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    return MultiDict(pairs)


def is_step(environ: "WSGIEnvironment") -> bool:
    """Whether this is a step of a page's script, of a size that one of ours can have."""
    return (
        HEADER in environ
        and _PATH.fullmatch(environ["PATH_INFO"]) is not None
        and is_plain(environ, _LARGEST)
    )


def compressed(data: bytes, accepted: str) -> tuple[bytes, list[Header]]:
    """A page for whoever accepts it compressed, and the header that says so; quickly rather than well."""
    if not takes_gzip(accepted):
        return data, []
    return gzip.compress(data, 1, mtime=0), [("Content-Encoding", "gzip")]


def cookies(key: str, step: Step, *, secure: bool) -> list[Header]:
    """The play for this browser to go on with, and the flag by which the room's own page offers that."""
    more = "; SameSite=Lax" + ("; Secure" if secure else "")
    flag = 0 if step.state.ending else _SECONDS
    return [
        ("Set-Cookie", f"{COOKIE}={step.sealed}; Path={PREFIX}{key}; Max-Age={_SECONDS}; HttpOnly{more}"),
        ("Set-Cookie", f"{FLAG}=1; Path=/p/{key}; Max-Age={flag}{more}"),
    ]
