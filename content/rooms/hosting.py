"""Plays that belong to a group, such as a hall of phones: whoever hosts groups is told how they get on."""

from datetime import datetime
from typing import NamedTuple, Protocol

from tracking.attribution import Attribution


class Told(NamedTuple):
    """How far a play of a group has come: locks open of how many, points without the clock's bonus, and how it ended
    ("" while it goes on). Nothing of what was answered."""

    group: str
    play: str
    opened: int
    locks: int
    points: int
    ending: str
    at: datetime


class Host(Protocol):
    """Whoever hosts groups. A group is a short text that only its host understands; it travels in the signed state."""

    def told(self, told: Told) -> None:
        """A lock was opened, or the play ended; the same may be told again."""

    def owed(self, group: str) -> Attribution | None:
        """To whom what is counted of the group is owed; None: to whom the visitor's link says."""

    def board(self, group: str) -> str:
        """The path where the group sees how all got on; "" for none."""


class Nobody:
    """Where no groups are hosted."""

    def told(self, told: Told) -> None:
        """Nobody listens."""

    def owed(self, group: str) -> Attribution | None:
        """Nobody."""
        return None

    def board(self, group: str) -> str:
        """None."""
        return ""
