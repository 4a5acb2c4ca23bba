"""What is searched: published revisions as folded text, kept in memory because a revision never changes."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from content.finding.folding import fold
from content.finding.plain import Plain, plain
from content.finding.question import NUMBER
from content.models import KIND_NAMES, Kind, Piece, Revision, State
from core.database import Prepared

_AT_ONCE = 500
# What people call the readers that front matter names.
_ALSO = {
    "老年人": "老人 长辈 爸妈 爷爷奶奶",
    "残障人士": "残疾人 聋人 盲人 轮椅",
    "青少年": "孩子 学生 中学生 大学生",
    "外出务工人员": "农民工 打工",
    "新市民": "农民工 打工",
    "家庭照护者": "子女 照顾老人",
}
_GAPS = str.maketrans("", "", " -+")
_SPARE = 500  # revisions kept beyond those asked for before the others are forgotten
_ON_SITE = Prepared(select(Revision.id).where(Revision.state == State.published.value))


@dataclass(frozen=True, slots=True)
class Document:
    """A revision as it is searched. What is folded is exactly as long as what is shown."""

    revision_id: int
    key: str
    kind: str
    title: str
    topics: tuple[str, ...]
    rights: tuple[str, ...]
    audience: tuple[str, ...]
    words: str
    in_title: str
    in_summary: str
    in_subjects: str
    in_headings: str
    at: datetime  # of its publication; nothing changes it after that
    everything: str  # all of it folded; the words of the text begin at `words_at`
    words_at: int

    @property
    def in_words(self) -> str:
        """The words of the text, folded."""
        return self.everything[self.words_at :]


class Documents:
    """The documents of one process. Threads share them: what two read at the same time is the same."""

    def __init__(self) -> None:
        self._known: dict[int, Document] = {}
        self._lock = threading.Lock()

    def of(self, session: Session, revisions: Sequence[int]) -> list[Document]:
        """The documents of these revisions, in this order; those not read yet are read now."""
        known = self._known
        absent = [number for number in revisions if number not in known]
        if absent:
            with self._lock:
                known = self._read(session, [number for number in absent if number not in self._known])
        if len(known) > len(revisions) + _SPARE:
            self._forget(frozenset(revisions))
        return [known[number] for number in revisions if number in known]

    def warm(self, session: Session) -> int:
        """Read what is on the site and was not read yet; how many that were."""
        wanted = on_site(session)
        absent = len([number for number in wanted if number not in self._known])
        self.of(session, wanted)
        return absent

    def _read(self, session: Session, absent: Sequence[int]) -> dict[int, Document]:
        found = dict(self._known)
        for start in range(0, len(absent), _AT_ONCE):
            part = absent[start : start + _AT_ONCE]
            query = (
                select(Revision, Piece.kind)
                .join(Piece, col(Piece.key) == col(Revision.piece_key))
                .where(col(Revision.id).in_(part))
                .options(defer(Revision.media))  # type: ignore[arg-type]
            )
            for revision, kind in session.exec(query):
                found[revision.id or 0] = document(revision, kind)
        self._known = found
        return found

    def _forget(self, kept: frozenset[int]) -> None:
        with self._lock:
            self._known = {number: one for number, one in self._known.items() if number in kept}


def on_site(session: Session) -> list[int]:
    """The revisions on the site at this moment."""
    session.flush()  # a prepared statement does not see to it
    return [row[0] for row in _ON_SITE.on(session.connection())]


def document(revision: Revision, kind: str) -> Document:
    """A revision as it is searched. A room gives its title, summary and subjects: its text holds the answers."""
    meta = revision.meta
    body = Plain("", "") if kind == Kind.escape_room else plain(revision.text)
    help_lines = " ".join(f"{one.get('label', '')} {one.get('phone', '')}" for one in meta.get("help") or ())
    words = f"{body.words}\n{help_lines}".strip()
    folded = fold(words)
    topics, rights, audience = (_texts(meta, name) for name in ("topics", "rights", "audience"))
    others = (_ALSO[one] for one in audience if one in _ALSO)
    subjects = (*topics, *rights, *audience, *others, KIND_NAMES[Kind(kind)], str(meta.get("kicker") or ""))
    heads = [
        fold(text)
        for text in (_both(meta, "title"), "\n".join(subjects), _both(meta, "summary"), body.headings)
    ]
    numbers = {found[0].translate(_GAPS) for found in NUMBER.finditer(folded)}
    before = "\n".join((*heads, *numbers, ""))
    return Document(
        revision_id=revision.id or 0,
        key=revision.piece_key,
        kind=kind,
        title=revision.title,
        topics=topics,
        rights=rights,
        audience=audience,
        words=words,
        in_title=heads[0],
        in_subjects=heads[1],
        in_summary=heads[2],
        in_headings=heads[3],
        at=revision.published_at or revision.created_at,
        everything=before + folded,
        words_at=len(before),
    )


def _both(meta: Mapping[str, Any], name: str) -> str:
    return "\n".join(str(meta[each]) for each in (name, f"{name}_en") if meta.get(each))


def _texts(meta: Mapping[str, Any], name: str) -> tuple[str, ...]:
    given: Iterable[Any] = meta.get(name) or ()
    return tuple(str(item) for item in given)
