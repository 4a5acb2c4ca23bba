"""小宝成长日记: episodes in seasons, each with the one before and the one after; what a season is about, who is in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import yaml
from markupsafe import Markup

from content.listing import PublishedPiece
from content.strip.parts import parts
from content.strip.scene import draw_person
from core.i18n import current_locale

_SERIAL = Path(__file__).parent / "strip" / "data" / "serial.yaml"
_POSES = ("wave", "open", "stand", "hips", "point", "hold")


@dataclass(frozen=True)
class About:
    """What a season is called and about, and the keys of who is in it."""

    title: str
    title_en: str
    line: str
    line_en: str
    people: tuple[str, ...]

    @property
    def shown_title(self) -> str:
        """The title in the language in force."""
        return self.title_en if current_locale() == "en" else self.title

    @property
    def shown_line(self) -> str:
        """What it is about, in the language in force."""
        return self.line_en if current_locale() == "en" else self.line


@dataclass(frozen=True)
class Character:
    """Somebody of the serial, drawn."""

    key: str
    name: str
    line: str
    drawing: Markup


@dataclass(frozen=True)
class PeoplePage:
    """Who is who, by season."""

    seasons: tuple[tuple[int, About, tuple[Character, ...]], ...]
    sealed_keys: str = ""


@dataclass(frozen=True)
class Season:
    """A season and its episodes, in order."""

    number: int
    episodes: tuple[PublishedPiece, ...]

    @property
    def about(self) -> About | None:
        """What the season is about, where the serial says it."""
        return abouts().get(self.number)


@dataclass(frozen=True)
class DiaryPage:
    """The page of all episodes, the newest season first."""

    seasons: tuple[Season, ...]
    sealed_keys: str = ""

    @property
    def first(self) -> PublishedPiece | None:
        """Where to begin reading."""
        return self.seasons[-1].episodes[0] if self.seasons else None


@cache
def abouts() -> Mapping[int, About]:
    """The seasons of the serial's file, by number."""
    read = yaml.safe_load(_SERIAL.read_text("utf-8"))
    return {number: About(**(one | {"people": tuple(one["people"])})) for number, one in read.items()}


def characters() -> tuple[tuple[int, About, tuple[Character, ...]], ...]:
    """Everybody by season, each where they come first."""
    seen: set[str] = set()
    found = []
    for number, about in sorted(abouts().items()):
        fresh = [who for who in about.people if who not in seen]
        seen.update(fresh)
        found.append((number, about, tuple(_character(who, at) for at, who in enumerate(fresh))))
    return tuple(found)


def _character(who: str, at: int) -> Character:
    person = parts().people[who]
    line = person.line_en if current_locale() == "en" else person.line
    drawing = Markup(draw_person(who, _POSES[at % len(_POSES)]))  # noqa: S704  (our own parts)
    return Character(who, person.name, line, drawing)


def seasons(episodes: list[PublishedPiece]) -> tuple[Season, ...]:
    """Episodes, given in order, by season; the newest season first."""
    grouped = groupby(episodes, key=lambda episode: episode.season or 1)
    return tuple(Season(number, tuple(found)) for number, found in grouped)[::-1]


def neighbours(
    episodes: list[PublishedPiece], key: str
) -> tuple[PublishedPiece | None, PublishedPiece | None]:
    """The episode before and the episode after, across seasons."""
    keys = [episode.key for episode in episodes]
    if key not in keys:
        return None, None
    at = keys.index(key)
    return (episodes[at - 1] if at else None, episodes[at + 1] if at + 1 < len(keys) else None)
