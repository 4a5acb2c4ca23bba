"""A room as a piece: its file is the revision's text, what the file says of itself its front matter."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml
from pydantic import ValidationError

from content import frontmatter
from content.escape_room.format import Room, metadata
from content.escape_room.outline import parts
from content.faults import Fault
from content.media import Picture
from core.i18n import gettext as _

FILE = "room.yaml"
_MARKS = re.compile(r"^(?:kind:\s*escape_room\b|scenes:)", re.MULTILINE)


def is_room(text: str) -> bool:
    """Whether a text is the file of a room rather than front matter with a body."""
    return frontmatter.split(text) is None and _MARKS.search(text) is not None


def read(file: str, text: str) -> tuple[Room | None, list[Fault]]:
    """The room of a text, or everything that is wrong with it."""
    try:
        return Room.model_validate(yaml.safe_load(text)), []
    except (yaml.YAMLError, ValidationError) as error:
        return None, [Fault(file, "", str(error))]


@lru_cache(8)
def stored(text: str) -> Room:
    """The room of a text that was checked when it was kept."""
    room, faults = read(FILE, text)
    if room is None:
        raise ValueError("\n".join(map(str, faults)))
    return room


def pictures_of(room: Room) -> list[str]:
    """The names under which a revision knows the pictures that a room uses."""
    names = {getattr(part, field, None) for _at, part in parts(room) for field in ("picture", "cover")}
    return sorted(f"media/{name}" for name in names if name)


def lacking(file: str, room: Room, pictures: Mapping[str, Picture]) -> list[Fault]:
    """Pictures that the room names and nobody gave."""
    absent = [name for name in pictures_of(room) if name not in pictures]
    return [Fault(file, "", _("找不到图片“%(name)s”。", name=name.removeprefix("media/"))) for name in absent]


def front_matter(room: Room) -> dict[str, Any]:
    """What lists and reviews know of it, in the very form of other pieces."""
    front = frontmatter.FrontMatter.model_validate(metadata(room))
    return front.model_dump(mode="json", exclude_none=True)
