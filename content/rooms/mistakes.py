"""Which passage of a room's file a mistake belongs to: what was chosen, what was said to it, where both stand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from content.escape_room.format import Room
from content.escape_room.locks import (
    ChoiceLock,
    ChoicesLock,
    CodeLock,
    ConversationLock,
    Lock,
    MatchLock,
    OrderLock,
    SpotLock,
)
from content.escape_room.texts import Text
from core.i18n import current_locale
from core.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Passage:
    """A mistake beside its passage: `at` its place in the file, `chosen` what players chose, `said` the feedback, how
    many plays made it, and which `share` of the lock's mistakes it is."""

    at: str
    chosen: str
    said: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class LockMistakes:
    """A lock with its question and the mistakes made at it, the commonest first; `left`: plays left in front of it."""

    name: str
    title: str
    ask: str
    at: str
    passages: tuple[Passage, ...]
    left: int

    @property
    def count(self) -> int:
        """All mistakes."""
        return sum(one.count for one in self.passages)


_Found = tuple[str, str, Text | None]


def of_room(room: Room, wrong: Mapping[str, int], left: Mapping[str, int]) -> list[LockMistakes]:
    """Lock by lock, those with most mistakes and most who left first; locks without either are left out."""
    made = []
    for name, lock in room.locks.items():
        mine = {
            what.partition("/")[2]: count for what, count in wrong.items() if what.partition("/")[0] == name
        }
        gone = sum(count for where, count in left.items() if where.partition("/")[2] == name)
        if mine or gone:
            made.append(_lock(name, lock, mine, gone))
    return sorted(made, key=lambda one: (-one.count - one.left, one.name))


def _lock(name: str, lock: Lock, mine: Mapping[str, int], left: int) -> LockMistakes:
    total = sum(mine.values())
    passages = [
        _passage(name, lock, what, count, total)
        for what, count in sorted(mine.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    at = f"locks.{name}"
    return LockMistakes(
        name,
        _text(lock.title),
        _text(lock.ask),
        f"{at}.ask",
        tuple(passages),
        left,
    )


def _passage(name: str, lock: Lock, what: str, count: int, total: int) -> Passage:
    found = [_found(lock, part) for part in ([what] if "/" in what else what.split("+"))]
    otherwise = _text(lock.otherwise) if lock.otherwise else ""
    said = " ".join(_text(text) for _at, _chosen, text in found if text) or otherwise
    at = "; ".join(f"locks.{name}.{at}" for at, _chosen, _text in found)
    return Passage(at, " + ".join(chosen for _at, chosen, _text in found), said, count, count / total)


def _found(lock: Lock, part: str) -> _Found:
    """Place, what was chosen, feedback of one part of a mistake; of an older version perhaps its name alone."""
    if part == "lacking":
        return "otherwise", _("少选了"), lock.otherwise
    if part == "otherwise":
        return "otherwise", _("别的答案"), lock.otherwise
    try:
        return _FINDERS[lock.kind](lock, part)
    except (KeyError, IndexError, ValueError):
        return "?", part, None


def _text(text: Text) -> str:
    return text.of(current_locale())


def _option(lock: Lock, part: str) -> _Found:
    assert isinstance(lock, ChoiceLock | ChoicesLock)  # noqa: S101  (by its kind)
    one = lock.options[part]
    return f"options.{part}", _text(one.text), one.because


def _like(lock: Lock, part: str) -> _Found:
    assert isinstance(lock, CodeLock)  # noqa: S101
    at = int(part.removeprefix("like-")) - 1
    one = lock.wrong[at]
    return f"wrong.{at}", " / ".join(one.like), one.because


def _row(lock: Lock, part: str) -> _Found:
    at = int(part.removeprefix("place-")) - 1
    place = _("第 %(number)s 个", number=at + 1)
    if isinstance(lock, OrderLock):
        return f"pieces.{at}", f"{place}：{_text(lock.pieces[at].text)}", lock.pieces[at].because
    assert isinstance(lock, MatchLock)  # noqa: S101
    return f"pairs.{at}", f"{place}：{_text(lock.pairs[at].left)}", lock.pairs[at].because


def _spot(lock: Lock, part: str) -> _Found:
    assert isinstance(lock, SpotLock)  # noqa: S101
    at = int(part.removeprefix("passage-")) - 1
    return f"passages.{at}", _text(lock.passages[at].text), lock.passages[at].because


def _reply(lock: Lock, part: str) -> _Found:
    assert isinstance(lock, ConversationLock)  # noqa: S101
    line, _slash, choice = part.partition("/")
    one = lock.lines[line].replies[choice]
    return f"lines.{line}.replies.{choice}", _text(one.text), one.fall


_FINDERS: Mapping[str, Callable[[Lock, str], _Found]] = {
    "choice": _option, "choices": _option, "code": _like, "order": _row, "match": _row, "spot": _spot,
    "conversation": _reply,
}  # fmt: skip
