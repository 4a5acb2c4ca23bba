"""Runs periodic jobs in threads of this process; all durable state is ours, APScheduler keeps its in memory."""

from datetime import timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from core import clock
from scheduler.jobs import Job

log = structlog.get_logger()

# The golden section puts any number of points far from each other.
_APART = 0.618


class Runner:
    """Runs each job every so many seconds, never twice at once; a job that fails is logged and comes again."""

    def __init__(self, jobs: list[Job]) -> None:
        self._jobs = jobs
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(max(4, len(jobs) + 1))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )

    def start(self) -> None:
        """Begin; returns at once.

        Each job has its own place in the second: all at once they would hold up the pages of this process ten times
        as long as one after the other.
        """
        begun = clock.now()
        for number, job in enumerate(self._jobs):
            first = begun + timedelta(seconds=job.seconds + number * _APART % min(1.0, job.seconds))
            self._scheduler.add_job(
                _guarded, "interval", args=(job,), seconds=job.seconds, start_date=first, id=job.name, name=job.name
            )  # fmt: skip
        self._scheduler.start()

    def stop(self) -> None:
        """Tell the jobs to end, wait for those under way, begin none anew."""
        for job in self._jobs:
            if job.stop is not None:
                job.stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)


def _guarded(job: Job) -> None:
    try:
        job.run()
    except Exception:
        log.exception("a periodic job failed; it comes again", job=job.name)
