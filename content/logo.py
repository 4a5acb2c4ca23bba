"""The institution's logo as it leaves the house: an SVG cleaned, a PNG drawn anew, read again when the file changes."""

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from content import raster, svg
from core.brand import LOGOS, BrandSettings


@dataclass(frozen=True, slots=True)
class Logo:
    """A harmless picture, its media type, and its version for an address that may be kept for ever."""

    data: bytes
    media_type: str
    width: int
    height: int

    @property
    def version(self) -> str:
        """Ten hexadecimal digits of what is in it."""
        return hashlib.sha256(self.data).hexdigest()[:10]

    @property
    def embedded(self) -> str:
        """The picture as an address of its own, for what must not fetch."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"


def of(settings: BrandSettings) -> Logo | None:
    """The logo of the settings, None where the signpost stands; Invalid when it cannot be drawn."""
    path = settings.logo
    if path is None:
        return None
    found = path.stat()
    return _read(path, found.st_mtime_ns, found.st_size)


@lru_cache(4)
def _read(path: Path, _changed: int, _size: int) -> Logo:
    kind, data = path.suffix.lower(), path.read_bytes()
    if kind == ".svg":
        clean, width, height = svg.clean(data)
    else:
        clean, (width, height) = raster.redrawn(path.name, data, "png", ours=False)
    return Logo(clean, LOGOS[kind], width, height)
