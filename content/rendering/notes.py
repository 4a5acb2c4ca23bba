"""What goes with one run of the renderer: what it may show, and what it finds out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from markdown import Markdown

from content.media import Picture
from content.strip.telling import Told


@dataclass
class Notes:
    """What rendering finds out beside the HTML."""

    pictures: Mapping[str, Picture]
    kind: str
    told: Mapping[str, Told] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    has_call: bool = False
    has_cover: bool = False
    quizzes: int = 0


class Writer(Markdown):
    """Markdown that carries the notes of its one run."""

    notes: Notes
