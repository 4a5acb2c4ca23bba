"""The pieces as the desk lists them: the newest revision of each, narrowed by part of the tree, kind, state, words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy.orm import defer
from sqlmodel import Session, col, func, select

from content.models import Piece, Revision, State
from institution import places
from institution.models import Staff


@dataclass(frozen=True, slots=True)
class Entry:
    """A piece without its text: its newest revision, and the number of the one on the site."""

    key: str
    kind: str
    title: str
    summary: str
    number: int
    state: str
    published_number: int | None
    outlet_code: str
    place: str
    author: str
    updated_at: datetime
    revision_id: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is narrowed by; empty: everything. A piece on the site counts as published whatever was
    written since."""

    kind: str = ""
    state: str = ""
    words: str = ""

    def fits(self, entry: Entry) -> bool:
        """Whether the list shows this piece."""
        if self.kind and entry.kind != self.kind:
            return False
        on_site = self.state == State.published and entry.published_number is not None
        if self.state and entry.state != self.state and not on_site:
            return False
        text = f"{entry.key} {entry.title} {entry.summary}".lower()
        return all(word in text for word in self.words.lower().split())


def entries(session: Session, *where: ColumnElement[bool]) -> list[Entry]:
    """Every piece for which the conditions on `Piece` hold, the one changed last first."""
    newest = (
        select(Revision.piece_key, func.max(Revision.number).label("number"))
        .group_by(Revision.piece_key)
        .subquery()
    )
    same = (col(Revision.piece_key) == newest.c.piece_key) & (col(Revision.number) == newest.c.number)
    query = (
        select(Piece, Revision, Staff.name)
        .join(Revision, col(Revision.piece_key) == col(Piece.key))
        .join(newest, same)
        .join(Staff, col(Staff.id) == col(Revision.author_id))
        .where(*where)
        .order_by(col(Revision.created_at).desc(), col(Piece.key))
        .options(defer(Revision.text), defer(Revision.media))  # type: ignore[arg-type]
    )
    rows = session.exec(query).all()
    on_site = _on_site(session)
    names = places.names(session, {piece.outlet_code for piece, _revision, _author in rows})
    return [
        _entry(piece, revision, author, on_site.get(piece.key), names[piece.outlet_code])
        for piece, revision, author in rows
    ]


def _entry(piece: Piece, revision: Revision, author: str, on_site: int | None, place: str) -> Entry:
    return Entry(
        key=piece.key,
        kind=piece.kind,
        title=revision.title,
        summary=str(revision.meta.get("summary", "")),
        number=revision.number,
        state=revision.state,
        published_number=on_site,
        outlet_code=piece.outlet_code,
        place=place,
        author=author,
        updated_at=revision.created_at,
        revision_id=revision.id or 0,
    )


def of_keys(session: Session, keys: Iterable[str], *where: ColumnElement[bool]) -> dict[str, Entry]:
    """The entries of these pieces, by key, in the order given; one that is not there is missing."""
    wanted = list(dict.fromkeys(keys))
    found = {one.key: one for one in entries(session, col(Piece.key).in_(wanted), *where)}
    return {key: found[key] for key in wanted if key in found}


def _on_site(session: Session) -> dict[str, int]:
    query = select(Revision.piece_key, Revision.number).where(Revision.state == State.published.value)
    return dict(session.exec(query).all())
