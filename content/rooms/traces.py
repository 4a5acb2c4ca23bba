"""Writes down, once each, what of a play must outlive a state sent again from the past."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel

from content.rooms.envelope import DAYS
from content.rooms.models import RoomTrace
from core.database import Database, Prepared
from core.i18n import mark
from core.together import Together
from institution import retention
from institution.retention import Rule

HINT, RIGHT, ABOUT_PLAY = "hint ", "right", ""
_TABLE = SQLModel.metadata.tables[str(RoomTrace.__tablename__)]
_KNOWN = Prepared(
    select(_TABLE.c.lock, _TABLE.c.what).where(_TABLE.c.play == bindparam("play")).order_by(_TABLE.c.nth)
)
_WRITE = Prepared(insert(_TABLE))
_ROUNDS = 8  # of processes that write about the same lock in the same moment one is first in each


class Trace(NamedTuple):
    """Something to be written down at `at`; what is there stays, and `most` rows of a lock are enough."""

    play: str
    lock: str
    what: str
    at: datetime
    most: int = 99


class Kept(NamedTuple):
    """What is known of a lock: all of it in its order; `place` of what was asked for (-1: there was no room for it),
    and whether it is `new`."""

    all: tuple[str, ...]
    place: int
    new: bool

    @property
    def before(self) -> tuple[str, ...]:
        """What came before it."""
        return self.all[: self.place] if self.place >= 0 else self.all


class Traces:
    """One of a process: writes of the same moment share a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together = Together(database, keep)

    def keep(self, trace: Trace) -> Kept:
        """Written down and committed, in one order for all processes."""
        for _round in range(_ROUNDS - 1):
            try:
                return self._together.do(trace)
            except IntegrityError:
                continue  # another process was faster: look again
        return self._together.do(trace)

    def of(self, play: str) -> dict[str, tuple[str, ...]]:
        """What is known of a play, by lock."""
        return {
            lock: tuple(whats) for lock, whats in _by_lock(self._database.ask(_KNOWN, {"play": play})).items()
        }


def keep(session: Session, traces: Sequence[Trace]) -> list[Kept]:
    """Each trace after the other, with a statement to look and one to write for all of them."""
    connection = session.connection()
    plays = {trace.play for trace in traces}
    by_play = {play: _by_lock(_KNOWN.on(connection, {"play": play})) for play in plays}
    rows, places = [], []
    for trace in traces:
        mine = by_play[trace.play].setdefault(trace.lock, [])
        new = trace.what not in mine and len(mine) < trace.most
        if new:
            mine.append(trace.what)
            rows.append(
                {"play": trace.play, "lock": trace.lock, "what": trace.what, "nth": len(mine), "at": trace.at}
            )
        places.append((mine.index(trace.what) if trace.what in mine else -1, new))
    if rows:
        _WRITE.on(connection, *rows)
    return [
        Kept(tuple(by_play[trace.play][trace.lock]), place, new)
        for trace, (place, new) in zip(traces, places, strict=True)
    ]


def _by_lock(rows: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for lock, what in rows:
        found.setdefault(lock, []).append(what)
    return found


def _over(session: Session, before: datetime) -> int:
    return session.scalar(select(func.count()).select_from(_TABLE).where(_TABLE.c.at < before)) or 0


def _clear(session: Session, before: datetime) -> int:
    return session.connection().execute(delete(_TABLE).where(_TABLE.c.at < before)).rowcount


retention.declare(
    Rule(
        "rooms.trace",
        mark("密室探索的答错记录（不知道是谁）"),
        2 * DAYS,
        mark("《个人信息保护法》第十九条：为实现目的所必要的最短时间"),
        count=_over,
        clear=_clear,
        least=DAYS + 1,  # as long as a play may go on
    )
)
