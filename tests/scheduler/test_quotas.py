"""What a platform allows an account: never more in any window, whoever asks, and never a moment longer than needed."""

import multiprocessing
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from core import clock
from core.database import Database
from scheduler.channels.base import Rate
from scheduler.quotas import DatabaseQuotas, Room, SharedQuotas, quotas
from scheduler.sandbox.core import Sandbox

MINUTE = (Rate(20, 60),)
START = datetime(2026, 9, 15, 6, 0, tzinfo=UTC)


def _take(database: Database, now: datetime, want: int = 1, rates: Any = MINUTE, **more: Any) -> Room:
    with database.transaction() as session:
        return DatabaseQuotas().take(session, "robot 1", rates, want, now=now, **{"in_calls": True, **more})


def test_room_is_given_until_there_is_none_and_again_in_time(database: Database) -> None:
    for second in range(20):
        assert _take(database, START + timedelta(seconds=second)) == Room(1)
    at = START + timedelta(seconds=20)
    assert _take(database, at) == Room(0, 40.0), "until the first is a minute ago"
    assert _take(database, START + timedelta(seconds=59.9)).messages == 0
    assert _take(database, START + timedelta(seconds=60)) == Room(1)
    assert _take(database, START + timedelta(seconds=60)) == Room(0, 1.0)


def test_messages_and_calls_are_counted_apart(database: Database) -> None:
    rates = (Rate(2, 1), Rate(150, 60, "message"))
    assert _take(database, START, 100, rates) == Room(100)
    room = _take(database, START, 100, rates)
    assert room.messages == 50, "as many as there is room for"
    assert 60 <= room.wait <= 60.6, "large rates are put together to the hundredth of their window"
    assert _take(database, START, 1, rates).messages == 0
    assert _take(database, START, 30, MINUTE, in_calls=False) == Room(20, 60.0), (
        "single messages are calls each"
    )


def test_what_has_no_room_takes_nothing_elsewhere(database: Database) -> None:
    rates = (Rate(1, 60), Rate(1000, 3600, "message"))
    assert _take(database, START, 400, rates) == Room(400)
    assert _take(database, START, 400, rates).messages == 0
    assert _take(database, START, 1000, rates[1:]).messages == 600


def _steps() -> list[datetime]:
    return [START + timedelta(seconds=number * 2.5) for number in range(80)]


def _worker(url: str, sent: Any, together: Any, guarded: bool) -> None:
    """Another process, which tries at each step of the clock that all share, and notes when it sends."""
    database = Database(url)
    for now in _steps():
        together.wait(30)
        for _ in range(2):
            if not guarded or _take(database, now).messages:
                sent.put(now.timestamp())
    database.close()
    sent.put(None)


def _race(url: str, *, guarded: bool) -> Sandbox:
    """Two processes send as fast as they may; what a stand-in that counts says of it, call by call in their order."""
    context = multiprocessing.get_context("spawn")
    sent, together = context.Queue(), context.Barrier(2)
    processes = [context.Process(target=_worker, args=(url, sent, together, guarded)) for _ in range(2)]
    for process in processes:
        process.start()
    times: list[float] = []
    for _ in processes:
        while (at := sent.get(timeout=60)) is not None:
            times.append(at)
    for process in processes:
        process.join(30)
    at_now = [0.0]
    sandbox = Sandbox(clock=lambda: at_now[0])
    for at in sorted(times):
        at_now[0] = at
        if sandbox.allows("robot", "account", 20, 60):
            sandbox.total["robot"] += 1
    return sandbox


def test_two_processes_together_stay_within_the_limit(database: Database) -> None:
    sandbox = _race(database.url, guarded=True)
    assert not sandbox.breaches
    assert sandbox.total["robot"] >= 20, "and something was sent"


def test_control_without_the_quota_two_processes_break_it(database: Database) -> None:
    assert _race(database.url, guarded=False).breaches


def test_threads_that_race_share_the_last_places(database: Database) -> None:
    barrier, got = threading.Barrier(6), list[int]()

    def run() -> None:
        barrier.wait()
        got.extend(_take(database, START).messages for _ in range(10))

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == 20


def test_high_rates_are_put_together_and_still_never_exceeded(database: Database) -> None:
    sandbox_clock, rates = [0.0], (Rate(600, 60),)
    sandbox = Sandbox(clock=lambda: sandbox_clock[0])
    for step in range(300):
        now = START + timedelta(seconds=step * 0.37)
        sandbox_clock[0] = now.timestamp()
        for _ in range(_take(database, now, 7, rates, in_calls=False).messages):
            assert sandbox.allows("p", "a", 600, 60)
    assert not sandbox.breaches


def test_redis_is_used_where_limits_are_counted_there(database: Database) -> None:
    assert isinstance(quotas("memory://"), DatabaseQuotas) and isinstance(quotas(""), DatabaseQuotas)
    shared = SharedQuotas("memory://")  # the same library, in this process
    now = clock.now()
    with database.reading() as session:
        rooms = [shared.take(session, "x", (Rate(3, 60),), 1, in_calls=True, now=now) for _ in range(4)]
    assert [one.messages for one in rooms] == [1, 1, 1, 0] and 50 < rooms[3].wait <= 61
