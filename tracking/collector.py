"""The fast path of the beacon: WSGI in front of everything, so that counting costs no framework."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tracking.recorder import MALFORMED, Malformed, Recorder
from tracking.spool import SpoolError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/r"
_NO_BODY = (None, "", "0")


class Collector:
    """WSGI middleware: answers POST /r itself, hands everything else to `app`.

    All that a beacon says stands in its address, so that no body need be waited for, here or at an edge.
    204: kept (or dropped with a counted reason); 400: no beacon of ours; 405; 413: it has a body; 503: not kept.
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
        if environ.get("CONTENT_LENGTH") not in _NO_BODY:
            self._recorder.count_drop(MALFORMED)
            return "413 Content Too Large"
        try:
            self._recorder.beacon(environ, environ.get("QUERY_STRING", ""))
        except Malformed:
            return "400 Bad Request"
        except SpoolError:
            return "503 Service Unavailable"
        return "204 No Content"
