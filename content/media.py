"""Pictures of pieces: checked, made harmless, stored under the hash of what is in them."""

import hashlib
import io
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from content import svg
from content.frontmatter import PICTURE
from core.errors import Invalid, NotFound
from core.i18n import mark

LARGEST = {"svg": 1024 * 1024, "png": 8 * 1024 * 1024, "jpg": 8 * 1024 * 1024, "webp": 8 * 1024 * 1024}
TYPES = {"svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
_FORMATS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
_SERVED = re.compile(r"[0-9a-f]{16}\.(?:svg|png|jpg|webp)")
_LARGEST_SIDE = 10_000
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Picture:
    """A picture as a revision refers to it: what is served, what was given, how large it is drawn."""

    file: str
    original: str
    sha256: str
    width: int
    height: int

    @property
    def url(self) -> str:
        """The path under which visitors get it."""
        return f"/media/{self.file}"

    def as_json(self) -> dict[str, Any]:
        """The form kept in a revision."""
        return asdict(self)


@dataclass(frozen=True)
class Prepared:
    """A checked picture and the files to be written for it, by path below `files_dir`."""

    picture: Picture
    files: Mapping[str, bytes] = field(repr=False)


def prepare(name: str, data: bytes) -> Prepared:
    """Check a picture and make it harmless, without writing anything; Invalid names the rule."""
    if not PICTURE.fullmatch(name):
        raise Invalid(
            mark("图片名写作 media/名称.svg（或 png、jpg、webp），名称用字母、数字和连字符。"), field=name
        )
    kind = _kind_of(data)
    extension = name.rsplit(".", 1)[1].replace("jpeg", "jpg")
    if kind != extension:
        raise Invalid(
            mark("“%(name)s”的内容与扩展名不符，只接受 SVG、PNG、JPG、WebP。"), field=name, name=name
        )
    if len(data) > LARGEST[kind]:
        raise Invalid(mark("图片“%(name)s”太大，请压缩后再用。"), field=name, name=name)
    served, width, height = svg.clean(data) if kind == "svg" else (data, *_raster_size(name, data))
    sha256 = hashlib.sha256(data).hexdigest()
    file = f"{hashlib.sha256(served).hexdigest()[:16]}.{kind}"
    original = f"media/{file}" if served == data else f"originals/{sha256}.{kind}"
    picture = Picture(file, original, sha256, width, height)
    return Prepared(picture, {f"media/{file}": served, original: data})


def write(files_dir: Path, prepared: Prepared) -> Picture:
    """Store the files, each whole or not at all; writing the same again changes nothing."""
    for path, data in prepared.files.items():
        target = files_dir / path
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    return prepared.picture


def store(files_dir: Path, name: str, data: bytes) -> Picture:
    """Check and store a picture at once (a campaign's hero, an upload)."""
    return write(files_dir, prepare(name, data))


def served(files_dir: Path, file: str) -> tuple[bytes, str]:
    """Content and media type of a picture; NotFound for any other name."""
    path = files_dir / "media" / file
    if not _SERVED.fullmatch(file) or not path.is_file():
        raise NotFound(mark("没有找到这张图片。"))
    return path.read_bytes(), TYPES[file.rsplit(".", 1)[1]]


def original(files_dir: Path, picture: Mapping[str, Any]) -> bytes:
    """The picture as it was given; NotFound names what is missing from the store."""
    path = files_dir / str(picture["original"])
    if not path.is_file():
        raise NotFound(mark("图片文件“%(name)s”不在文件库里，请检查备份。"), name=path.name)
    return path.read_bytes()


def from_json(known: Mapping[str, Any]) -> dict[str, Picture]:
    """The pictures of a revision by name."""
    return {name: Picture(**entry) for name, entry in known.items()}


def _kind_of(data: bytes) -> str:
    """The kind by signature; anything that is not a raster is taken for SVG and must parse as such."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return "svg"


def _raster_size(name: str, data: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(data), formats=tuple(_FORMATS)) as image:
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION, 1) >= 5
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Invalid(mark("图片“%(name)s”读不出来，可能已经损坏。"), field=name, name=name) from error
    if max(width, height) > _LARGEST_SIDE:
        raise Invalid(mark("图片“%(name)s”的边长超过 10000 像素，请缩小。"), field=name, name=name)
    return (height, width) if turned else (width, height)
