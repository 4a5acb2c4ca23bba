"""Who answers questions: a random number with a turn, which decides the questions; signed where a link carries it."""

import itertools
import secrets
from datetime import date
from hashlib import blake2b
from typing import NamedTuple

from content.escape_room.format import Room
from content.escape_room.learning import Asked, Phase, questions
from content.rooms.envelope import Play
from core.errors import NotFound
from core.i18n import mark
from core.signing import Keys, Signer

MOST = 3  # questions at a time
LATER_DAYS = 14  # from so many days on a later answer is one
_CYCLE = 12  # each form of a fact has had its turn in each phase
_turns = itertools.count(secrets.randbelow(1 << 20))


class Learner(NamedTuple):
    """Nobody in particular. `audience` "" where none was chosen."""

    id: str
    turn: int
    audience: str = ""

    def packed(self) -> str:
        """As the signed state of a play carries it."""
        return f"{self.id}.{self.turn}.{self.audience}"


class Invitation(NamedTuple):
    """A learner who may answer about a revision; `day`: when they answered after playing, None before that."""

    learner: Learner
    revision: int
    day: date | None = None


class Invitations:
    """Signs and reads what a form or a link says of a learner, with a key of its own."""

    def __init__(self, keys: Keys) -> None:
        self._signer = Signer(keys.derive("content/rooms/learner"))

    def sign(self, invited: Invitation) -> str:
        """A token for forms and addresses."""
        day = invited.day.toordinal() if invited.day else 0
        text = f"{invited.learner.packed()}.{invited.revision}.{day}"
        return self._signer.sign_address(text)

    def read(self, token: str) -> Invitation:
        """What a token says; NotFound when it is not ours."""
        text = self._signer.open_address(token, 119)
        if text is None:
            raise NotFound(mark("这个链接不完整，请重新打开原来的链接。"))
        name, turn, audience, revision, day = text.split(".")
        when = date.fromordinal(int(day)) if day != "0" else None
        return Invitation(Learner(name, int(turn), audience), int(revision), when)


def new() -> Learner:
    """A new learner; turns follow one another, so that each form comes equally often in each phase."""
    return Learner(secrets.token_urlsafe(12).replace(".", "-"), next(_turns))


def of_play(play: Play) -> Learner:
    """The learner who began a play; where nobody was asked before, one that follows from the play."""
    if play.learner:
        name, turn, audience = play.learner.split(".")
        return Learner(name, int(turn), audience)
    made = blake2b(play.id.encode(), digest_size=9, person=b"learner").hexdigest()
    return Learner(made, int(made[:8], 16))


def asked(room: Room, phase: Phase, learner: Learner) -> list[Asked]:
    """The questions of a phase: of the same facts in each phase, of each fact another form."""
    found = questions(room, phase, learner.turn)
    first = learner.turn // _CYCLE % len(found) if len(found) > MOST else 0
    return (found + found)[first : first + min(MOST, len(found))]
