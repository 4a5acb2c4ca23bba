"""A body, rendered."""

from collections.abc import Mapping
from dataclasses import dataclass

from content.media import Picture
from content.models import Kind
from content.rendering import anchors, cleaner, grammar
from content.rendering.blocks import Blocks
from content.rendering.notes import Notes, Writer
from content.rendering.tree import Whole
from content.strip.telling import Told
from core.i18n import gettext as _


@dataclass(frozen=True)
class Rendered:
    """The HTML of a body; `faults` are (line of the file or 0, rule), and then it is not fit to be kept. `anchors`:
    where a link may lead in it."""

    html: str
    used: frozenset[str]
    faults: tuple[tuple[int, str], ...]
    has_call: bool
    has_cover: bool
    anchors: frozenset[str] = frozenset()


def render(
    body: str,
    pictures: Mapping[str, Picture],
    kind: str,
    first_line: int = 1,
    *,
    told: Mapping[str, Told] | None = None,
) -> Rendered:
    """Render a body with the pictures it may refer to; `first_line` is where the body begins in its file, `told`
    what stands for the drawn panels."""
    notes = Notes(pictures=pictures, kind=kind, told=told or {})
    writer = Writer(extensions=["tables", "sane_lists", "attr_list", Blocks()], output_format="html")
    writer.notes = notes
    writer.treeprocessors.register(Whole(notes), "whole", 15)
    html, names = cleaner.clean(writer.convert(body)), frozenset[str]()
    if kind != Kind.escape_room:  # whose page is made of many such texts
        html, names = anchors.put(html)
    faults = [(first_line + at, rule) for at, rule in grammar.faults(body)]
    faults += [(0, rule) for rule in notes.faults]
    if "<p>///" in html:
        faults.append((0, _("有一个块没有写对，斜线露在了正文里。")))
    return Rendered(html, frozenset(notes.used), tuple(faults), notes.has_call, notes.has_cover, names)
