"""webapp.affinity: fast answers stay on one core, slow ones use all, and the thread goes home afterwards."""

import os
import threading
from collections.abc import Iterable
from typing import Any

import pytest

from webapp.affinity import Roaming

ALL = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}

pytestmark = pytest.mark.skipif(len(ALL) < 2, reason="this machine has one core")


def _in_a_thread(work: Any) -> None:
    """Affinity belongs to a thread: one of its own leaves the test's alone."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    thread.join()
    assert failures == []


def test_only_the_wrapped_application_may_use_all_cores() -> None:
    seen: list[set[int]] = []

    def app(_environ: Any, _start_response: Any) -> Iterable[bytes]:
        seen.append(os.sched_getaffinity(0))
        if len(seen) == 2:
            raise RuntimeError
        return []

    def work() -> None:
        line = Roaming(app)
        line.settle()
        home = os.sched_getaffinity(0)
        assert len(home) == 1
        line({}, lambda *_: lambda _data: None)
        assert os.sched_getaffinity(0) == home
        with pytest.raises(RuntimeError):
            line({}, lambda *_: lambda _data: None)
        assert os.sched_getaffinity(0) == home

    _in_a_thread(work)
    assert seen == [ALL, ALL]


def test_without_settling_nothing_is_moved() -> None:
    def work() -> None:
        Roaming(lambda _environ, _start_response: [])({}, lambda *_: lambda _data: None)
        assert os.sched_getaffinity(0) == ALL

    _in_a_thread(work)


def test_what_stays_is_answered_at_home() -> None:
    seen: list[set[int]] = []

    def app(_environ: Any, _start_response: Any) -> Iterable[bytes]:
        seen.append(os.sched_getaffinity(0))
        return []

    def work() -> None:
        line = Roaming(app, stays=lambda environ: environ["PATH_INFO"] == "/short")
        line.settle()
        for path in ("/short", "/long"):
            line({"PATH_INFO": path}, lambda *_: lambda _data: None)

    _in_a_thread(work)
    assert len(seen[0]) == 1 and seen[1] == ALL
