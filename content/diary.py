"""小宝成长日记: episodes in seasons, each with the one before and the one after."""

from dataclasses import dataclass
from itertools import groupby

from content.listing import PublishedPiece


@dataclass(frozen=True)
class Season:
    """A season and its episodes, in order."""

    number: int
    episodes: tuple[PublishedPiece, ...]


@dataclass(frozen=True)
class DiaryPage:
    """The page of all episodes, the newest season first."""

    seasons: tuple[Season, ...]
    sealed_keys: str = ""

    @property
    def first(self) -> PublishedPiece | None:
        """Where to begin reading."""
        return self.seasons[-1].episodes[0] if self.seasons else None


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
