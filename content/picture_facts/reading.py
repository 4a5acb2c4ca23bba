"""All properties of a picture's file, read one by one: what is broken in one of them hides nothing in the others."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import ExifTags, Image, UnidentifiedImageError

from content.picture_facts import iptc, png, xmp

_BROKEN = (
    UnidentifiedImageError, OSError, ValueError, SyntaxError, KeyError, IndexError, TypeError,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
_AUTHOR = (
    ExifTags.Base.Artist,
    ExifTags.Base.XPAuthor,
    ExifTags.Base.CameraOwnerName,
    ExifTags.Base.HostComputer,
)
# The name stands some elements deep; an empty one names nobody. Bounded, so that many of them take no time.
_SVG_AUTHOR = re.compile(
    rb"<(?:dc:creator|dc:rights|cc:Agent|author)\b[^>]{0,2000}>\s{0,200}(?:<[^/>][^>]{0,2000}>\s{0,200}){0,8}[^<\s]",
    re.IGNORECASE,
)
_SVG_HOME = re.compile(rb"=\s*[\"'](?:file://)?" + xmp.HOME.pattern.encode())
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\x00"
_EXTENSION_HEAD = len(_EXTENSION) + 32 + 4 + 4  # after it: whose part it is, of how much, where it belongs
_IPTC, _XMP = 0x0404, 0x0424  # among the resources of Photoshop
Told = tuple[bool, bool]  # of a person, of a place


@dataclass(frozen=True, slots=True)
class Properties:
    """Whether a file names a person or a place, and all words in which it says how it was `made`."""

    person: bool
    place: bool
    made: str

    @property
    def personal(self) -> bool:
        """Whether it tells of somebody: who, or where they were."""
        return self.person or self.place


def properties(data: bytes) -> Properties:
    """What a picture's file (PNG, JPEG, WebP, SVG) tells; one that cannot be read tells nothing."""
    told = [xmp.tells(packet) for packet in xmp.packets(data)]
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        named = _SVG_AUTHOR.search(data) is not None or _SVG_HOME.search(data) is not None
        return _facts([*told, (named, False)], data[:20_000].decode("utf-8", "replace"))
    made: list[str] = []
    try:
        with Image.open(io.BytesIO(data)) as picture:
            made += (
                f"{name} {value!s}" for name, value in picture.info.items() if isinstance(value, str | bytes)
            )
            told += _of_info(picture)
            exif = picture.getexif()
            made.append(str(exif.get(ExifTags.Base.Software, "")))
            told.append(_of_exif(exif))
    except _BROKEN:
        pass  # whether it is a picture at all is for `media.prepare` to say
    if png.is_png(data):
        told += _of_png(data)
    return _facts(told, " ".join(made))


def _facts(told: list[Told], made: str) -> Properties:
    return Properties(any(person for person, _place in told), any(place for _person, place in told), made)


def _of_info(picture: Image.Image) -> Iterator[Told]:
    """What Pillow took out of the file: a packet, the resources of Photoshop, the parts of a long packet."""
    if packet := picture.info.get("xmp"):
        yield xmp.tells(packet if isinstance(packet, bytes) else str(packet).encode())
    kept = picture.info.get("photoshop")
    resources = kept if isinstance(kept, dict) else {}
    if _IPTC in resources:
        yield iptc.tells(resources[_IPTC])
    if _XMP in resources:
        yield xmp.tells(resources[_XMP])
    parts = [part for _name, part in getattr(picture, "applist", ()) if part.startswith(_EXTENSION)]
    if parts:
        yield xmp.tells(b"".join(part[_EXTENSION_HEAD:] for part in parts))


def _of_exif(exif: Image.Exif) -> Told:
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    named = any(str(exif.get(tag, inner.get(tag, ""))).strip("\0 b'") for tag in _AUTHOR)
    return named, bool(exif.get_ifd(ExifTags.IFD.GPSInfo))


def _of_png(data: bytes) -> Iterator[Told]:
    """Its words, also those behind the picture and those that another program packed into them."""
    for body in png.exif(data):
        yield from _of_packed_exif(body)
    for keyword, words in png.texts(data):
        if not words.strip():
            continue
        name = keyword.rpartition(":")[2].lower()  # "exif:GPSLatitude"
        yield name in xmp.PEOPLE, name in xmp.PLACES
        if keyword == "XML:com.adobe.xmp":
            yield xmp.tells(words)
        elif keyword.startswith(png.PROFILE):
            yield from _of_profile(keyword.removeprefix(png.PROFILE), png.profile(words))


def _of_profile(kind: str, data: bytes) -> Iterator[Told]:
    if data.startswith(b"Exif\x00"):
        yield from _of_packed_exif(data)
    elif kind in ("iptc", "8bim"):
        yield iptc.tells(data)
    else:
        yield from (xmp.tells(packet) for packet in xmp.packets(data))


def _of_packed_exif(data: bytes) -> Iterator[Told]:
    exif = Image.Exif()
    try:
        exif.load(data)
        yield _of_exif(exif)
    except _BROKEN:
        return
