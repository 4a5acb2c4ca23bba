"""Pictures of pieces: checked, made harmless, stored under the hash of what is in them."""

import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from content import raster, svg
from content.frontmatter import PICTURE
from content.machine_made import pictures
from content.picture_facts.reading import properties
from core.errors import Invalid, NotFound
from core.i18n import mark

LARGEST = {"svg": 1024 * 1024, "png": 8 * 1024 * 1024, "jpg": 8 * 1024 * 1024, "webp": 8 * 1024 * 1024}
TYPES = {"svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
_SERVED = re.compile(r"[0-9a-f]{16}\.(?:svg|png|jpg|webp)")


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


def prepare(name: str, data: bytes, files_dir: Path | None = None) -> Prepared:
    """Check a picture and make it harmless, without writing anything; Invalid names the rule.

    What `files_dir` serves already is taken as it is, so that an export that comes back changes nothing.
    """
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
    data = pictures.bare(
        data, kind
    )  # the piece says what a machine made; each file says it anew as it leaves
    if kind == "svg":
        served, width, height = svg.clean(data)
        if properties(data).personal:
            data = served  # an export must not tell of somebody either
        sha256 = hashlib.sha256(data).hexdigest()
    else:
        served, (width, height) = raster.redrawn(name, data, kind, ours=_is_ours(data, kind, files_dir))
        sha256 = hashlib.sha256(served).hexdigest()
    file = f"{hashlib.sha256(served).hexdigest()[:16]}.{kind}"
    if kind != "svg" or served == data:  # of a raster only what was drawn anew is kept
        return Prepared(Picture(file, f"media/{file}", sha256, width, height), {f"media/{file}": served})
    original = f"originals/{sha256}.{kind}"
    return Prepared(Picture(file, original, sha256, width, height), {f"media/{file}": served, original: data})


def _is_ours(data: bytes, kind: str, files_dir: Path | None) -> bool:
    """Whether this is a picture that was drawn anew here before (an export that comes back)."""
    if files_dir is None:
        return False
    path = files_dir / "media" / f"{hashlib.sha256(data).hexdigest()[:16]}.{kind}"
    if not path.is_file() or path.read_bytes() != data:
        return False
    return not properties(data).personal  # kept before all was drawn anew: it is now


def write(files_dir: Path, prepared: Prepared) -> Picture:
    """Store the files of a picture; writing the same again changes nothing."""
    put(files_dir, prepared.files)
    return prepared.picture


def put(files_dir: Path, files: Mapping[str, bytes]) -> None:
    """Store files by their paths, each whole or not at all; what is there stays."""
    for path, data in files.items():
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


def write_all(files_dir: Path, prepared: Iterable[Prepared]) -> None:
    """Store several, as `write` does."""
    for one in prepared:
        write(files_dir, one)


def store(files_dir: Path, name: str, data: bytes) -> Picture:
    """Check and store a picture at once (a campaign's hero, an upload)."""
    return write(files_dir, prepare(name, data, files_dir))


def served(files_dir: Path, file: str) -> tuple[bytes, str]:
    """Content and media type of a picture; NotFound for any other name."""
    path = files_dir / "media" / file
    if not _SERVED.fullmatch(file) or not path.is_file():
        raise NotFound(mark("没有找到这张图片。"))
    return path.read_bytes(), TYPES[file.rsplit(".", 1)[1]]


def original(files_dir: Path, picture: Mapping[str, Any]) -> bytes:
    """The picture as it is exported (an SVG as it was given); NotFound names what is missing from the store."""
    path = files_dir / str(picture["original"])
    if not path.is_file():
        raise NotFound(mark("图片文件“%(name)s”不在文件库里，请检查备份。"), name=path.name)
    return path.read_bytes()


def kept(files_dir: Path, known: Mapping[str, Any]) -> dict[str, bytes]:
    """The pictures of a revision by name as they leave in an export; what the store does not have is left out."""
    paths = {name: files_dir / str(entry["original"]) for name, entry in known.items()}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}


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
