"""Three questions after an occurrence, answered once by the holder of a link; how they were answered in all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select as sql_select
from sqlmodel import Session, col, func

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
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Answers:
    """How many answered, and the mean of each question (1 to 5; None: nobody)."""

    count: int
    means: Mapping[str, float | None]


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
    if text not in ("1", "2", "3", "4", "5"):
        raise Invalid(mark("请每一题都点一个。"), field=key)
    return int(text)


def answers(session: Session, occurrence_id: int) -> Answers:
    """What was answered after an occurrence."""
    columns = [func.avg(col(getattr(Feedback, key))) for key in QUESTIONS]
    asked = sql_select(func.count(), *columns).where(col(Feedback.occurrence_id) == occurrence_id)
    count, *means = session.execute(asked).one()
    found = {key: None if mean is None else float(mean) for key, mean in zip(QUESTIONS, means, strict=True)}
    return Answers(int(count), found)
