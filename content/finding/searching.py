"""The answer to a question: what is on the site, best first, narrowed by kind, topic, right, audience and year."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from heapq import nlargest
from itertools import chain
from zoneinfo import ZoneInfo

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from content.finding import excerpts, ranking
from content.finding.documents import Document, Documents, on_site
from content.finding.excerpts import Marked
from content.finding.folding import fold
from content.finding.question import Question, Word
from content.listing import PublishedPiece, shown
from content.models import Piece, Revision, State

PER_PAGE = 10
_LIKE = 0.5  # how alike a topic must be to be offered instead
FACETS = ("kind", "topic", "right", "audience", "year")


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the answer is narrowed to; "" is everything."""

    kind: str = ""
    topic: str = ""
    right: str = ""
    audience: str = ""
    year: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Narrowed":
        """From the fields of an address; what is too long to be one is left out."""
        return cls(*(given.get(name, "").strip()[:60] for name in FACETS))

    def items(self) -> list[tuple[str, str]]:
        """The narrowings that are set."""
        return [(name, value) for name in FACETS if (value := getattr(self, name))]


@dataclass(frozen=True, slots=True)
class Hit:
    """A piece that was found, its title and the stretch where, with what was found marked."""

    piece: PublishedPiece
    title: Marked
    excerpt: Marked


@dataclass(frozen=True, slots=True)
class Found:
    """One page of an answer. `alike`: nothing holds every word, these come near; `instead`: topics written nearly
    so; `facets`: for each narrowing its values with how many there would be."""

    question: Question
    narrowed: Narrowed
    hits: Sequence[Hit]
    total: int
    page: int
    pages: int
    alike: bool = False
    facets: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    instead: Sequence[str] = ()


def search(
    session: Session,
    documents: Documents,
    question: Question,
    narrowed: Narrowed,
    *,
    zone: ZoneInfo,
    page: int = 1,
) -> Found:
    """The published pieces that answer; without words all that the narrowing leaves, newest first."""
    every = documents.of(session, on_site(session))
    alike, scored = ranking.judge(every, question)
    scores = {one.revision_id: score for one, score in scored}
    kept, facets = _narrow([one for one, _score in scored], narrowed, zone)
    pages = max(1, -(-len(kept) // PER_PAGE))
    page = min(max(1, page), pages)
    best = nlargest(page * PER_PAGE, kept, key=lambda one: (scores[one.revision_id], one.at, one.key))
    on_page = best[(page - 1) * PER_PAGE :]
    return Found(
        question, narrowed, _hits(session, on_page, question), len(kept), page, pages,
        alike=alike, facets=facets, instead=() if kept else _instead(every, question),
    )  # fmt: skip


def _narrow(
    found: Sequence[Document], narrowed: Narrowed, zone: ZoneInfo
) -> tuple[list[Document], dict[str, list[tuple[str, int]]]]:
    """What every narrowing leaves; each value counted as if it were chosen instead of the one that is."""
    values: dict[str, Callable[[Document], tuple[str, ...]]] = {
        "kind": lambda one: (one.kind,),
        "topic": lambda one: one.topics,
        "right": lambda one: one.rights,
        "audience": lambda one: one.audience,
        "year": lambda one: (str(one.at.astimezone(zone).year),),
    }
    wanted = narrowed.items()
    facets = {}
    for name, of in values.items():
        others = [(values[other], value) for other, value in wanted if other != name]
        pool = [one for one in found if all(v in f(one) for f, v in others)] if others else found
        counted = Counter(chain.from_iterable(map(of, pool)))
        facets[name] = counted.most_common()
    facets["year"].sort(reverse=True)
    return [one for one in found if all(value in values[name](one) for name, value in wanted)], facets


def _hits(session: Session, found: Sequence[Document], question: Question) -> list[Hit]:
    by_id = {one.revision_id: one for one in found}
    query = (
        select(Revision, Piece)
        .join(Piece, col(Piece.key) == col(Revision.piece_key))
        .where(col(Revision.id).in_(list(by_id)), Revision.state == State.published.value)
        .options(defer(Revision.text))  # type: ignore[arg-type]
    )
    rows = {revision.id: shown(revision, piece) for revision, piece in session.exec(query)}
    return [_hit(rows[number], one, question) for number, one in by_id.items() if number in rows]


def _hit(piece: PublishedPiece, one: Document, question: Question) -> Hit:
    for words in (question.words, question.core, question.pairs):
        found = excerpts.excerpt(one.words, one.in_words, words)
        title = excerpts.marked(piece.shown_title, words)
        summary = excerpts.marked(piece.shown_summary, words)
        if any(was for _text, was in (*found, *title, *summary)):
            in_summary = any(was for _text, was in summary)
            return Hit(piece, title, summary if in_summary or not found else found)
    return Hit(piece, ((piece.shown_title, False),), ((piece.shown_summary, False),))


def _instead(every: Sequence[Document], question: Question) -> list[str]:
    """Topics and rights that are written nearly as what was typed."""
    if question.is_empty:
        return []
    known = {subject for one in every for subject in (*one.topics, *one.rights)}
    likeness = {subject: max(_like(word, subject) for word in question.core) for subject in known}
    found = sorted(
        (subject for subject in known if likeness[subject] >= _LIKE), key=lambda one: (-likeness[one], one)
    )
    return found[:4]


def _like(word: Word, subject: str) -> float:
    return SequenceMatcher(None, word.text, fold(subject)).ratio()


def popular(session: Session, documents: Documents, most: int = 12) -> list[str]:
    """The topics that most pieces speak of."""
    every = documents.of(session, on_site(session))
    counted = Counter(topic for one in every for topic in one.topics)
    return [topic for topic, _count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:most]]
