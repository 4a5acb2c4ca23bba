"""What a picture's file tells beside the picture: a place, a name, the machine that made it."""

import io
import re
from collections.abc import Iterator
from typing import Any

from PIL import ExifTags, Image, UnidentifiedImageError

from content.check.found import Found
from content.check.piece import Checked
from content.check.rulesets import Rule, union

_AUTHOR = (
    ExifTags.Base.Artist,
    ExifTags.Base.XPAuthor,
    ExifTags.Base.CameraOwnerName,
    ExifTags.Base.HostComputer,
)
_SVG_AUTHOR = re.compile(
    rb"<(?:dc:creator|dc:rights|cc:Agent|author)\b[^>]*>\s*(?:<[^>]+>\s*)*[^<\s]", re.IGNORECASE
)
_XMP_AUTHOR = re.compile(r"<dc:creator>.*?<rdf:li[^>]*>[^<]+<", re.DOTALL)


def picture_data(_rule: Rule, piece: Checked) -> Iterator[Found]:
    """Pictures that carry a place or a person's name in their properties."""
    for name, data in sorted(piece.pictures.items()):
        facts = properties(data)
        if facts.get("gps") or facts.get("author"):
            yield Found(what=name)


def made_by_machine(rule: Rule, piece: Checked) -> Iterator[Found]:
    """Pictures whose file says that a machine made them, in a piece that does not say so."""
    if piece.meta.get("ai_generated"):
        return
    tools = union(tuple(rule.words["tools"]))
    for name, data in sorted(piece.pictures.items()):
        if tools.search(str(properties(data).get("made", ""))):
            yield Found(what=name)


def properties(data: bytes) -> dict[str, Any]:
    """`gps` (bool), `author` (bool) and `made` (all words of its properties) of a picture's file."""
    if data.lstrip()[:1] == b"<":
        return {
            "author": _SVG_AUTHOR.search(data) is not None,
            "made": data[:20_000].decode("utf-8", "replace"),
        }
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return _of_raster(picture)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return {}  # whether it is a picture at all is for `media.prepare` to say


def _of_raster(picture: Image.Image) -> dict[str, Any]:
    exif = picture.getexif()
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    words = {str(name): str(value) for name, value in picture.info.items() if isinstance(value, str | bytes)}
    xmp = words.get("xmp", "") + words.get("XML:com.adobe.xmp", "")
    named = any(str(exif.get(tag, inner.get(tag, ""))).strip("\0 b'") for tag in _AUTHOR)
    author = named or bool(words.get("Author", "").strip()) or _XMP_AUTHOR.search(xmp) is not None
    made = " ".join([str(exif.get(ExifTags.Base.Software, "")), *words.keys(), *words.values()])
    return {"gps": bool(exif.get_ifd(ExifTags.IFD.GPSInfo)), "author": author, "made": made}
