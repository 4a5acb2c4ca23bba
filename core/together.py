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
    """One write that waits, and what became of it."""

    asked: Any
    done: bool = False
    made: Any = None
    error: Exception | None = field(default_factory=lambda: RuntimeError("the write was ended in between"))


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
        self._lock = threading.Lock()

    def do(self, asked: Asked) -> Made:
        """What came of it, committed; raises what `write` raises, and then nothing of it is kept."""
        mine = _Turn(asked)
        self._waiting.append(mine)
        while not mine.done:
            with self._lock:
                if not mine.done:
                    self._carry_out([self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST))])
        if mine.error is not None:
            raise mine.error
        return cast(Made, mine.made)

    def _carry_out(self, turns: Sequence[_Turn]) -> None:
        try:
            if len(turns) == 1 or not self._all(turns):
                for one in turns:
                    self._alone(one)
        finally:  # also of a thread that is ended in between: nobody waits for ever
            for one in turns:
                one.done = True

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
