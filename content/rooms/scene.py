"""What is shown of a play: the view that the rules allow, the words of the last step, the next envelope."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from content.escape_room.rules import REFUSED, Outcome, score
from content.escape_room.view import lesson
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
    """A scene with what stands before it. `seen` is the view, `panel` what is in front: talk, lock, ending or ""."""

    ready: Ready
    outcome: Outcome | None
    lang: str
    seen: Seen
    panel: str
    sealed: str
    points: int
    time: str
    seconds: str
    clock: bool
    error: str = ""
    nickname: str = ""
    trial: str = ""  # where a trial of staff sends its forms; "" for visitors
    home: str = ""  # where a trial leads back to
    token: str = ""  # what the forms of a trial are sent with, as all of the desk
    board: str = ""

    @property
    def key(self) -> str:
        """The piece."""
        return self.ready.key

    @property
    def title(self) -> str:
        """What the room is called."""
        return self.ready.game.room.title.of(self.lang)

    @property
    def message(self) -> Message | None:
        """What the last step said; None when nothing was done or said."""
        return _message(self.ready, self.seen, self.outcome, self.lang) if self.outcome else None

    @property
    def learned(self) -> list[Seen]:
        """What was learned up to now, with the rights and where they stand."""
        facts = self.ready.game.room.facts
        return [lesson(facts[name], self.lang) for name in self.seen["learned"]]

    @property
    def address(self) -> str:
        """Where its forms go."""
        return self.trial or f"/play/{self.ready.key}"

    @property
    def has_clock(self) -> bool:
        """Whether the room has a clock at all."""
        return self.ready.game.room.clock is not None and not self.trial

    @property
    def questions(self) -> bool:
        """Whether the room has parallel questions to answer afterwards."""
        return self.ready.game.room.has_questions

    def picture(self, of: Seen) -> Picture | None:
        """The picture of a part of the view."""
        return self.ready.picture(of.get("picture"))


def minutes(seconds: int) -> str:
    """`3:20`."""
    return f"{seconds // 60}:{seconds % 60:02}"


def points(step: Step) -> int:
    """The points so far, at the end with the clock's bonus."""
    return score(step.ready.game, step.state, step.play.seconds)


def page_of(
    step: Step, lang: str, sealed: str, times: tuple[str, str], *, error: str = "", nickname: str = ""
) -> ScenePage:
    """The page of a step in a language; `sealed` and `times` (`3:20`, `200`) stand where the player's own belong."""
    seen = step.ready.view(step.state, lang)
    return ScenePage(
        ready=step.ready,
        outcome=step.outcome,
        lang=lang,
        seen=seen,
        panel=next((name for name in ("ending", "lock", "talk") if seen[name]), ""),
        sealed=sealed,
        points=points(step),
        time=times[0],
        seconds=times[1],
        clock=step.play.clock,
        error=error,
        nickname=nickname,
        board=step.board,
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
