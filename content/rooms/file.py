"""A room as a piece: its file is the revision's text, what the file says of itself its front matter."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from content import frontmatter
from content.escape_room import proof, reading
from content.escape_room.format import Room, metadata
from content.escape_room.outline import parts
from content.escape_room.proof import Report
from content.faults import Fault, Faulty
from content.media import Picture
from content.models import Kind, Revision
from core.i18n import current_locale
from core.i18n import gettext as _

FILE = reading.FILE
_MARKS = re.compile(r"^(?:kind:\s*escape_room\b|scenes:)", re.MULTILINE)


def is_room(text: str) -> bool:
    """Whether a text is the file of a room rather than front matter with a body."""
    return frontmatter.split(text) is None and _MARKS.search(text) is not None


def read(name: str, text: str) -> tuple[Room | None, list[Fault]]:
    """The room of a text, or everything that is wrong with it."""
    room, faults = reading.read_text(text.removeprefix("\ufeff"), name)
    return room, [fault.plain() for fault in faults]


@lru_cache(8)
def stored(text: str) -> Room:
    """The room of a text that was checked when it was kept; Faulty if rules became stricter meanwhile."""
    room, faults = read(FILE, text)
    if room is None:
        raise Faulty(faults)
    return room


def pictures_of(room: Room) -> list[str]:
    """The names under which a revision knows the pictures that a room uses."""
    names = {getattr(part, field, None) for _at, part in parts(room) for field in ("picture", "cover")}
    return sorted(f"media/{name}" for name in names if name)


def lacking(name: str, room: Room, pictures: Mapping[str, Picture]) -> list[Fault]:
    """Pictures that the room names and nobody gave."""
    absent = [picture for picture in pictures_of(room) if picture not in pictures]
    return [Fault(name, "", _("找不到图片“%(name)s”。", name=each.removeprefix("media/"))) for each in absent]


def front_matter(room: Room) -> dict[str, Any]:
    """What lists and reviews know of it, in the very form of other pieces."""
    front = frontmatter.FrontMatter.model_validate(metadata(room))
    return front.model_dump(mode="json", exclude_none=True)


def require_proof(revision: Revision) -> None:
    """Faulty names everything for which a room may not be put before others; any other piece passes."""
    if revision.meta.get("kind") != Kind.escape_room:
        return
    report = proved(revision.text)
    if not report.good:
        raise Faulty([fault.plain() for fault in report.faults])


def proved(text: str) -> Report:
    """The proof of a room's text in the language in force, kept at hand: pages of the desk show it again and again,
    and a big room takes a second. Faulty when the text is no room."""
    return _proved(text, current_locale())


@lru_cache(16)
def _proved(text: str, _lang: str) -> Report:
    """Steps of players are told in words, so there is one for each language."""
    return proof.prove(stored(text), file=FILE)
