"""One step of a play: the signed state goes in with an action, the next one comes out with what happened."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from content.escape_room import rules
from content.escape_room.game import Game
from content.escape_room.rules import Outcome, score
from content.escape_room.state import State
from content.rooms import envelope, standing, wanted
from content.rooms.envelope import Envelopes, Play
from content.rooms.games import Games, Ready
from content.rooms.hosting import Host, Nobody, Told
from content.rooms.standing import Asked
from content.rooms.tally import Tally
from content.rooms.traces import ABOUT_PLAY, Trace, Traces
from content.rooms.wanted import Form
from tracking.attribution import PageKeys
from tracking.recorder import Recorder

_JUDGED = ("opened", "wrong", "failed")
RESUME, CLOCK_ON, CLOCK_OFF = "resume", "clock:on", "clock:off"
_LOOKS = (RESUME, CLOCK_ON, CLOCK_OFF)


class Step(NamedTuple):
    """Where a play is now, sealed, and what came of the last action (None: it was only looked at); `board`: where those
    who play together see how all got on, "" for who plays alone."""

    ready: Ready
    play: Play
    state: State
    sealed: str
    outcome: Outcome | None = None
    board: str = ""


class Table:
    """Where rooms are played; one of a process."""

    def __init__(
        self,
        games: Games,
        envelopes: Envelopes,
        traces: Traces,
        recorder: Recorder,
        *,
        host: Host | None = None,
        tally: Tally | None = None,
    ) -> None:
        self.games, self.envelopes, self._traces, self._recorder = games, envelopes, traces, recorder
        self._host: Host = host or Nobody()
        self._tally = tally

    def start(self, key: str, now: datetime, *, clock: bool, group: str = "", learner: str = "") -> Step:
        """A new play of the published room; NotFound when there is none."""
        ready = self.games.current(key)
        on = clock and ready.game.room.clock is not None
        seconds = now.timestamp()
        play = envelope.begin(
            ready.revision, ready.beginning, seconds, clock=on, group=group, learner=learner
        )
        return self._step(ready, play, ready.begin)

    def resume(self, key: str, sealed: str, now: datetime) -> Step:
        """The play as it stands; Invalid or NotFound when it cannot go on."""
        ready, play, state = self._opened(key, sealed, now)
        return self._step(ready, play, state)

    def take(self, key: str, form: Form, now: datetime, environ: Mapping[str, Any]) -> Step:
        """Carry out what a form asks for; the same again gives the same. Invalid or NotFound: it cannot go on."""
        ready, play, state = self._opened(key, form.get("state", ""), now)
        if (do := form.get("do", "")) in _LOOKS:
            if do != RESUME:
                play = play._replace(clock=do == CLOCK_ON and ready.game.room.clock is not None)
            return self._step(ready, play, state)
        asked = Asked(play.id, state, wanted.action(ready, form), now)
        after, outcome = self._judged(ready, asked)
        done = (
            ()
            if outcome.did == "refused"
            else (("engaged", state == ready.begin), ("completed", after.ending))
        )
        for kind in (kind for kind, so in done if so):
            self._count(kind, ready.key, play, now, environ)
        if self._tally:
            self._tally.note(ready, play.id, after, outcome, now)
        if play.group and outcome.did != "refused":
            self._tell(ready, play, state, after, now)
        play = play._replace(state=ready.encode(after))
        return self._step(ready, play, after, outcome)

    def _judged(self, ready: Ready, asked: Asked) -> tuple[State, Outcome]:
        """The step by the rules, and by what is known of the play."""
        after, outcome = rules.step(ready.game, asked.state, asked.action)
        if outcome.did in _JUDGED:
            return standing.judged(ready, self._traces, asked, outcome)
        if outcome.did == "hint":
            standing.hinted(self._traces, asked, outcome)
        return after, outcome

    def shared(self, key: str, play: str, now: datetime, environ: Mapping[str, Any]) -> None:
        """Count that a certificate was passed on, once for each play."""
        if self._traces.keep(Trace(play, ABOUT_PLAY, "shared", now)).new:
            self._recorder.act(environ, "shared", PageKeys(piece=key), f"play-{play}-shared")

    def _opened(self, key: str, sealed: str, now: datetime) -> tuple[Ready, Play, State]:
        play = self.envelopes.open(sealed, now.timestamp()).now(now.timestamp())
        ready = self.games.going_on(key, play.revision)
        return ready, play, ready.decode(play.state)

    def _step(self, ready: Ready, play: Play, state: State, outcome: Outcome | None = None) -> Step:
        board = self._host.board(play.group) if play.group else ""
        return Step(ready, play, state, self.envelopes.seal(play), outcome, board)

    def _tell(self, ready: Ready, play: Play, before: State, after: State, now: datetime) -> None:
        """Tell whoever hosts the group that a lock was opened or the play ended, and nothing else."""
        opened = _opened(ready.game, after)
        if opened == _opened(ready.game, before) and not after.ending:
            return
        ending = ready.game.endings[after.ending - 1] if after.ending else ""
        points = score(ready.game, after)
        self._host.told(Told(play.group, play.id, opened, len(ready.game.bolts), points, ending, now))

    def _count(self, kind: str, key: str, play: Play, now: datetime, environ: Mapping[str, Any]) -> None:
        """Count what happened in a play, once, however often the step is sent: whoever writes it down counts it."""
        if self._traces.keep(Trace(play.id, ABOUT_PLAY, kind, now)).new:
            told = environ, kind, PageKeys(piece=key), f"play-{play.id}-{kind}"
            owed = self._host.owed(play.group) if play.group else None
            self._recorder.act(*told, *((owed,) if owed else ()))


def _opened(game: Game, state: State) -> int:
    return sum(bool(state.facts & bolt.opened) for bolt in game.bolts)
