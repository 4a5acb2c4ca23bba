"""What is shown of a play: the view that the rules allow, the words of the last step, the next envelope."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from content.escape_room.rules import REFUSED, Outcome, score
from content.escape_room.view import lesson, view
from content.media import Picture
from content.rooms.games import Ready
from content.rooms.playing import Step
from core.i18n import gettext as _
from core.i18n import mark

Seen = dict[str, Any]
# How a step sounds: the class of its message.
_TONES = {
    "opened": "good",
    "wrong": "bad",
    "failed": "bad",
    "shut": "warn",
    "refused": "warn",
    "hint": "hint",
}
_HEADS = {
    "opened": mark("打开了"),
    "wrong": mark("再想一想"),
    "failed": mark("次数用完了"),
    "shut": mark("现在还过不去"),
    "hint": mark("提示"),
}


@dataclass(frozen=True, slots=True)
class Message:
    """What the last step said: `head` in two words, texts as HTML, what was found and learned, points won or lost."""

    tone: str
    head: str
    texts: Sequence[Markup]
    items: Sequence[str]
    notes: Sequence[Markup]
    taught: Sequence[Seen]
    points: int


@dataclass(frozen=True, slots=True)
class ScenePage:
    """A scene with what stands before it. `seen` is the view; `message` None when nothing was done."""

    ready: Ready
    title: str
    seen: Seen
    sealed: str
    message: Message | None
    learned: Sequence[Seen]
    points: int
    seconds: int
    clock: bool
    error: str = ""
    nickname: str = ""
    over_panel: str = ""  # what is in front: talk, lock, ending or ""
    board: str = ""

    @property
    def key(self) -> str:
        """The piece."""
        return self.ready.key

    @property
    def address(self) -> str:
        """Where its forms go."""
        return f"/play/{self.ready.key}"

    @property
    def has_clock(self) -> bool:
        """Whether the room has a clock at all."""
        return self.ready.game.room.clock is not None

    def picture(self, of: Seen) -> Picture | None:
        """The picture of a part of the view."""
        return self.ready.picture(of.get("picture"))


def page_of(step: Step, lang: str, *, error: str = "", nickname: str = "") -> ScenePage:
    """The page of a step in a language."""
    ready, state = step.ready, step.state
    seen = view(ready.game, state, lang)
    facts = ready.game.room.facts
    return ScenePage(
        ready=ready,
        title=ready.game.room.title.of(lang),
        seen=seen,
        sealed=step.sealed,
        message=_message(ready, seen, step.outcome, lang) if step.outcome else None,
        learned=[lesson(facts[name], lang) for name in seen["learned"]],
        points=score(ready.game, state, step.play.seconds),
        seconds=step.play.active,
        clock=step.play.clock,
        error=error,
        nickname=nickname,
        board=step.board,
        over_panel=next((name for name in ("ending", "lock", "talk") if seen[name]), ""),
    )


def _message(ready: Ready, seen: Seen, outcome: Outcome, lang: str) -> Message | None:
    if outcome.did == "refused":
        return Message("warn", _(REFUSED[outcome.wrong]), (), (), (), (), 0)
    found = [name for fact, name in outcome.found if fact == "has"]
    noted = [name for fact, name in outcome.found if fact == "knows"]
    items = [item["title"] for item in seen["items"] if item["name"] in found]
    notes = [ready.words(note["text"]) for note in seen["notes"] if note["name"] in noted]
    taught = [lesson(ready.game.room.facts[name], lang) for name in outcome.taught]
    texts = [ready.words(text.of(lang)) for text in outcome.texts]
    if not (texts or items or notes or taught or outcome.did in _HEADS):
        return None
    head = _(_HEADS[outcome.did]) if outcome.did in _HEADS else ""
    return Message(_TONES.get(outcome.did, ""), head, texts, items, notes, taught, outcome.points)
