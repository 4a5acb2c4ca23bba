"""What of a request decides which published page is sent: nothing but path, language and elder mode."""

import re
from functools import lru_cache
from typing import Any

_PASSING = re.compile(r"(?:(?:a|utm_[a-z_]+)=[^&]*(?:&|$))*")
_COOKIE = re.compile(r"(?:^|;)\s*sp_(lang|elder)=([^;]*)")
_LANGUAGES = ("zh", "en")
_LEFT_OUT = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "HTTP_ACCEPT_ENCODING")


def is_plain(query: str) -> bool:
    """Whether a query changes nothing on the page: empty, attribution or utm_* alone."""
    return not query or _PASSING.fullmatch(query) is not None


def variant(cookies: str) -> str:
    """The part of the cookies that a page may depend on, in one form: `sp_lang=en; sp_elder=1`."""
    return _variant(cookies) if "sp_lang=" in cookies or "sp_elder=" in cookies else ""


@lru_cache(1024)
def _variant(cookies: str) -> str:
    found = dict(_COOKIE.findall(cookies))
    kept = []
    if found.get("lang") in _LANGUAGES:
        kept.append(f"sp_lang={found['lang']}")
    if found.get("elder") == "1":
        kept.append("sp_elder=1")
    return "; ".join(kept)


def clean(environ: dict[str, Any], cookies: str) -> dict[str, Any]:
    """The request as an unknown visitor would have made it, wanting the whole page."""
    made = {name: value for name, value in environ.items() if name not in _LEFT_OUT}
    made.update(REQUEST_METHOD="GET", QUERY_STRING="", HTTP_COOKIE=cookies)
    return made


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding allows gzip (RFC 9110 §12.5.3): named, and not with a weight of zero."""
    if "gzip" not in accepted:
        return False
    return ";" not in accepted or _weighed(accepted)


@lru_cache(256)
def _weighed(accepted: str) -> bool:
    for part in accepted.split(","):
        coding, *parameters = (text.strip().lower() for text in part.split(";"))
        if coding == "gzip":
            return not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
    return False
