"""Writes that arrive in the same moment, in one transaction: a rush costs a commit for several, not for each."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from sqlmodel import Session

from core.database import Database

Asked = TypeVar("Asked")
Made = TypeVar("Made")
_MOST = 32  # in one transaction: as long as that, others wait for what it holds


@dataclass(slots=True, eq=False)
class _Turn:
    """One write that waits, and what became of it. Its thread sleeps until it is done, or is to lead."""

    asked: Any
    asleep: threading.Lock
    done: bool = False
    made: Any = None
    error: Exception | None = field(default_factory=lambda: RuntimeError("the write was ended in between"))

    def wake(self) -> None:
        """Let its thread go on."""
        self.asleep.release()


class Together(Generic[Asked, Made]):
    """Who comes while another one commits goes with the next transaction, which the first of them carries out.

    `write` is given what was asked for, in its order, and gives back what came of each; it may be called twice, so
    it changes only the database. When one is refused or fails, nothing of the others is lost: all are taken back
    and carried out again, each in a transaction of its own.
    """

    def __init__(
        self, database: Database, write: Callable[[Session, Sequence[Asked]], Sequence[Made]]
    ) -> None:
        self._database, self._write = database, write
        self._waiting: deque[_Turn] = deque()
        self._led = False
        self._lock = threading.Lock()

    def do(self, asked: Asked) -> Made:
        """What came of it, committed; raises what `write` raises, and then nothing of it is kept."""
        mine = _Turn(asked, threading.Lock())
        mine.asleep.acquire()
        with self._lock:
            self._waiting.append(mine)
            leads, self._led = not self._led, True
        if not leads:
            mine.asleep.acquire()
        if not mine.done:
            self._lead()
        if mine.error is not None:
            raise mine.error
        return cast(Made, mine.made)

    def _lead(self) -> None:
        """Carry out what waits, and let the first of those who came meanwhile lead next.

        Each is woken by itself: with one lock for all, everybody who is done would have to take it, one after the
        other, before the next one may lead.
        """
        with self._lock:
            turns = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST))]
        try:
            self._carry_out(turns)
        finally:  # also of a thread that is ended in between: nobody waits for ever
            with self._lock:
                self._led = bool(self._waiting)
                following = self._waiting[0] if self._led else None
            if following:
                following.wake()
            for one in turns:
                one.done = True
                one.wake()

    def _carry_out(self, turns: Sequence[_Turn]) -> None:
        if len(turns) == 1 or not self._all(turns):
            for one in turns:
                self._alone(one)

    def _all(self, turns: Sequence[_Turn]) -> bool:
        try:
            with self._database.transaction() as session:
                made = self._write(session, [one.asked for one in turns])
        except Exception:
            return False
        for one, value in zip(turns, made, strict=True):
            one.made, one.error = value, None
        return True

    def _alone(self, one: _Turn) -> None:
        try:
            with self._database.transaction() as session:
                (one.made,) = self._write(session, [one.asked])
            one.error = None
        except Exception as error:
            one.error = error
