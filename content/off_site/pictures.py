"""Pictures that are served no more: those of pieces that were on the site and are not, unless something else shows them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from content.models import Revision, State
from core.database import Database

Used = Callable[[Session], Iterable[str]]
_used_elsewhere: list[Used] = []


def also_used(used: Used) -> None:
    """Plug in who else shows pictures: `used` gives the names of their files, as in `/media/<file>`."""
    if used not in _used_elsewhere:
        _used_elsewhere.append(used)


@dataclass(frozen=True, slots=True)
class OffSite:
    """What was on the site and is not: the keys of the pieces, and the files that only they showed."""

    keys: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()


class Withheld:
    """One of a process: what is off the site, found once per generation of the pages."""

    def __init__(self, database: Database, generation: Callable[[], int]) -> None:
        self._database, self._generation = database, generation
        self._known: tuple[int | None, OffSite] = (None, OffSite())

    def __contains__(self, file: object) -> bool:
        return file in self._found().files

    def keys(self) -> frozenset[str]:
        """The keys of the pieces."""
        return self._found().keys

    def _found(self) -> OffSite:
        generation = self._generation()
        known, found = self._known
        if known != generation:
            with self._database.reading() as session:
                found = off_site(session)
            self._known = (generation, found)
        return found


def off_site(session: Session) -> OffSite:
    """The pieces that were taken down, and their files without those that something else on the site shows."""
    on_site = select(Revision.piece_key).where(Revision.state == State.published.value)
    gone = select(Revision.piece_key, Revision.media).where(
        col(Revision.published_at).is_not(None), col(Revision.piece_key).not_in(on_site)
    )
    rows = session.exec(gone).all()
    files = _files(media for _key, media in rows)
    if files:
        files -= _files(session.exec(select(Revision.media).where(Revision.state == State.published.value)))
        for used in _used_elsewhere:
            files -= set(used(session))
    return OffSite(frozenset(key for key, _media in rows), frozenset(files))


def _files(media: Iterable[Mapping[str, Any]]) -> set[str]:
    return {str(one["file"]) for pictures in media for one in pictures.values()}
