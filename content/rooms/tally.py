"""Counts, for editors, what plays do: mistakes that are chosen, and where plays are left; never whose.

Gathered in memory and written every few seconds: a process that is killed loses these few seconds, which reports for
editors bear. The same mistake counts once for each play, as far as this process remembers.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Table, UpdateBase
from sqlmodel import Session, SQLModel, col, delete, select

from content.escape_room.game import Bolt
from content.escape_room.rules import Outcome
from content.escape_room.state import State
from content.rooms.games import Ready
from content.rooms.models import RoomCount, RoomStand
from core.database import Database, Prepared

EVERY_SECONDS = 5.0
LEFT_AFTER = timedelta(days=1)  # who did not come back by then has left
WRONG, LEFT, ENDED = "wrong", "left", "ended"
_REMEMBERED = 50_000
_PART = 500
_Key = tuple[str, str, date, str, str]
_COUNT: Table = SQLModel.metadata.tables[str(RoomCount.__tablename__)]
_STAND: Table = SQLModel.metadata.tables[str(RoomStand.__tablename__)]


class Stand(NamedTuple):
    """Where a play is, at a moment."""

    room: str
    hash: str
    scene: str
    lock: str
    ended: bool
    at: datetime


class Tally:
    """One of a process."""

    def __init__(self, database: Database, zone: ZoneInfo, now: Callable[[], datetime]) -> None:
        self._database, self._zone, self._now = database, zone, now
        self._lock = threading.Lock()
        self._counts: Counter[_Key] = Counter()
        self._stands: dict[str, Stand] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()

    def note(self, ready: Ready, play: str, after: State, outcome: Outcome, now: datetime) -> None:
        """A step of a play; costs a few entries in memory."""
        if outcome.did == "refused":
            return
        game, name = ready.game, _hashed(play)
        front = game.fronts[after.front]
        lock = front.name if isinstance(front, Bolt) else ""
        stand = Stand(ready.key, game.hash, game.places[after.scene].name, lock, bool(after.ending), now)
        with self._lock:
            self._stands[name] = stand
            if outcome.wrong and outcome.did in ("wrong", "failed"):
                self._mistake(stand, name, f"{outcome.lock}/{outcome.wrong}"[:200])

    def _mistake(self, stand: Stand, play: str, what: str) -> None:
        once = f"{play} {what}"
        if once in self._seen:
            self._seen.move_to_end(once)
            return
        self._seen[once] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        day = stand.at.astimezone(self._zone).date()
        self._counts[stand.room, stand.hash, day, WRONG, what] += 1

    def run_once(self) -> int:
        """Write what was gathered, and count plays that were left; returns how many of these."""
        self.flush()
        before = self._now() - LEFT_AFTER
        with self._database.reading() as session:
            if (
                session.exec(select(RoomStand.play).where(col(RoomStand.at) < before).limit(1)).first()
                is None
            ):
                return 0
        with self._database.transaction() as session:
            return fold(session, before, self._zone)

    def flush(self) -> None:
        """Write what was gathered; what cannot be written now is kept for the next time."""
        with self._lock:
            counts, stands = self._counts, self._stands
            self._counts, self._stands = Counter(), {}
        if not counts and not stands:
            return
        try:
            with self._database.transaction() as session:
                write(session, counts, stands)
        except BaseException:
            with self._lock:
                self._counts.update(counts)
                self._stands = stands | self._stands
            raise

    def close(self) -> None:
        """Write the last of it."""
        self.flush()


def write(session: Session, counts: Mapping[_Key, int], stands: Mapping[str, Stand]) -> None:
    """Add counts to those that are there; a stand takes the place of an earlier one.

    In the order of their keys: two processes that write the same rows wait for each other, and never both.
    """
    connection = session.connection()
    if counts:
        rows = [dict(zip(_COUNT.c.keys(), (*key, counts[key]), strict=True)) for key in sorted(counts)]
        _ADD.on(connection, *rows)
    if stands:
        stood = [{"play": name, **stands[name]._asdict()} for name in sorted(stands)]
        _PUT.on(connection, *stood)


def _adding(insert: Any) -> UpdateBase:
    made = insert(_COUNT)
    more = {"count": _COUNT.c.count + made.excluded.count}
    found: UpdateBase = made.on_conflict_do_update(index_elements=list(_COUNT.primary_key), set_=more)
    return found


def _putting(insert: Any) -> UpdateBase:
    made = insert(_STAND)
    newer = (_STAND.c.at <= made.excluded.at) & ~_STAND.c.ended
    now = {one.name: made.excluded[one.name] for one in _STAND.c if not one.primary_key}
    found: UpdateBase = made.on_conflict_do_update(
        index_elements=list(_STAND.primary_key), set_=now, where=newer
    )
    return found


_ADD, _PUT = Prepared(_adding), Prepared(_putting)


def fold(session: Session, before: datetime, zone: ZoneInfo) -> int:
    """Count plays without a step since `before` as ended, or as left where they stood; returns how many."""
    rows = list(
        session.exec(select(RoomStand).where(col(RoomStand.at) < before).limit(5_000).with_for_update())
    )
    counts: Counter[_Key] = Counter()
    for one in rows:
        kind, where = (ENDED, "") if one.ended else (LEFT, f"{one.scene}/{one.lock}")
        counts[one.room, one.hash, one.at.astimezone(zone).date(), kind, where] += 1
    write(session, counts, {})
    names = [one.play for one in rows]
    for start in range(0, len(names), _PART):
        session.connection().execute(
            delete(RoomStand).where(col(RoomStand.play).in_(names[start : start + _PART]))
        )
    return len(rows)


def counted(session: Session, room: str, kind: str, hash_: str = "") -> dict[str, int]:
    """What was counted of a room, all versions or one, by name."""
    query = select(RoomCount).where(RoomCount.room == room, RoomCount.kind == kind)
    found: Counter[str] = Counter()
    rows: Sequence[RoomCount] = session.exec(query.where(RoomCount.hash == hash_) if hash_ else query).all()
    for one in rows:
        found[one.name] += one.count
    return dict(found)


def _hashed(play: str) -> str:
    return blake2b(play.encode(), digest_size=12, person=b"stand").hexdigest()
