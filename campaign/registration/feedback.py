"""Three questions after an occurrence, answered once by the holder of a link; how they were answered in all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from campaign.events.models import Occurrence
from campaign.registration import changing
from campaign.registration.models import CONFIRMED, Feedback
from core.errors import Conflict, Invalid
from core.i18n import mark
from core.privacy import Vault

QUESTIONS = {
    "understood": mark("讲的内容听懂了吗？"),
    "useful": mark("对您有用吗？"),
    "again": mark("下次还愿意来吗？"),
}
_LONGEST, _MARKS = 300, range(1, 6)


@dataclass(frozen=True, slots=True)
class Question:
    """How one question was answered: `counts` of the marks 1 to 5."""

    label: str
    counts: tuple[int, ...]

    @property
    def mean(self) -> float:
        """The mean mark; ZeroDivisionError when nobody answered."""
        return sum(mark * count for mark, count in enumerate(self.counts, 1)) / sum(self.counts)


@dataclass(frozen=True, slots=True)
class Answers:
    """How many answered, how each question was answered, and what they wrote, the newest first; never who."""

    count: int
    questions: Sequence[Question]
    words: Sequence[str]


def give(
    session: Session, vault: Vault, number: int, answers: Mapping[str, str], *, now: datetime
) -> Feedback:
    """Keep the answers, and `words` of one's own; Conflict before the beginning, or when they were given already."""
    one = changing.get(session, number)
    occurrence = session.get_one(Occurrence, one.occurrence_id)
    if one.state != CONFIRMED or now < occurrence.starts_at:
        raise Conflict(mark("活动结束后再来告诉我们吧。"))
    if session.get(Feedback, number) is not None:
        raise Conflict(mark("您已经回答过了，谢谢。"))
    words = answers.get("words", "")
    if len(words) > _LONGEST:
        raise Invalid(mark("请写短一点，不超过 %(most)s 字。"), field="words", most=_LONGEST)
    marks = {key: _mark(key, answers.get(key, "")) for key in QUESTIONS}
    made = Feedback(
        registration_id=number,
        occurrence_id=one.occurrence_id,
        words_sealed=vault.encrypt(words.strip()) if words.strip() else "",
        given_at=now,
        **marks,
    )
    session.add(made)
    session.flush()
    return made


def _mark(key: str, text: str) -> int:
    if text not in map(str, _MARKS):
        raise Invalid(mark("请每一题都点一个。"), field=key)
    return int(text)


def answers(session: Session, vault: Vault, occurrence_id: int) -> Answers:
    """What was answered after an occurrence."""
    query = select(Feedback).where(Feedback.occurrence_id == occurrence_id)
    rows = session.exec(query.order_by(col(Feedback.given_at).desc())).all()
    found = []
    for key, label in QUESTIONS.items():
        given = Counter(getattr(one, key) for one in rows)
        found.append(Question(label, tuple(given[mark] for mark in _MARKS)))
    return Answers(len(rows), found, [vault.decrypt(one.words_sealed) for one in rows if one.words_sealed])
