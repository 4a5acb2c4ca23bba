"""The folder form of content: `<key>.md` files with their pictures in `media/`, rooms in folders of their own; in
and out without change."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from content import ai_pictures, history, lifecycle, media
from content.drafting import check
from content.faults import Fault, Faulty
from content.frontmatter import STRIP
from content.lifecycle import Draft
from content.media import Picture, Prepared
from content.models import Revision
from content.rooms.folder import read_rooms, write_room
from core.errors import Conflict, Invalid
from core.i18n import gettext as _
from core.i18n import mark
from institution import audit

_READ_BY_PEOPLE = "README.md"


@dataclass(frozen=True)
class Folder:
    """A folder that was read and found good: what it holds, and the pictures nobody refers to."""

    drafts: tuple[Draft, ...]
    pictures: tuple[Prepared, ...]
    unused: tuple[str, ...]


@dataclass(frozen=True)
class Loaded:
    """What an import did, by key."""

    created: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    unused: tuple[str, ...]


def read_folder(folder: Path, files_dir: Path | None = None) -> Folder:
    """Read and check a whole folder; Faulty names every fault of every file. What `files_dir` serves is ours."""
    if not folder.is_dir():
        raise Invalid(mark("没有这个文件夹：%(name)s"), name=str(folder))
    prepared, faults = _read_pictures(folder, files_dir)
    drafts, used = [], set()
    for path in sorted(folder.glob("*.md")):
        if path.name == _READ_BY_PEOPLE:
            continue
        draft, found, names = _read_file(path, prepared)
        faults += found
        used |= names
        if draft is not None:
            drafts.append(draft)
    rooms = read_rooms(folder, files_dir)
    drafts += rooms.drafts
    faults += rooms.faults
    prepared |= rooms.pictures
    used |= rooms.used
    if not drafts and not faults:
        raise Invalid(mark("文件夹里没有内容文件（*.md 或 <key>/room.yaml）：%(name)s"), name=str(folder))
    if faults:
        raise Faulty(faults)
    kept = tuple(prepared[name] for name in sorted(used))
    drawn = tuple(one for draft in drafts for one in draft.drawn)
    return Folder(tuple(drafts), kept + drawn, tuple(sorted(prepared.keys() - used)))


def load_folder(session: Session, files_dir: Path, folder: Path, *, by: int, now: datetime) -> Loaded:
    """Import a folder: new revisions for what is new or changed, nothing for the rest, nothing if one is wrong."""
    read = read_folder(folder, files_dir)
    media.write_all(files_dir, read.pictures)
    done: dict[str, list[str]] = defaultdict(list)
    for draft in read.drafts:
        revision = lifecycle.add_revision(session, draft, by=by, now=now)
        kind = "unchanged" if revision is None else "created" if revision.number == 1 else "changed"
        done[kind].append(draft.key)
    if done["created"] or done["changed"]:
        after = {"created": done["created"], "changed": done["changed"], "unchanged": len(done["unchanged"])}
        audit.record(session, "piece.import", "piece", folder.name, after=after)
    return Loaded(
        tuple(done["created"]), tuple(done["changed"]), tuple(done["unchanged"]), tuple(read.unused)
    )


def save_folder(session: Session, files_dir: Path, folder: Path, *, institution: str = "") -> list[str]:
    """Export the newest revision of every piece into an empty or new folder; returns the keys. `institution` stands in
    the label of pictures that a machine made."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(mark("文件夹不是空的：%(name)s。请换一个新的文件夹。"), name=str(folder))
    newest = history.newest_of_all(session)
    folder.mkdir(parents=True, exist_ok=True)
    pieces = [revision for revision in newest if not write_room(folder, revision, files_dir, institution)]
    for name, data in _pictures_out(files_dir, pieces, institution).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    for revision in pieces:
        (folder / f"{revision.piece_key}.md").write_bytes(revision.text.encode())
    return [revision.piece_key for revision in newest]


def _pictures_out(files_dir: Path, newest: list[Revision], institution: str) -> Mapping[str, bytes]:
    """Every picture under its name; where two pieces mean different ones by it, the later gets its own folder."""
    taken: dict[str, str] = {}
    out: dict[str, bytes] = {}
    for revision in newest:
        for name, picture in sorted(revision.media.items()):
            if STRIP.fullmatch(name):  # drawn again from the text
                continue
            path = name
            if taken.setdefault(name, picture["sha256"]) != picture["sha256"]:
                path = _own(name, revision.piece_key)
            if path not in out:
                out[path] = ai_pictures.exported(files_dir, revision, name, institution)
    return out


def _own(name: str, key: str) -> str:
    return f"media/{key}/{name.removeprefix('media/')}"


def _read_pictures(folder: Path, files_dir: Path | None) -> tuple[dict[str, Prepared], list[Fault]]:
    found: dict[str, Prepared] = {}
    faults: list[Fault] = []
    for path in sorted((folder / "media").rglob("*")):
        if not path.is_file() or path.name.startswith("."):
            continue
        name = path.relative_to(folder).as_posix()
        try:
            found[name] = media.prepare(f"media/{path.name}", path.read_bytes(), files_dir)
        except Invalid as error:
            faults.append(Fault(name, "", str(error)))
    return found, faults


def _read_file(path: Path, prepared: Mapping[str, Prepared]) -> tuple[Draft | None, list[Fault], set[str]]:
    """The draft of a file, its faults, and the paths of the pictures that it uses."""
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return None, [Fault(path.name, "", _("文件要用 UTF-8 编码保存。"))], set()
    paths = _seen_by(path.stem, prepared)
    pictures: dict[str, Picture] = {name: prepared[at].picture for name, at in paths.items()}
    draft, faults = check(path.name, text, pictures)
    if draft is None:
        return None, faults, set()
    if draft.key != path.stem:
        rule = _("key 要与文件名相同：文件 %(key)s.md。", key=draft.key)
        return None, [Fault(path.name, "key", rule)], set()
    return draft, faults, {paths[name] for name in draft.media if name in paths}


def _seen_by(key: str, prepared: Mapping[str, Prepared]) -> dict[str, str]:
    """Name in the text → path in the folder: the shared pictures, then those of this piece's own folder."""
    shared = {path: path for path in prepared if path.count("/") == 1}
    mine = f"media/{key}/"
    own = {f"media/{path.removeprefix(mine)}": path for path in prepared if path.startswith(mine)}
    return shared | own
