"""Public pages that are made for each request (lists, searches) go over the wire compressed, as kept pages do.

Left alone: the desk, and every page that holds a token beside words of the visitor's own, from whose compressed
length an onlooker could guess the token (the BREACH attack).
"""

import gzip

from flask import Flask, request
from flask.wrappers import Response

from content.page_request import takes_gzip

_SMALL = 512  # bytes below which compressing gains nothing
_SECRET = b"csrf_token"


def register(app: Flask) -> None:
    """Compress what may be compressed."""
    app.after_request(pack)


def pack(response: Response) -> Response:
    """The answer, compressed where the visitor takes it so and nothing secret stands in it."""
    if response.mimetype != "text/html" or request.path.startswith("/desk") or response.is_streamed:
        return response
    response.vary.add("Accept-Encoding")
    if "Content-Encoding" in response.headers or not takes_gzip(request.headers.get("Accept-Encoding", "")):
        return response
    body = response.get_data()
    if len(body) >= _SMALL and _SECRET not in body:
        response.set_data(gzip.compress(body, 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
