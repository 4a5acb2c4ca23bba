"""What waits for a person on the desk's first page. Packages above plug their panels in through `webapp`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from institution.access import SignedIn


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that waits: what it is, where it is dealt with, what one should know about it."""

    title: str
    href: str
    note: str = ""
    tone: str = "warn"


@dataclass(frozen=True, slots=True)
class Panel:
    """A kind of thing that waits: how many there are, the first few of them, the page of all.

    `urgent` panels count in the number beside “待我处理”; the others only inform.
    """

    title: str
    href: str
    count: int
    entries: Sequence[Entry] = field(default_factory=tuple)
    urgent: bool = True


PanelMaker = Callable[[Session, SignedIn, datetime], Panel | None]
panels: list[PanelMaker] = []


def plug(maker: PanelMaker) -> None:
    """Add a panel to the first page, once however often it is plugged in."""
    if maker not in panels:
        panels.append(maker)


def gather(session: Session, person: SignedIn, now: datetime) -> list[Panel]:
    """The panels with something in them for this person, what needs a decision first."""
    found = [panel for maker in panels if (panel := maker(session, person, now)) and panel.count]
    return sorted(found, key=lambda panel: not panel.urgent)
