"""Static files under content-hashed addresses: cached for ever, compressed once."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import request, session
from flask.wrappers import Response

_TEXT = {".css", ".js", ".svg", ".json", ".txt"}
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _Asset:
    stamp: tuple[int, int]
    version: str
    packed: bytes | None


class Assets:
    """The files of one folder: their addresses, and the headers they are answered with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, _Asset] = {}

    def url(self, name: str) -> str:
        """`css/site.css` → `/static/css/site.css?v=<hash>`; without a version when there is no such file."""
        asset = self._asset(name)
        return f"/static/{name}?v={asset.version}" if asset else f"/static/{name}"

    def exists(self, name: str) -> bool:
        """Whether the folder holds the file."""
        return self._asset(name) is not None

    def finish(self, response: Response) -> Response:
        """Headers of a static file: immutable under its own hash, asked again otherwise; gzip for text."""
        if request.endpoint == "content.picture":
            _same_for_everybody()
        if request.endpoint != "static":
            return response
        asset = self._asset(str((request.view_args or {}).get("filename", "")))
        if asset is None or response.status_code not in (200, 304):
            return response
        fresh = request.args.get("v") == asset.version
        response.headers["Cache-Control"] = _FOREVER if fresh else "no-cache"
        response.headers.pop("Expires", None)
        _same_for_everybody()
        if asset.packed is not None:
            response.headers["Vary"] = "Accept-Encoding"
            if response.status_code == 200 and request.accept_encodings["gzip"] > 0 and request.range is None:
                response.close()  # the file that Flask opened is not read
                response.direct_passthrough = False
                response.set_data(asset.packed)
                response.headers["Content-Encoding"] = "gzip"
        return response

    def _asset(self, name: str) -> _Asset | None:
        path = self._folder / name
        try:
            status = path.stat()
        except (OSError, ValueError):
            return None
        stamp = (status.st_mtime_ns, status.st_size)
        known = self._known.get(name)
        if known is None or known.stamp != stamp:
            if not path.is_file():
                return None
            content = path.read_bytes()
            packed = gzip.compress(content, 9, mtime=0) if path.suffix in _TEXT else None
            known = _Asset(stamp, hashlib.sha256(content).hexdigest()[:10], packed)
            self._known[name] = known
        return known


def _same_for_everybody() -> None:
    # else Flask adds `Vary: Cookie`, and browsers fetch again for every new cookie
    session.accessed = False
