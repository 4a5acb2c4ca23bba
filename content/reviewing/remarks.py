"""What was said of single passages: said by reviewers, answered by writers, settled; they follow their words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from content.history import get_piece
from content.models import Revision
from content.reviewing import anchoring
from content.reviewing.anchoring import Anchor, Place
from content.reviewing.models import Remark
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from institution import audit

LONGEST = 1000
_MOST_OPEN = 100  # of one piece

audit.declare(
    {
        "remark.make": mark("对一段文字写审查意见"),
        "remark.answer": mark("答复审查意见"),
        "remark.resolve": mark("了结审查意见"),
        "remark.reopen": mark("重开审查意见"),
    }
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A remark and where its passage stands in the text that is looked at."""

    remark: Remark
    place: Place

    @property
    def is_open(self) -> bool:
        """Whether nobody settled it."""
        return self.remark.resolved_at is None


def make(
    session: Session,
    revision: Revision,
    lines: tuple[int, int],
    *,
    quote: str,
    words: str,
    by: int,
    now: datetime,
) -> Remark:
    """Say something of lines of a revision (of the words `quote` in them, where some are given)."""
    words = words.strip()
    if not words or len(words) > LONGEST:
        raise Invalid(mark("请写下意见，%(most)s 个字以内。"), field="words", most=LONGEST)
    found = anchoring.anchor(revision.text, *lines, quote)
    if found is None:
        raise Invalid(mark("这几行里没有这些字，请从文中照抄，或留空表示整段。"), field="quote")
    if _open(session, revision.piece_key) >= _MOST_OPEN:
        raise Conflict(mark("这篇内容还有 %(most)s 条没有了结的意见，请先了结一些。"), most=_MOST_OPEN)
    made = Remark(
        piece_key=revision.piece_key, number=revision.number, revision_hash=revision.hash, line=found.line,
        quote=found.quote[:1000], before=found.before, after=found.after, words=words, by=by, at=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    _record(session, "remark.make", made, words)
    return made


def answer(session: Session, key: str, number: int, words: str, *, by: int, now: datetime) -> None:
    """The writer answers; what was answered before is replaced."""
    one = _of(session, key, number)
    if one.resolved_at is not None:
        raise Conflict(mark("这条意见已经了结。"))
    if not words.strip() or len(words.strip()) > LONGEST:
        raise Invalid(mark("请写下答复，%(most)s 个字以内。"), field="answer", most=LONGEST)
    one.answer, one.answered_by, one.answered_at = words.strip(), by, now
    session.add(one)
    session.flush()
    _record(session, "remark.answer", one, one.answer)


def resolve(session: Session, key: str, number: int, *, by: int, now: datetime) -> None:
    """Settle a remark; again: changes nothing."""
    one = _of(session, key, number)
    if one.resolved_at is None:
        one.resolved_by, one.resolved_at = by, now
        session.add(one)
        session.flush()
        _record(session, "remark.resolve", one)


def reopen(session: Session, key: str, number: int) -> None:
    """Have a settled remark stand again."""
    one = _of(session, key, number)
    if one.resolved_at is not None:
        one.resolved_by = one.resolved_at = None
        session.add(one)
        session.flush()
        _record(session, "remark.reopen", one)


def require_answered(session: Session, key: str) -> None:
    """Conflict while something that was said is neither answered nor settled: it would be lost on the way."""
    query = select(func.count()).where(
        Remark.piece_key == key, col(Remark.resolved_at).is_(None), col(Remark.answered_at).is_(None)
    )
    left = session.exec(query).one()
    if left:
        raise Conflict(mark("还有 %(count)s 条逐段意见没有答复，请先答复或了结。"), count=left)


def of_piece(session: Session, key: str) -> Sequence[Remark]:
    """Everything said of a piece, in the order of time."""
    return session.exec(select(Remark).where(Remark.piece_key == key).order_by(col(Remark.id))).all()


def placed(session: Session, revision: Revision) -> list[Placed]:
    """What was said of a piece so far, each at its place in this revision: in the order of the text, what is gone last."""
    found = [
        Placed(one, anchoring.find(revision.text, Anchor(one.quote, one.before, one.after, one.line)))
        for one in of_piece(session, revision.piece_key)
        if one.number <= revision.number
    ]
    return sorted(found, key=lambda one: (one.place.first or 10**9, one.remark.id or 0))


def _open(session: Session, key: str) -> int:
    query = select(func.count()).where(Remark.piece_key == key, col(Remark.resolved_at).is_(None))
    return session.exec(query).one()


def _of(session: Session, key: str, number: int) -> Remark:
    one = session.get(Remark, number)
    if one is None or one.piece_key != key:
        raise NotFound(mark("没有找到这条意见。"))
    return one


def _record(session: Session, action: str, one: Remark, note: str = "") -> None:
    place = get_piece(session, one.piece_key).outlet_code
    after = {"remark": one.id, "number": one.number, "line": one.line}
    audit.record(session, action, "piece", one.piece_key, after=after, outlet_code=place, note=note)
