"""The check of a folder of pieces, as the command line does it: form first, then the rules, file by file."""

from collections.abc import Iterator
from datetime import date as Day
from pathlib import Path

from content import frontmatter, library
from content.check import checking
from content.check.elsewhere import Elsewhere, Names, anchors_of
from content.check.findings import Finding, Severity, in_order
from content.faults import Fault, Faulty
from content.rooms import file as rooms
from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import mark

FORM = "form"
_README = "README.md"


def check_folder(folder: Path, on: Day) -> list[Finding]:
    """Everything found in a folder on a day; what is wrong in form is an error of the rule `form`."""
    if not folder.is_dir():
        raise Invalid(mark("没有这个文件夹：%(name)s"), name=str(folder))
    pictures = _pictures(folder)
    known = frozenset(path.stem for path in folder.glob("*.md")) | _rooms(folder)
    found = [_malformed(fault) for fault in _faults(folder)]
    texts = list(_texts(folder))
    elsewhere = Elsewhere(_anchors(texts))
    for name, text, meta in texts:
        cover = str(meta.get("cover") or "")
        used = {one: data for one, data in pictures.items() if one in text or one == cover}
        found += checking.check(
            name, text, meta, on=on, known=known, names=frozenset(pictures), pictures=used,
            elsewhere=elsewhere,
        )  # fmt: skip
    return in_order(found)


def _faults(folder: Path) -> list[Fault]:
    try:
        library.read_folder(folder)
    except Faulty as error:
        return error.faults
    return []


def _texts(folder: Path) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Name, text and front matter of every file whose front matter can be read."""
    for path in sorted(folder.glob("*.md")):
        text = _decoded(path)
        parts = frontmatter.split(text) if path.name != _README else None
        front = frontmatter.read(path.name, parts[0])[0] if parts else None
        if front is not None:
            yield path.name, text, front.model_dump(mode="json", exclude_none=True)
    for path in sorted(folder.glob(f"*/{rooms.FILE}")):
        text = _decoded(path)
        room, _wrong = rooms.read(path.name, text)
        if room is not None:
            yield path.relative_to(folder).as_posix(), text, rooms.front_matter(room)


def _anchors(texts: list[tuple[str, str, dict[str, object]]]) -> Names:
    """Where links may lead in the other files, read only for those that are linked to."""
    by_key = {str(meta.get("key")): (text, str(meta.get("kind"))) for _name, text, meta in texts}
    return lambda key: anchors_of(*by_key[key]) if key in by_key else None


def _decoded(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def _pictures(folder: Path) -> dict[str, bytes]:
    media = folder / "media"
    paths = [path for path in sorted(media.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _rooms(folder: Path) -> frozenset[str]:
    return frozenset(path.parent.name for path in folder.glob(f"*/{rooms.FILE}"))


def _malformed(fault: Fault) -> Finding:
    return Finding(
        file=fault.file, rule=FORM, severity=Severity.error, line=0, column=0, offset=0, length=0,
        excerpt=fault.field, says=fault.rule, way_out=_("改好以后再导入。"), law="",
    )  # fmt: skip
