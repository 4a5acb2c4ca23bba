"""The fast path of the beacon: WSGI in front of everything, so that counting costs no framework."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tracking.recorder import MALFORMED, Malformed, Recorder
from tracking.spool import SpoolError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/r"
LARGEST = 4096  # bytes of a beacon; ours are about 300


class Collector:
    """WSGI middleware: answers POST /r itself, hands everything else to `app`.

    204: kept (or dropped with a counted reason); 400: no beacon of ours; 405, 411, 413; 503: not kept.
    """

    def __init__(self, app: "WSGIApplication", recorder: Recorder) -> None:
        self._app = app
        self._recorder = recorder

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        if environ["PATH_INFO"] != PATH:
            return self._app(environ, start_response)
        start_response(self._status(environ), [])
        return []  # a list, which granian sends at once; any other iterable it pulls in steps

    def _status(self, environ: "WSGIEnvironment") -> str:
        if environ["REQUEST_METHOD"] != "POST":
            return "405 Method Not Allowed"
        length = environ.get("CONTENT_LENGTH") or ""
        if not (length.isascii() and length.isdigit()):
            return "411 Length Required"
        if len(length) > 4 or int(length) > LARGEST:
            self._recorder.count_drop(MALFORMED)
            return "413 Content Too Large"
        try:
            self._recorder.beacon(environ, environ["wsgi.input"].read(int(length)))
        except Malformed:
            return "400 Bad Request"
        except SpoolError:
            return "503 Service Unavailable"
        return "204 No Content"
