"""What readers said, for editors: figures of a piece by revision and reason, and the answers themselves."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Integer, cast
from sqlmodel import Session, col, func, select

from content.models import Piece, Revision
from content.voices.giving import REASONS
from content.voices.models import PieceVoice
from core.i18n import gettext as _
from core.privacy import Vault

MOST = 5000  # answers that a page or a file looks at, the newest


@dataclass(frozen=True, slots=True)
class Tally:
    """How many said yes and how many no."""

    yes: int = 0
    no: int = 0

    @property
    def total(self) -> int:
        """Everybody who answered."""
        return self.yes + self.no

    @property
    def share(self) -> float | None:
        """The share of yes; None when nobody answered."""
        return self.yes / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Voice:
    """One answer in words of the desk."""

    id: int
    piece_key: str
    title: str
    kind: str
    number: int
    day: date
    helpful: bool
    reason: str
    words: str

    @property
    def reason_name(self) -> str:
        """The reason in the language in force."""
        return _(REASONS[self.reason]) if self.reason in REASONS else ""


@dataclass(frozen=True, slots=True)
class PieceVoices:
    """What the page of a piece shows: in all, by revision (number → tally), reasons by how often, the newest words."""

    all: Tally
    by_revision: Sequence[tuple[int, Tally]]
    reasons: Sequence[tuple[str, int]]
    newest: Sequence[Voice]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is narrowed to; "" is everything. `helpful`: 1, 0; `words`: 1 for those that wrote some."""

    piece: str = ""
    kind: str = ""
    helpful: str = ""
    reason: str = ""
    words: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Wanted":
        """From the fields of an address."""
        return cls(
            *(given.get(name, "").strip()[:60] for name in ("piece", "kind", "helpful", "reason", "words"))
        )

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same as conditions of a query."""
        where: list[ColumnElement[bool]] = []
        if self.piece:
            where.append(col(PieceVoice.piece_key) == self.piece)
        if self.kind:
            where.append(col(Piece.kind) == self.kind)
        if self.helpful in ("1", "0"):
            where.append(col(PieceVoice.helpful).is_(self.helpful == "1"))
        if self.reason:
            where.append(col(PieceVoice.reason) == self.reason)
        if self.words:
            where.append(col(PieceVoice.words_sealed) != "")
        return where


def voices(session: Session, vault: Vault, *where: ColumnElement[bool], most: int = MOST) -> list[Voice]:
    """The answers for which the conditions hold, the newest first."""
    query = (
        select(PieceVoice, Revision.number, Revision.meta, Piece.kind)
        .join(Revision, col(Revision.id) == col(PieceVoice.revision_id))
        .join(Piece, col(Piece.key) == col(PieceVoice.piece_key))
        .where(*where)
        .order_by(col(PieceVoice.day).desc(), col(PieceVoice.id).desc())
        .limit(most)
    )
    return [_voice(vault, *row) for row in session.exec(query)]


def _voice(vault: Vault, one: PieceVoice, number: int, meta: Mapping[str, str], kind: str) -> Voice:
    words = vault.decrypt(one.words_sealed) if one.words_sealed else ""
    title = str(meta.get("title") or one.piece_key)
    return Voice(one.id or 0, one.piece_key, title, kind, number, one.day, one.helpful, one.reason, words)


def tally(session: Session, *where: ColumnElement[bool]) -> Tally:
    """How all answers for which the conditions hold were."""
    query = (
        select(func.count(), func.sum(cast(PieceVoice.helpful, Integer)))
        .select_from(PieceVoice)
        .join(Piece, col(Piece.key) == col(PieceVoice.piece_key))
        .where(*where)
    )
    count, yes = session.exec(query).one()
    return Tally(int(yes or 0), int(count) - int(yes or 0))


def of_piece(session: Session, vault: Vault, key: str, *, newest: int = 5) -> PieceVoices:
    """Everything about one piece."""
    query = (
        select(Revision.number, PieceVoice.helpful, PieceVoice.reason, func.count())
        .join(Revision, col(Revision.id) == col(PieceVoice.revision_id))
        .where(PieceVoice.piece_key == key)
        .group_by(col(Revision.number), col(PieceVoice.helpful), col(PieceVoice.reason))
    )
    yes, no, reasons = Counter[int](), Counter[int](), Counter[str]()
    for number, helpful, reason, count in session.exec(query):
        (yes if helpful else no)[number] += count
        if reason:
            reasons[reason] += count
    numbers = sorted({*yes, *no}, reverse=True)
    said = voices(
        session, vault, col(PieceVoice.piece_key) == key, col(PieceVoice.words_sealed) != "", most=newest
    )
    return PieceVoices(
        Tally(yes.total(), no.total()),
        [(number, Tally(yes[number], no[number])) for number in numbers],
        [(_(REASONS[reason]), count) for reason, count in reasons.most_common() if reason in REASONS],
        said,
    )


def wanting(session: Session, *where: ColumnElement[bool], most: int = 5) -> list[tuple[str, str, Tally]]:
    """The pieces to which most readers said no: key, title of the revision that was last answered, tally."""
    no = func.count() - func.sum(cast(PieceVoice.helpful, Integer))
    query = (
        select(PieceVoice.piece_key, func.count(), no, func.max(PieceVoice.revision_id))
        .join(Piece, col(Piece.key) == col(PieceVoice.piece_key))
        .where(*where)
        .group_by(col(PieceVoice.piece_key))
        .having(no > 0)
        .order_by(no.desc(), col(PieceVoice.piece_key))
        .limit(most)
    )
    rows = list(session.exec(query))
    named = select(Revision).where(col(Revision.id).in_([row[3] for row in rows]))
    titles = {one.piece_key: one.title for one in session.exec(named)}
    return [
        (key, titles.get(key, key), Tally(int(count) - int(no), int(no))) for key, count, no, _last in rows
    ]
