"""The stamp: a QR code and a name, drawn into the place that the page left for it."""

from dataclasses import dataclass
from functools import lru_cache

import segno
from PIL import Image, ImageDraw, ImageFont

from content.poster import fonts
from content.poster.drawing import Place

_DARK = (30, 42, 45)
_QUIET = 4  # modules around the code, ISO/IEC 18004
_LEAD = 1.28
_UNDER = 0.74  # the second line beside the first


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who shares it: the address in the code, a name, and a line under it."""

    link: str
    name: str
    under: str = ""


def stamped(picture: Image.Image, place: Place, stamp: Stamp) -> Image.Image:
    """A copy of the picture with the stamp in its place."""
    made = picture.copy()
    left, top, wide, tall = place.code
    code = qr(stamp.link, min(wide, tall))
    made.paste((255, 255, 255), (left, top, left + wide, top + tall))
    made.paste(code, (left + (wide - code.width) // 2, top + (tall - code.height) // 2))
    _write(ImageDraw.Draw(made), place, stamp)
    return made


def qr(link: str, side: int) -> Image.Image:
    """The code with its quiet zone, as large as whole pixels allow within `side`."""
    # any of the eight masks can be read; to weigh them all takes longer than everything else of a stamp
    rows = segno.make(link, error="m", micro=False, mask=0).matrix
    count = len(rows)
    small = Image.new("L", (count + 2 * _QUIET, count + 2 * _QUIET), 255)
    small.putdata(_padded(rows))
    each = max(1, side // small.width)
    large = small.resize((small.width * each, small.height * each), Image.Resampling.NEAREST)
    return Image.merge("RGB", [large.point([dark, *[255] * 255]) for dark in _DARK])


def _padded(rows: tuple[bytearray, ...]) -> list[int]:
    empty = [255] * (len(rows) + 2 * _QUIET)
    side = [255] * _QUIET
    drawn = [value for row in rows for value in (*side, *(0 if dark else 255 for dark in row), *side)]
    return [*empty * _QUIET, *drawn, *empty * _QUIET]


def _write(draw: ImageDraw.ImageDraw, place: Place, stamp: Stamp) -> None:
    """Name and line within their room: on one line where it fits, on two, and smaller rather than cut."""
    left, top, wide, tall = place.names
    size = tall
    while True:
        size = max(12, int(size * 0.94))
        face = fonts.face(_even(size * 0.46), bold=True)
        lines, under = _lines(stamp.name, face, wide), fonts.face(_even(size * 0.46 * _UNDER), bold=False)
        below = _lines(stamp.under, under, wide) if stamp.under else []
        high = _LEAD * (len(lines) * face.size + len(below) * under.size)
        if size == 12 or (len(lines) <= 2 and len(below) <= 1 and high <= tall):
            break
    at = float(top)
    for text, used in [*((line, face) for line in lines), *((line, under) for line in below)]:
        draw.text((left, at), text, font=used, fill=place.ink)
        at += _LEAD * used.size


def _even(size: float) -> int:
    return max(8, int(size) // 2 * 2)


def _lines(text: str, face: ImageFont.FreeTypeFont, wide: int) -> list[str]:
    found, line, long = [], "", 0.0
    for letter in text:
        each = _width(letter, face)
        if line and long + each > wide:
            found.append(line)
            line, long = "", 0.0
        line, long = line + letter, long + each
    return [*found, line] if line else found


@lru_cache(20_000)
def _width(letter: str, face: ImageFont.FreeTypeFont) -> float:
    return face.getlength(letter)
