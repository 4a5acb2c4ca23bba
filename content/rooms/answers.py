"""Keeps answers to parallel questions, the first of each, of nobody in particular; and puts the figures together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, func, select

from content.escape_room.format import Room
from content.escape_room.learning import Marked, Phase, judged
from content.rooms import gains, learners
from content.rooms.gains import Change, Interval, Pairs
from content.rooms.games import Ready
from content.rooms.learners import Learner
from content.rooms.models import RoomAnswer
from core.i18n import mark
from institution import retention
from institution.retention import Rule
from tracking.dimensions import AUDIENCES

ALL = ""


def take(
    session: Session, ready: Ready, who: tuple[Learner, Phase], picks: Mapping[str, int], day: date
) -> list[tuple[str, Marked]]:
    """Keep what was answered of what was asked, and say what is right; the first answer stands, a skipped one is none.

    `who` answers, and in which phase; `picks`: the option of a fact, from 1.
    """
    (learner, phase), room, marked = who, ready.game.room, []
    for one in learners.asked(room, phase, learner):
        found = judged(room, one.fact, one.number, picks.get(one.fact, 0))
        if found is None:
            continue
        marked.append((one.fact, found))
        row = RoomAnswer(
            learner=learner.id, fact=one.fact, phase=phase, room=ready.key, hash=ready.game.hash, form=one.number,
            right=found.right, audience=learner.audience if learner.audience in AUDIENCES else "", day=day,
        )  # fmt: skip
        _add(session, row)
    return marked


def _add(session: Session, row: RoomAnswer) -> None:
    known = session.get(RoomAnswer, (row.learner, row.fact, row.phase))
    if known is not None:
        return
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return  # the same form twice in the same moment


@dataclass(frozen=True, slots=True)
class Gain:
    """How a fact was known before and at a later phase, in all or in one audience. `change` None: nobody answered
    both; `before`, `after`: (right, answers) of everybody who answered; `difference`: of different people."""

    fact: str
    audience: str
    phase: str
    change: Change | None
    before: tuple[int, int]
    after: tuple[int, int]
    difference: Interval


@dataclass(frozen=True, slots=True)
class FormShare:
    """How one of a fact's questions was answered before playing."""

    fact: str
    form: int
    right: int
    n: int
    interval: Interval


def rows(session: Session, room: str, hash_: str = "") -> Sequence[RoomAnswer]:
    """The answers about a room, all versions or one."""
    query = select(RoomAnswer).where(RoomAnswer.room == room)
    return list(session.exec(query.where(RoomAnswer.hash == hash_) if hash_ else query))


def gains_of(found: Iterable[RoomAnswer], room: Room) -> list[Gain]:
    """Fact by fact, all and each audience, after and weeks later; what nobody answered is left out."""
    known: dict[tuple[str, str], dict[str, dict[str, bool]]] = defaultdict(lambda: defaultdict(dict))
    for one in found:
        for audience in {ALL, one.audience}:
            known[one.fact, audience][one.phase][one.learner] = one.right
    made = [
        _gain(fact, audience, phase, known[fact, audience])
        for fact in room.facts
        for audience in (ALL, *AUDIENCES)
        if (fact, audience) in known
        for phase in ("after", "later")
    ]
    return [one for one in made if one.after[1]]


def _gain(fact: str, audience: str, phase: str, by_phase: Mapping[str, Mapping[str, bool]]) -> Gain:
    first, then = by_phase.get("before", {}), by_phase.get(phase, {})
    both = [(first[learner], then[learner]) for learner in first.keys() & then.keys()]
    pairs = Pairs(
        both.count((True, True)),
        both.count((False, True)),
        both.count((True, False)),
        both.count((False, False)),
    )
    before, after = (sum(first.values()), len(first)), (sum(then.values()), len(then))
    return Gain(fact, audience, phase, gains.paired(pairs), before, after, gains.apart(*before, *after))


def forms_of(found: Iterable[RoomAnswer]) -> list[FormShare]:
    """Each form as it was answered before playing, by fact: forms are parallel when they are equally hard."""
    counted: dict[tuple[str, int], list[bool]] = defaultdict(list)
    for one in found:
        if one.phase == "before":
            counted[one.fact, one.form].append(one.right)
    return [
        FormShare(fact, form, sum(rights), len(rights), gains.wilson(sum(rights), len(rights)))
        for (fact, form), rights in sorted(counted.items())
    ]


def uneven(forms: Sequence[FormShare], fact: str) -> bool:
    """Whether the hardest and the easiest form of a fact differ by more than chance, each answered often enough."""
    mine = sorted(
        (one for one in forms if one.fact == fact and one.n >= gains.FEW), key=lambda one: one.right / one.n
    )
    if len(mine) < 2:
        return False
    low, high = mine[0], mine[-1]
    return gains.apart(low.right, low.n, high.right, high.n).low > 0


def _over(session: Session, before: datetime) -> int:
    return session.exec(
        select(func.count()).select_from(RoomAnswer).where(col(RoomAnswer.day) < before.date())
    ).one()


def _clear(session: Session, before: datetime) -> int:
    return (
        session.connection().execute(delete(RoomAnswer).where(col(RoomAnswer.day) < before.date())).rowcount
    )


retention.declare(
    Rule(
        "rooms.answer",
        mark("密室探索前后的小题答案（不知道是谁）"),
        1095,
        mark("《个人信息保护法》第十九条：为实现目的所必要的最短时间；三年里可以比较前后"),
        count=_over,
        clear=_clear,
    )
)
