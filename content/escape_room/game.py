"""A room ready to be played: names looked up, facts numbered as bits. Made once by `compiling.compile_room`."""

from typing import NamedTuple

from content.escape_room.deeds import Deeds, Test
from content.escape_room.format import Dialogue, Door, Hotspot, Room, Scene
from content.escape_room.judging import Code, Numbers, Said
from content.escape_room.locks import Lock
from content.escape_room.texts import Text


class Spot(NamedTuple):
    """A hotspot; `bit` is the fact that it was looked at."""

    bit: int
    when: Test
    deeds: Deeds
    told: Hotspot


class Way(NamedTuple):
    """A door: to which scene, and which lock is before it (its number in `fronts`, 0: none)."""

    when: Test
    to: int
    lock: int
    told: Door


class Place(NamedTuple):
    """A scene; `more` are the conditions of its further words."""

    name: str
    bit: int
    enter: Deeds
    spots: dict[str, Spot]
    ways: dict[str, Way]
    more: tuple[Test, ...]
    told: Scene


class Choice(NamedTuple):
    """Something to say; `next` -1: the talk is over. To a fraudster it may be a `fall`, or the way `out`."""

    name: str
    text: Text
    when: Test
    chose: int
    next: int
    deeds: Deeds
    fall: Text | None = None
    out: Text | None = None


class Line(NamedTuple):
    """What somebody says, and what may be said to it."""

    name: str
    says: Text
    by: str
    choices: tuple[Choice, ...]


class Talk(NamedTuple):
    """A dialogue."""

    name: str
    lines: tuple[Line, ...]
    told: Dialogue


class Bolt(NamedTuple):
    """A lock; a conversation has `lines` from `start`, all others a `judge` of what is `shown`."""

    name: str
    number: int
    opened: int
    failed: int
    needs: int
    deeds: Deeds
    failing: Deeds
    judge: Numbers | Code | None
    shown: Said
    partners: Said
    start: int
    lines: tuple[Line, ...]
    told: Lock


class Game(NamedTuple):
    """A compiled room. `fronts`: what can stand before a scene: nothing, the dialogues, the locks. `bits` numbers
    each (fact, name), items and clues first, in the order of the file; `finds` are these."""

    room: Room
    hash: str
    bits: dict[tuple[str, str], int]
    finds: int
    places: tuple[Place, ...]
    fronts: tuple[Talk | Bolt | None, ...]
    bolts: tuple[Bolt, ...]
    endings: tuple[str, ...]
    start: int
