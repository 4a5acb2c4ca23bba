"""Pictures of ours that are SVG, drawn as PNG for who shows no SVG: messengers, apps, official accounts, readers of feeds."""

import re
from pathlib import Path

import vl_convert

from content import media, svg

# Faces with Chinese, by name: here the plain "sans-serif" of a drawing is whatever has the character, often a serif.
HEI = "'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif"
WIDTH = 1200  # pixels of the longer side: what messengers show at most, with a cover of 16:9 about 60 kB
_DRAWN = ".png"
_SANS = re.compile(r'(font-family="(?:[^"]*,)?\s*)sans-serif(?=")')


def address(url: str) -> str:
    """Where a picture is served in a form that everybody shows: beside an SVG the PNG drawn of it."""
    return url + _DRAWN if url.endswith(".svg") else url


def png(files_dir: Path, file: str) -> bytes:
    """The PNG of a picture `….svg`, drawn once and kept; NotFound for what is served to nobody."""
    drawing, _type = media.served(files_dir, file)
    path = f"drawn/{file}{_DRAWN}"
    if not (files_dir / path).is_file():
        media.put(files_dir, {path: _draw(drawing)})
    return (files_dir / path).read_bytes()


def _draw(drawing: bytes) -> bytes:
    _harmless, width, height = svg.clean(drawing)
    named = _SANS.sub(lambda found: found[1] + HEI, drawing.decode())
    return bytes(vl_convert.svg_to_png(named, scale=WIDTH / max(width, height, 1)))
