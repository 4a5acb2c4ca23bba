"""The signed state of a play: a short text that the browser carries and cannot change."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from core.errors import Invalid
from core.i18n import mark
from core.signing import Keys, Signer

PAUSE = 300  # seconds: a longer silence is a pause, and is not played time
LONGEST = 2_000  # characters
DAYS = 30  # from its beginning a play may go on so long; its traces stay longer
_FORM = "2"
_SIGNATURE = 16


class Play(NamedTuple):
    """A play between two steps. Times are seconds since 1970; `active`: seconds played, by the server's clock.

    `group`: with whom it is played, as its host names it; `learner`: whose questions go with it; "" for none.
    """

    id: str
    revision: int
    started: int
    at: int
    active: int
    clock: bool
    state: str
    group: str = ""
    learner: str = ""

    def now(self, seconds: float) -> "Play":
        """The same at a later moment; sent again from the past it has played as long as has passed since."""
        gap = min(max(0, int(seconds) - self.at), PAUSE)
        return self._replace(at=max(self.at, int(seconds)), active=self.active + gap)

    @property
    def seconds(self) -> int | None:
        """What counts for the clock's bonus; None while it is off."""
        return self.active if self.clock else None


CHANGED = mark("这份进度被改动过，或者不完整，不能接着玩。请从头开始。")
OLD = mark("这一局太久以前了，不能接着玩。请从头开始。")


def begin(
    revision: int, state: str, seconds: float, *, clock: bool, group: str = "", learner: str = ""
) -> Play:
    """A new play under a number that nobody can guess."""
    at = int(seconds)
    return Play(secrets.token_urlsafe(16), revision, at, at, 0, clock, state, group, learner)


class Envelopes:
    """Seals and opens plays with a key of their own."""

    def __init__(self, keys: Keys) -> None:
        self._signer = Signer(keys.derive("content/rooms/play"), _SIGNATURE)

    def seal(self, play: Play) -> str:
        """Letters, digits, `-`, `_` and `.`: good for a form and for a cookie."""
        plain = (play.revision, play.started, play.at, play.active, int(play.clock))
        text = "\n".join((_FORM, play.id, *map(str, plain), play.group, play.learner, play.state))
        return self._signer.sign(urlsafe_b64encode(text.encode()).decode().rstrip("="))

    def open(self, sealed: str, seconds: float) -> Play:
        """What was sealed, as it was; Invalid when it was changed, or is too old at `seconds`."""
        text = self._signer.open(sealed) if len(sealed) <= LONGEST else None
        if text is None:
            raise Invalid(CHANGED, field="state")
        form, name, *rest = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split("\n", 9)
        if form != _FORM:
            raise Invalid(OLD, field="state")
        *numbers, group, learner, state = rest
        revision, started, at, active, clock = map(int, numbers)
        if seconds - started > DAYS * 86_400:
            raise Invalid(OLD, field="state")
        return Play(name, revision, started, at, active, bool(clock), state, group, learner)
