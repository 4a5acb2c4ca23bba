"""The directory of service guides: by what somebody wants to do and by how they can.

Hours are said as the guide says them. No page claims "open now": pages are kept, holidays are moved by decree, and a
wrong "open" sends somebody on a way for nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from content.guiding import SUITS, TASKS, WAY_LINES, WAYS
from content.listing import PublishedPiece
from core.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose, in the language in force; `count` guides would be left."""

    key: str
    name: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Way:
    """A way to reach the institution, with its guide."""

    key: str
    name: str
    line: str
    guide: PublishedPiece
    tasks: Sequence[str]
    suits: Sequence[str]


@dataclass(frozen=True, slots=True)
class Directory:
    """What the directory shows: ways that fit, other guides that fit, and the choices."""

    task: str
    suit: str
    tasks: Sequence[Choice]
    suits: Sequence[Choice]
    ways: Sequence[Way]
    others: Sequence[PublishedPiece]

    @property
    def is_narrowed(self) -> bool:
        """Whether something was chosen."""
        return bool(self.task or self.suit)

    @property
    def count(self) -> int:
        """How many guides fit."""
        return len(self.ways) + len(self.others)

    @property
    def chosen(self) -> str:
        """What was chosen, in words."""
        names = [one.name for one in (*self.tasks, *self.suits) if one.chosen]
        return _("，").join(names)


def directory(guides: Sequence[PublishedPiece], task: str = "", suit: str = "") -> Directory:
    """The guides that help with a task and suit somebody; an unknown choice narrows nothing.

    A guide that names no circumstances, such as how to claim, suits everybody.
    """
    task, suit = task if task in TASKS else "", suit if suit in SUITS else ""
    fitting = [one for one in guides if _fits(one, task, suit)]
    order = list(WAYS)
    ways = [_way(one) for one in fitting if one.way in WAYS]
    ways.sort(key=lambda way: order.index(way.key))
    return Directory(
        task,
        suit,
        [Choice(key, _(name), _count(guides, key, suit), key == task) for key, name in TASKS.items()],
        [Choice(key, _(name), _count(guides, task, key), key == suit) for key, name in SUITS.items()],
        ways,
        [one for one in fitting if one.way not in WAYS],
    )


def _fits(one: PublishedPiece, task: str, suit: str) -> bool:
    return (not task or task in one.tasks) and (not suit or not one.suits or suit in one.suits)


def _count(guides: Sequence[PublishedPiece], task: str, suit: str) -> int:
    return sum(_fits(one, task, suit) for one in guides)


def _way(one: PublishedPiece) -> Way:
    return Way(
        one.way,
        _(WAYS[one.way]),
        _(WAY_LINES[one.way]),
        one,
        [_(TASKS[task]) for task in one.tasks],
        [_(SUITS[suit]) for suit in one.suits],
    )
