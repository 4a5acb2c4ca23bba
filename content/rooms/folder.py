"""Rooms in a folder of pieces: each in a folder of its own, `<key>/room.yaml` with its pictures beside it."""

from pathlib import Path
from typing import NamedTuple

from content import ai_pictures, media
from content.drafting import check
from content.faults import Fault
from content.lifecycle import Draft
from content.media import Prepared
from content.models import Kind, Revision
from content.rooms.file import FILE
from core.errors import Invalid
from core.i18n import gettext as _


class Found(NamedTuple):
    """What the folders of rooms hold: drafts, faults, pictures by path, and the paths of those that are used."""

    drafts: list[Draft]
    faults: list[Fault]
    pictures: dict[str, Prepared]
    used: set[str]


def read_rooms(folder: Path, files_dir: Path | None = None) -> Found:
    """Every room below a folder of pieces, with all faults of all of them."""
    found = Found([], [], {}, set())
    for path in sorted(folder.glob(f"*/{FILE}")):
        _read_room(path, files_dir, found)
    return found


def write_room(folder: Path, revision: Revision, files_dir: Path, institution: str = "") -> bool:
    """Write a revision as the folder of a room; False when it is none."""
    if revision.meta.get("kind") != Kind.escape_room:
        return False
    mine = folder / revision.piece_key
    mine.mkdir(parents=True)
    (mine / FILE).write_bytes(revision.text.encode())
    for name in revision.media:
        data = ai_pictures.exported(files_dir, revision, name, institution)
        (mine / name.removeprefix("media/")).write_bytes(data)
    return True


def _read_room(path: Path, files_dir: Path | None, found: Found) -> None:
    key = path.parent.name
    prepared = _pictures(path.parent, files_dir, found)
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        found.faults.append(Fault(f"{key}/{FILE}", "", _("文件要用 UTF-8 编码保存。")))
        return
    draft, faults = check(f"{key}/{FILE}", text, {name: one.picture for name, one in prepared.items()})
    found.faults.extend(faults)
    if draft is None:
        return
    if draft.kind != Kind.escape_room or draft.key != key:
        rule = _("key 要与文件夹名相同：%(key)s/room.yaml。", key=draft.key)
        found.faults.append(Fault(f"{key}/{FILE}", "key", rule))
        return
    found.drafts.append(draft)
    found.used.update(f"{key}/{name.removeprefix('media/')}" for name in draft.media)


def _pictures(mine: Path, files_dir: Path | None, found: Found) -> dict[str, Prepared]:
    """The pictures beside a room, by the names that a revision knows them under."""
    prepared = {}
    for path in sorted(mine.glob("*.svg")):
        place = f"{mine.name}/{path.name}"
        try:
            one = media.prepare(f"media/{path.name}", path.read_bytes(), files_dir)
        except Invalid as error:
            found.faults.append(Fault(place, "", str(error)))
            continue
        prepared[f"media/{path.name}"] = found.pictures[place] = one
    return prepared
