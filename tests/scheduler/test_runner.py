"""Periodic jobs: never twice at once, a failure ends nothing, stopping waits."""

import threading
import time

import pytest

from scheduler.jobs import Job, Outgoing
from scheduler.runner import Runner


def _until(condition: object, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


def test_a_job_that_fails_comes_again() -> None:
    ran: list[int] = []

    def fail() -> None:
        ran.append(1)
        raise RuntimeError("a bad day")

    runner = Runner([Job("bad", 0.05, fail)])
    runner.start()
    assert _until(lambda: len(ran) >= 3)
    runner.stop()


def test_a_slow_job_is_not_run_twice_at_once() -> None:
    running, most = threading.Semaphore(1), []

    def slow() -> None:
        most.append(running.acquire(blocking=False))
        time.sleep(0.2)
        running.release()

    runner = Runner([Job("slow", 0.05, slow)])
    runner.start()
    assert _until(lambda: len(most) >= 3)
    runner.stop()
    assert all(most)


def test_stopping_tells_the_jobs_and_waits() -> None:
    stopped, done = threading.Event(), []

    def work() -> None:
        stopped.wait(5)
        time.sleep(0.1)
        done.append(1)

    runner = Runner([Job("long", 0.05, work, stopped.set)])
    runner.start()
    time.sleep(0.2)
    runner.stop()
    assert done == [1]
    time.sleep(0.2)
    assert done == [1], "nothing begins after the stop"


def test_the_jobs_of_the_scheduler(line: Outgoing) -> None:
    names = [job.name for job in line.jobs()]
    assert names == ["push.plan", "push.dispatch", "push.tidy", "push.count"]
    for job in line.jobs():
        job.run()  # with nothing to do each ends at once
    line.stop()
    assert line.dispatcher.run("email") == 0


@pytest.mark.parametrize("times", [2])
def test_stopping_twice_is_no_fault(times: int) -> None:
    runner = Runner([])
    runner.start()
    for _ in range(times):
        runner.stop()
