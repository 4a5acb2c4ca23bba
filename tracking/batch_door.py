"""The door of batches: `POST /r/batch` in WSGI, before the framework; tokens from a small memory, answers in JSON."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.database import Database
from core.i18n import LOCALES, gettext, mark, using_locale
from institution import api_tokens
from institution.api_token_models import ApiToken
from institution.api_tokens import COLLECT
from tracking import batch_lines
from tracking.batch_lines import MOST_BYTES, RULES
from tracking.batches import Batches, Faulty, OtherBody
from tracking.spool import SpoolError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/r/batch"
REMEMBERED_SECONDS = 15.0  # how long a token is believed without asking again: revoking works within this
_MOST_REMEMBERED = 1024
_NAMED = 20  # faults in one answer
_KEY = re.compile(r"[!-~]{1,100}", re.ASCII)
_STATUS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 405: "Method Not Allowed",
    411: "Length Required", 413: "Content Too Large", 415: "Unsupported Media Type",
    422: "Unprocessable Content", 429: "Too Many Requests", 503: "Service Unavailable",
}  # fmt: skip
_WORDS = {
    "method": mark("这里只接受 POST。"),
    "token": mark("没有这个令牌，或者它已过期、已撤销。"),
    "purpose": mark("这个令牌不能写入触达，请让管理员另建一个。"),
    "rate": mark("提交太快，请按 Retry-After 等一等再交。"),
    "encoding": mark("请不要压缩正文。"),
    "length": mark("请写明 Content-Length。"),
    "large": mark("一批最多 500 行、512 KiB，请分几批提交。"),
    "key": mark("请带上 Idempotency-Key，1 到 100 个可见的 ASCII 字符。"),
    "cut": mark("正文没有收全，请原样再交一次。"),
    "lines": mark("有几行不对，这一批一行都没有保存。"),
    "outside": mark("有的网点不在令牌的范围内，这一批一行都没有保存。"),
    "busy": mark("现在不能保存，请过一会儿原样再交一次。"),
}
Answer = tuple[int, dict[str, Any], list[tuple[str, str]]]

log = structlog.get_logger()


class Refused(Exception):
    """A request that is answered with a status and a sentence of _WORDS."""

    def __init__(self, status: int, word: str, *headers: tuple[str, str], **more: Any) -> None:
        super().__init__(word)
        self.status, self.word, self.headers, self.more = status, word, list(headers), more


class TokenMemory:
    """Tokens by their text, believed for a few seconds, so that a busy program costs no question each time."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], seconds: float = REMEMBERED_SECONDS
    ) -> None:
        self._database, self._clock, self._seconds = database, clock, seconds
        self._known: dict[str, tuple[float, ApiToken]] = {}
        self._lock = threading.Lock()

    def find(self, text: str) -> ApiToken | None:
        """The valid token of this text, whatever it is for."""
        now = self._clock()
        asked_at, found = self._known.get(text, (0.0, None))
        if found is None or time.monotonic() - asked_at >= self._seconds:
            found = self._ask(text, now)
        return found if found is not None and found.valid(now) else None

    def _ask(self, text: str, now: datetime) -> ApiToken | None:
        with self._database.reading() as session:
            found = api_tokens.known(session, text, now)
        if found is not None and api_tokens.is_due(found, now):
            with self._database.transaction() as session:
                api_tokens.used(session, found.id or 0, now)
        with self._lock:  # only tokens that exist are remembered: a flood of guesses drives none of them out
            self._known.pop(text, None)
            if found is not None and len(self._known) < _MOST_REMEMBERED:
                self._known[text] = (time.monotonic(), found)
        return found


class BatchDoor:
    """WSGI middleware: answers `/r/batch` itself, hands everything else to `app`.

    `wait(token number)` counts one request and says how many seconds too early it came, 0 for none.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        batches: Batches,
        tokens: TokenMemory,
        wait: Callable[[str], int],
        locale: str,
    ) -> None:
        self._app, self._batches, self._tokens, self._wait = app, batches, tokens, wait
        self._locale = locale

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        if environ["PATH_INFO"] != PATH:
            return self._app(environ, start_response)
        with using_locale(_language(environ.get("HTTP_ACCEPT_LANGUAGE", "")) or self._locale):
            status, said, headers = self._answer(environ)
            content = json.dumps(said, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        headers += [
            ("Content-Type", "application/json; charset=utf-8"),
            ("Content-Length", str(len(content))),
            ("Cache-Control", "no-store"),
        ]
        start_response(f"{status} {_STATUS[status]}", headers)
        return [content]

    def _answer(self, environ: "WSGIEnvironment") -> Answer:
        try:
            return 200, self._take(environ), []
        except Refused as refused:
            return _refusal(refused)
        except (SpoolError, SQLAlchemyError) as error:
            log.warning("reach_batch_not_kept", error=type(error).__name__)
            return _refusal(Refused(503, "busy", ("Retry-After", "5")))

    def _take(self, environ: "WSGIEnvironment") -> dict[str, Any]:
        if environ["REQUEST_METHOD"] != "POST":
            raise Refused(405, "method", ("Allow", "POST"))
        token = self._token(environ)
        key = environ.get("HTTP_IDEMPOTENCY_KEY", "")
        if not _KEY.fullmatch(key):
            raise Refused(400, "key")
        try:
            kept = self._batches.take(token, key, _body(environ))
        except batch_lines.TooMany:
            raise Refused(413, "large") from None
        except OtherBody as error:
            raise Refused(422, error.message) from None
        except Faulty as faulty:
            raise _faulty(faulty) from None
        return {"kept": kept.events, "unattributed": kept.unattributed}

    def _token(self, environ: "WSGIEnvironment") -> ApiToken:
        scheme, _space, text = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        token = self._tokens.find(text.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise Refused(401, "token", ("WWW-Authenticate", 'Bearer realm="signpost"'))
        if not token.may(COLLECT):
            raise Refused(403, "purpose")
        wait = self._wait(f"token {token.id}")
        if wait:
            raise Refused(429, "rate", ("Retry-After", str(wait)))
        return token


def _body(environ: "WSGIEnvironment") -> bytes:
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("", "identity"):
        raise Refused(415, "encoding")
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()):
        raise Refused(411, "length")
    if len(length) > 7 or int(length) > MOST_BYTES:
        raise Refused(413, "large")
    body: bytes = environ["wsgi.input"].read(int(length))
    if len(body) != int(length):
        raise Refused(400, "cut")
    return body


def _faulty(faulty: Faulty) -> Refused:
    """422 with the lines named; 403 when all that is wrong is that outlets are not the token's."""
    outside = all(fault.rule == "outside" for fault in faulty.faults)
    lines = [
        {
            "line": fault.line,
            "field": fault.field,
            "rule": fault.rule,
            "message": gettext(RULES[fault.rule]),
        }
        for fault in faulty.faults[:_NAMED]
    ]
    status, word = (403, "outside") if outside else (422, "lines")
    return Refused(status, word, lines=lines, faults=len(faulty.faults))


def _refusal(refused: Refused) -> Answer:
    message = gettext(_WORDS.get(refused.word, refused.word))
    return (
        refused.status,
        {"error": {"status": refused.status, "message": message, **refused.more}},
        refused.headers,
    )


def _language(accepted: str) -> str:
    """The language asked for first, if it is one of ours."""
    first = accepted.strip().lower()[:2]
    return first if first in LOCALES else ""
