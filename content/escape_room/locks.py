"""The seven kinds of lock, as they are written in a room's file."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from pydantic import model_validator as model_rule

from content.escape_room.conditions import Then
from content.escape_room.texts import Id, Ids, OneOrMany, Part, Picture, Text

Answer = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=64)]
_Count = Annotated[int, Field(strict=True, ge=0, le=100)]


class Needs(Part):
    """What somebody must have or know to find the answer: clues and things of this room."""

    has: Ids = ()
    knows: Ids = ()


class Tip(Part):
    """A hint; each is shown after the one before it and lowers what the lock is worth."""

    text: Text
    cost: _Count = 2


class Limit(Part):
    """A lock that closes for good after so many wrong tries: what is said then, and what happens."""

    tries: Annotated[int, Field(strict=True, ge=1, le=20)]
    text: Text
    then: Then = ()


class _Lock(Part):
    title: Text
    ask: Text
    picture: Picture | None = None
    alt: Text | None = None
    teaches: Ids = ()
    needs: Needs = Needs()
    points: _Count = 10
    cost: _Count = 2
    counted: Annotated[int, Field(strict=True, ge=0, le=20)] = 3
    limit: Limit | None = None
    hints: Annotated[tuple[Tip, ...], Field(max_length=9)] = ()
    well: Text | None = None
    otherwise: Text | None = None
    then: Then = ()


class Option(Part):
    """Something to choose; `because` is said when it was wrong to choose it, `then` happens then."""

    text: Text
    right: Annotated[bool, Field(strict=True)] = False
    because: Text | None = None
    then: Then = ()

    @model_rule(mode="after")
    def _only_wrong(self) -> "Option":
        if self.right and self.then:
            raise ValueError("right_then")
        return self


_Options = Annotated[dict[Id, Option], Field(min_length=2, max_length=12)]


class ChoiceLock(_Lock):
    """One of several is right."""

    kind: Literal["choice"]
    options: _Options

    @model_rule(mode="after")
    def _one(self) -> "ChoiceLock":
        if sum(option.right for option in self.options.values()) != 1:
            raise ValueError("one_right")
        return self


class ChoicesLock(_Lock):
    """Several of several are right, and all of them must be chosen."""

    kind: Literal["choices"]
    options: _Options

    @model_rule(mode="after")
    def _some(self) -> "ChoicesLock":
        if not any(option.right for option in self.options.values()):
            raise ValueError("some_right")
        return self


class Like(Part):
    """Wrong codes that are answered in their own words; `*` is anything, `?` one sign."""

    like: Annotated[tuple[Answer, ...], OneOrMany(), Field(min_length=1)]
    because: Text
    then: Then = ()


class CodeLock(_Lock):
    """A number or a word. `needs` must be written, `needs: {}` when everybody may know the answer."""

    kind: Literal["code"]
    answers: Annotated[tuple[Answer, ...], OneOrMany(), Field(min_length=1, max_length=20)]
    sort: Literal["number", "word"] = "word"
    wrong: tuple[Like, ...] = ()
    needs: Needs


class Piece(Part):
    """Something to put in order; `because` says why it stands where it belongs."""

    text: Text
    because: Text | None = None


class OrderLock(_Lock):
    """Things written in their right order, shown in another."""

    kind: Literal["order"]
    pieces: Annotated[tuple[Piece, ...], Field(min_length=2, max_length=10)]


class Pair(Part):
    """Two that belong together; `because` says why."""

    left: Text
    right: Text
    because: Text | None = None


class MatchLock(_Lock):
    """Pairs to be found."""

    kind: Literal["match"]
    pairs: Annotated[tuple[Pair, ...], Field(min_length=2, max_length=10)]


class Passage(Part):
    """A passage of a message; `because` says what is wrong with it, or why it is harmless."""

    text: Text
    fraud: Annotated[bool, Field(strict=True)] = False
    because: Text | None = None


class SpotLock(_Lock):
    """A message or a contract in which the passages that give the fraud away are to be marked."""

    kind: Literal["spot"]
    sender: Text | None = None
    medium: Literal["message", "contract", "letter", "chat", "advert"] = "message"
    passages: Annotated[tuple[Passage, ...], Field(min_length=2, max_length=20)]

    @model_rule(mode="after")
    def _some(self) -> "SpotLock":
        if not any(passage.fraud for passage in self.passages):
            raise ValueError("some_fraud")
        return self


class Answering(Part):
    """What a player may say to a fraudster: leads on (`next`), to a fall that is explained, or out."""

    text: Text
    next: Id | None = None
    fall: Text | None = None
    out: Text | None = None
    then: Then = ()

    @model_rule(mode="after")
    def _exactly_one(self) -> "Answering":
        if sum(way is not None for way in (self.next, self.fall, self.out)) != 1:
            raise ValueError("one_way")
        if self.then and self.fall is None:
            raise ValueError("right_then")
        return self


class Pressing(Part):
    """A line of the fraudster, and the answers to it."""

    says: Text
    replies: Annotated[dict[Id, Answering], Field(min_length=1, max_length=8)]


class ConversationLock(_Lock):
    """A talk with a fraudster: it opens when the player finds the way out of it."""

    kind: Literal["conversation"]
    by: Id
    start: Id | None = None
    lines: Annotated[dict[Id, Pressing], Field(min_length=1, max_length=40)]


Lock = Annotated[
    ChoiceLock | ChoicesLock | CodeLock | OrderLock | MatchLock | SpotLock | ConversationLock,
    Field(discriminator="kind"),
]
