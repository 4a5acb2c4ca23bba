"""A room as one file: its folder in a ZIP, as `signpost room check` reads it; what comes back is checked before use."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from content import media
from content.faults import Fault, Faulty
from content.models import Revision
from content.rooms.file import FILE
from core.errors import DomainError, Invalid
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings

_MOST_FILES, _LARGEST = 200, 24 * 1024 * 1024
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    KeyError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
_DATE = (2020, 1, 1, 0, 0, 0)  # the same room makes the same file


class Unpacked(NamedTuple):
    """The text of a room and its pictures by name, not yet checked."""

    text: str
    pictures: Mapping[str, bytes]


def packed(revision: Revision, settings: Settings) -> bytes:
    """The folder of a revision."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        folder = revision.piece_key
        archive.writestr(_entry(f"{folder}/{FILE}"), revision.text)
        for name, picture in sorted(revision.media.items()):
            data = media.original(settings.files_dir, picture)
            archive.writestr(_entry(f"{folder}/{name.removeprefix('media/')}"), data)
    return made.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def unpacked(data: bytes) -> Unpacked:
    """What a ZIP holds, in memory; Invalid when it is none, too large, or leads out of its folder."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive)
    except DomainError:
        raise
    except _BROKEN as error:
        raise Invalid(mark("这不是完好的 ZIP 压缩包，或者有密码。"), field="file") from error


def _read(archive: zipfile.ZipFile) -> Unpacked:
    entries = [one for one in archive.infolist() if not one.is_dir()]
    if len(entries) > _MOST_FILES or sum(one.file_size for one in entries) > _LARGEST:
        raise Invalid(mark("压缩包展开后太大：最多 200 个文件，共 24 MB。"), field="file")
    for one in entries:
        path = PurePosixPath(one.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in one.filename or ":" in one.filename:
            raise Invalid(mark("压缩包里的路径“%(name)s”不能用。"), field="file", name=one.filename[:80])
    rooms = [one for one in entries if PurePosixPath(one.filename).name == FILE and _visible(one.filename)]
    if len(rooms) != 1:
        raise Invalid(mark("压缩包里要有一个、也只能有一个 room.yaml。"), field="file")
    folder = PurePosixPath(rooms[0].filename).parent
    beside = [one for one in entries if PurePosixPath(one.filename).parent == folder and one is not rooms[0]]
    pictures = {PurePosixPath(one.filename).name: one for one in beside if one.filename.endswith(".svg")}
    left = [0]
    text = _bytes(archive, rooms[0], left)
    return Unpacked(_text(text), {name: _bytes(archive, one, left) for name, one in pictures.items()})


def _visible(name: str) -> bool:
    return not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _bytes(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, read: list[int]) -> bytes:
    """One file, never more than it said: what a ZIP says of itself is not believed."""
    with archive.open(entry) as stream:
        data = stream.read(_LARGEST - read[0] + 1)
    read[0] += len(data)
    if read[0] > _LARGEST:
        raise Invalid(mark("压缩包展开后太大：最多 200 个文件，共 24 MB。"), field="file")
    return data


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Faulty([Fault(FILE, "", _("文件要用 UTF-8 编码保存。"))]) from error


def prepared(
    pictures: Mapping[str, bytes], settings: Settings
) -> tuple[dict[str, media.Prepared], list[Fault]]:
    """The pictures made harmless under the names of a revision, nothing written yet; what is wrong with others."""
    made, faults = {}, []
    for name, data in sorted(pictures.items()):
        try:
            made[f"media/{name}"] = media.prepare(f"media/{name}", data, settings.files_dir)
        except Invalid as error:
            faults.append(Fault(name, "", str(error)))
    return made, faults
