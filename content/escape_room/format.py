"""A whole room as it is written in `room.yaml`; docs/rooms.md tells how."""

from datetime import date as Day
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from pydantic import model_validator as model_rule

from content.escape_room.conditions import Condition, Then
from content.escape_room.locks import Lock
from content.escape_room.texts import Id, Part, Picture, Text
from content.frontmatter import KEY, RIGHTS, THEMES, AiGenerated, Help, Line, Overruled, Source

_Percent = Annotated[float, Field(ge=0, le=100)]
_Size = Annotated[float, Field(ge=2, le=100)]


class Box(Part):
    """Where something is on the picture: left, top, width, height in percent of it."""

    x: _Percent
    y: _Percent
    w: _Size
    h: _Size

    @model_rule(mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        if isinstance(given, list | tuple):
            if len(given) != 4:
                raise ValueError("box_four")
            return dict(zip("xywh", given, strict=True))
        return given

    @model_rule(mode="after")
    def _inside(self) -> "Box":
        if self.x + self.w > 100 or self.y + self.h > 100:
            raise ValueError("box_inside")
        return self


class Character(Part):
    """Somebody in the room."""

    name: Text
    picture: Picture | None = None
    alt: Text | None = None


class Hotspot(Part):
    """Something to look at: its text is shown, then something happens. Hidden while `when` does not hold."""

    label: Text
    box: Box | None = None
    when: Condition | None = None
    text: Text | None = None
    then: Then = ()


class Door(Part):
    """A way to another scene. While `when` does not hold it is hidden, or says `shut` when that is written."""

    label: Text
    to: Id
    box: Box | None = None
    when: Condition | None = None
    shut: Text | None = None
    lock: Id | None = None
    text: Text | None = None


class More(Part):
    """Words added to a scene while a condition holds."""

    when: Condition
    text: Text


class Scene(Part):
    """A place: its picture, its words, what is in it, where it leads; `enter` happens at every coming in."""

    title: Text
    picture: Picture | None = None
    alt: Text | None = None
    text: Text
    more: tuple[More, ...] = ()
    enter: Then = ()
    hotspots: dict[Id, Hotspot] = Field(default_factory=dict, max_length=24)
    doors: dict[Id, Door] = Field(default_factory=dict, max_length=12)


class Item(Part):
    """Something to carry."""

    name: Text
    text: Text
    picture: Picture | None = None
    alt: Text | None = None


class Clue(Part):
    """Something noted in the notebook."""

    text: Text


class Reply(Part):
    """What a player may say; without `next` the talk is over."""

    text: Text
    when: Condition | None = None
    then: Then = ()
    next: Id | None = None


class Said(Part):
    """A line of a dialogue; `by` another character than the one it is with."""

    says: Text
    by: Id | None = None
    replies: dict[Id, Reply] = Field(default_factory=dict, max_length=8)


class Dialogue(Part):
    """A talk with a character, from `start` (else the first line); a player may leave it at any time."""

    by: Id
    start: Id | None = None
    lines: Annotated[dict[Id, Said], Field(min_length=1, max_length=40)]


class Ending(Part):
    """How it ends. `share`: percent of the points that count; `bonus`: points on top."""

    title: Text
    text: Text
    tone: Literal["good", "soft", "bad"]
    picture: Picture | None = None
    alt: Text | None = None
    share: Annotated[int, Field(strict=True, ge=0, le=100)] = 100
    bonus: Annotated[int, Field(strict=True, ge=0, le=1000)] = 0


class QuestionOption(Part):
    """An answer to a question."""

    text: Text
    right: Annotated[bool, Field(strict=True)] = False


class Question(Part):
    """Asks for a fact, before, after or weeks later; one answer is right, `because` explains it."""

    ask: Text
    options: Annotated[dict[Id, QuestionOption], Field(min_length=2, max_length=6)]
    because: Text

    @model_rule(mode="after")
    def _one(self) -> "Question":
        if sum(option.right for option in self.options.values()) != 1:
            raise ValueError("one_right")
        return self


class Fact(Part):
    """What the room teaches: the fact, the right that goes with it, where it stands; parallel questions."""

    text: Text
    right: Literal[RIGHTS]  # type: ignore[valid-type]
    right_text: Text
    source: Source
    questions: Annotated[tuple[Question, ...], Field(max_length=12)] = ()


class Clock(Part):
    """A clock that can always be switched off: who is done in time gets a share of the bonus, nobody loses."""

    minutes: Annotated[int, Field(strict=True, ge=1, le=60)]
    bonus: Annotated[int, Field(strict=True, ge=0, le=1000)] = 20


class Helper(Part):
    """The player advises a character; `text` says so."""

    advises: Id
    text: Text


class Room(Part):
    """All of a room. Scenes, things, clues, dialogues, locks, endings and facts are known by their names."""

    key: Annotated[str, StringConstraints(strict=True, pattern=f"^{KEY.pattern}$")]
    kind: Literal["escape_room"] = "escape_room"
    title: Text
    summary: Text
    kicker: Line | None = None
    theme: Literal[THEMES] = "plain"  # type: ignore[valid-type]
    cover: Picture | None = None
    cover_alt: Text | None = None
    minutes: Annotated[int, Field(strict=True, ge=1, le=60)]
    topics: tuple[Line, ...] = ()
    rights: tuple[Literal[RIGHTS], ...] = ()  # type: ignore[valid-type]
    audience: tuple[Line, ...] = ()
    help: tuple[Help, ...] = ()
    sources: tuple[Source, ...] = ()
    review_by: Day | None = None
    ai_generated: AiGenerated | None = None
    overruled: tuple[Overruled, ...] = ()
    clock: Clock | None = None
    helper: Helper | None = None
    start: Id
    characters: dict[Id, Character] = Field(default_factory=dict, max_length=30)
    scenes: Annotated[dict[Id, Scene], Field(min_length=1, max_length=60)]
    items: dict[Id, Item] = Field(default_factory=dict, max_length=120)
    clues: dict[Id, Clue] = Field(default_factory=dict, max_length=120)
    dialogues: dict[Id, Dialogue] = Field(default_factory=dict, max_length=60)
    locks: dict[Id, Lock] = Field(default_factory=dict, max_length=60)
    endings: Annotated[dict[Id, Ending], Field(min_length=1, max_length=20)]
    facts: dict[Id, Fact] = Field(default_factory=dict, max_length=30)

    @property
    def has_questions(self) -> bool:
        """Whether there are parallel questions about what it teaches."""
        return any(fact.questions for fact in self.facts.values())


def metadata(room: Room) -> dict[str, object]:
    """What lists and reviews know of a room, under the names of a piece's front matter."""
    plain = room.model_dump(
        mode="json",
        exclude_none=True,
        include={
            "key",
            "kind",
            "kicker",
            "theme",
            "minutes",
            "topics",
            "audience",
            "help",
            "sources",
            "review_by",
            "ai_generated",
            "overruled",
        },
    )
    words = {"title": room.title, "summary": room.summary}
    plain |= {name: text.zh for name, text in words.items()}
    plain |= {f"{name}_en": text.en for name, text in words.items() if text.en}
    if room.cover:
        plain |= {"cover": f"media/{room.cover}", "cover_alt": room.cover_alt.zh if room.cover_alt else ""}
    taught = {str(fact.right) for fact in room.facts.values()} | {str(right) for right in room.rights}
    return {**plain, "rights": [right for right in RIGHTS if right in taught]}
