"""Plain forms as they reach WSGI: what the doors before Flask may take, and what they tell the limits behind them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

COUNTED = (
    "signpost.counted"  # in the environ of a request that a door has counted: Flask does not count it again
)
_LONGEST_COOKIES = 4 * 1024
_FORM = "application/x-www-form-urlencoded"


def is_plain(environ: "WSGIEnvironment", largest: int) -> bool:
    """Whether this posts a form without files and without a query, of at most so many bytes and a usual cookie."""
    length = environ.get("CONTENT_LENGTH") or ""
    return (
        environ["REQUEST_METHOD"] == "POST"
        and environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == _FORM
        and not environ.get("QUERY_STRING")
        and length.isdecimal()
        and len(length) < 7
        and int(length) <= largest
        and len(environ.get("HTTP_COOKIE", "")) <= _LONGEST_COOKIES
    )
