"""One published page in memory: its bytes plain and compressed, and the answers made beforehand."""

import gzip
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from content.page_request import takes_gzip
from tracking.attribution import PageKeys

Header = tuple[str, str]
Answer = tuple[
    str, list[Header], list[bytes]
]  # the chunks of a body: a list is what the server sends at once
_LEFT_OUT = {"content-length", "set-cookie", "vary", "cache-control", "etag", "content-encoding"}
_SMALL = 512  # bytes below which compressing gains nothing


class Body:
    """Takes in the whole answer of an application."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[Header] = []
        self.content = b""

    def start_response(self, status: str, headers: list[Header], _exc_info: Any = None) -> Any:
        """The WSGI callable of this answer."""
        self.status, self.headers = status, headers
        return None

    def read(self, chunks: Iterable[bytes]) -> None:
        """Take all of it, then close it as WSGI asks."""
        try:
            self.content = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    @property
    def can_be_kept(self) -> bool:
        """Only a whole, good answer that sets no cookie is the same for everybody."""
        names = {name.lower() for name, _ in self.headers}
        return self.status.startswith("200") and "set-cookie" not in names and "content-encoding" not in names


@dataclass
class CachedPage:
    """Bytes and headers for every way of asking: whole, compressed, unchanged."""

    keys: PageKeys
    etag: str
    etag_gzip: str
    plain: Answer
    compressed: Answer
    unchanged: Answer
    unchanged_gzip: Answer
    size: int
    used: int = field(default=0)

    @classmethod
    def of(cls, body: Body, keys: PageKeys) -> "CachedPage":
        """Compress and prepare the answers."""
        common = [(name, value) for name, value in body.headers if name.lower() not in _LEFT_OUT]
        # `private`: the answer may carry a visitor's cookie, and a visit answered elsewhere is not counted.
        common += [("Cache-Control", "private, no-cache"), ("Vary", "Cookie, Accept-Encoding")]
        tag = hashlib.sha256(body.content).hexdigest()[:32]
        etag, etag_gzip = f'"{tag}"', f'"{tag}-gz"'
        packed = gzip.compress(body.content, 9, mtime=0) if len(body.content) >= _SMALL else b""
        whole = [*common, ("ETag", etag), ("Content-Length", str(len(body.content)))]
        plain = (body.status, whole, [body.content])
        small = [
            *common,
            ("ETag", etag_gzip),
            ("Content-Encoding", "gzip"),
            ("Content-Length", str(len(packed))),
        ]
        kept = [pair for pair in common if pair[0].lower() != "content-type"]
        return cls(
            keys=keys,
            etag=etag,
            etag_gzip=etag_gzip,
            plain=plain,
            compressed=(body.status, small, [packed]) if packed else plain,
            unchanged=("304 Not Modified", [*kept, ("ETag", etag)], []),
            unchanged_gzip=("304 Not Modified", [*kept, ("ETag", etag_gzip)], []),
            size=len(body.content) + len(packed) + 1024,
        )

    def answer(self, environ: dict[str, Any]) -> Answer:
        """Status, headers and body for a request; the lists are shared and must not be changed."""
        known = environ.get("HTTP_IF_NONE_MATCH")
        if known:
            if self.etag_gzip in known:
                return self.unchanged_gzip
            if self.etag in known or known.strip() == "*":
                return self.unchanged
        return self.compressed if takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")) else self.plain
