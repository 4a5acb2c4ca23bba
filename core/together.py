"""Writes that arrive in the same moment, in one transaction: a rush costs a commit for several, not for each."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from sqlmodel import Session

from core.database import Database

T = TypeVar("T")
_MOST = 32  # in one transaction: as long as that, others wait for what it holds


@dataclass(slots=True, eq=False)
class _Turn:
    """One write that waits; `order` decides in which order locks are taken."""

    verb: Callable[[Session], Any]
    order: int
    done: bool = False
    value: Any = None
    error: Exception | None = field(default_factory=lambda: RuntimeError("the write was ended in between"))


class Together:
    """Who comes while another one commits goes with the next transaction, which the first of them carries out.

    Each is answered when what it wrote is committed, as if it had been alone. When one is refused or fails, nothing
    of the others is lost: all are taken back and carried out again, each in a transaction of its own.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Turn] = deque()
        self._lock = threading.Lock()

    def do(self, verb: Callable[[Session], T], order: int = 0) -> T:
        """Carry a verb out and commit it; raises what the verb raises, and then nothing of it is kept.

        It may be called twice, the first time for nothing, so it changes only the database. `order`: the number of
        the row that it holds; rows are held in one order, so that no two processes wait for each other.
        """
        mine = _Turn(verb, order)
        self._waiting.append(mine)
        while not mine.done:
            with self._lock:
                if not mine.done:
                    self._write([self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST))])
        if mine.error is not None:
            raise mine.error
        return cast(T, mine.value)

    def _write(self, turns: list[_Turn]) -> None:
        turns.sort(key=lambda one: one.order)
        try:
            if not self._all(turns):
                for one in turns:
                    self._alone(one)
        finally:  # also of a thread that is ended in between: nobody waits for ever
            for one in turns:
                one.done = True

    def _all(self, turns: list[_Turn]) -> bool:
        if len(turns) == 1:
            return False
        try:
            with self._database.transaction() as session:
                values = [one.verb(session) for one in turns]
        except Exception:
            return False
        for one, value in zip(turns, values, strict=True):
            one.value, one.error = value, None
        return True

    def _alone(self, one: _Turn) -> None:
        try:
            with self._database.transaction() as session:
                one.value = one.verb(session)
            one.error = None
        except Exception as error:
            one.error = error
