"""Reading pieces and their revisions."""

from sqlmodel import Session, col, func, select

from content.models import Piece, Revision, RevisionStep, State
from core.errors import NotFound
from core.i18n import mark


def get(session: Session, revision_id: int) -> Revision:
    """The revision, or NotFound."""
    revision = session.get(Revision, revision_id)
    if revision is None:
        raise NotFound(mark("没有找到这个版本。"))
    return revision


def get_piece(session: Session, key: str) -> Piece:
    """The piece, or NotFound."""
    piece = session.get(Piece, key)
    if piece is None:
        raise NotFound(mark("没有找到内容“%(key)s”。"), key=key)
    return piece


def by_number(session: Session, key: str, number: int) -> Revision:
    """The revision of a piece with this number, or NotFound."""
    query = select(Revision).where(Revision.piece_key == key, Revision.number == number)
    revision = session.exec(query).first()
    if revision is None:
        raise NotFound(mark("没有找到这个版本。"))
    return revision


def newest(session: Session, key: str) -> Revision | None:
    """The revision with the highest number."""
    query = select(Revision).where(Revision.piece_key == key).order_by(col(Revision.number).desc())
    return session.exec(query).first()


def newest_of_all(session: Session) -> list[Revision]:
    """The newest revision of every piece, by key."""
    last = (
        select(Revision.piece_key, func.max(Revision.number).label("number"))
        .group_by(Revision.piece_key)
        .subquery()
    )
    query = (
        select(Revision)
        .join(last, (col(Revision.piece_key) == last.c.piece_key) & (col(Revision.number) == last.c.number))
        .order_by(col(Revision.piece_key))
    )
    return list(session.exec(query))


def revisions(session: Session, key: str) -> list[Revision]:
    """All revisions of a piece, newest first."""
    query = select(Revision).where(Revision.piece_key == key).order_by(col(Revision.number).desc())
    return list(session.exec(query))


def published_revision(session: Session, key: str) -> Revision | None:
    """The revision that is on the site."""
    query = select(Revision).where(Revision.piece_key == key, Revision.state == State.published.value)
    return session.exec(query).first()


def published_all(session: Session) -> list[Revision]:
    """Every revision that is on the site, by key."""
    query = select(Revision).where(Revision.state == State.published.value).order_by(col(Revision.piece_key))
    return list(session.exec(query))


def steps(session: Session, key: str) -> list[tuple[RevisionStep, int]]:
    """What happened to a piece, newest first, each with the number of its revision."""
    query = (
        select(RevisionStep, Revision.number)
        .join(Revision, col(RevisionStep.revision_id) == col(Revision.id))
        .where(Revision.piece_key == key)
        .order_by(col(RevisionStep.id).desc())
    )
    return [(step, number) for step, number in session.exec(query)]
