"""The desk's first page: what waits for a person, and their figures. Packages above plug theirs in by `webapp`."""

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

    @property
    def pressing(self) -> bool:
        """Whether something in it is overdue or went wrong."""
        return any(entry.tone == "bad" for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Figure:
    """One of my figures: a number or a word, what it counts, where more stands; `growth` against last year."""

    label: str
    value: float | str
    href: str
    note: str = ""
    growth: float | None = None
    grows: bool = False


PanelMaker = Callable[[Session, SignedIn, datetime], Panel | None]
FigureMaker = Callable[[Session, SignedIn, datetime], Figure | None]
panels: list[PanelMaker] = []
figure_makers: list[FigureMaker] = []


def plug(maker: PanelMaker) -> None:
    """Add a panel to the first page, once however often it is plugged in."""
    if maker not in panels:
        panels.append(maker)


def plug_figure(maker: FigureMaker) -> None:
    """Add a figure to the first page, once however often it is plugged in."""
    if maker not in figure_makers:
        figure_makers.append(maker)


def gather(session: Session, person: SignedIn, now: datetime) -> list[Panel]:
    """The panels with something in them for this person: what is overdue or failed, what waits, the rest."""
    found = [panel for maker in panels if (panel := maker(session, person, now)) and panel.count]
    return sorted(found, key=lambda panel: (not panel.urgent, not panel.pressing))


def figures(session: Session, person: SignedIn, now: datetime) -> list[Figure]:
    """The figures of this person's part of the tree."""
    return [figure for maker in figure_makers if (figure := maker(session, person, now))]
