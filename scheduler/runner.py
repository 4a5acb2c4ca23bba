"""Runs periodic jobs in threads of this process; all durable state is ours, APScheduler keeps its in memory."""

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from scheduler.jobs import Job

log = structlog.get_logger()


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
        """Begin; returns at once."""
        for job in self._jobs:
            self._scheduler.add_job(
                _guarded, "interval", args=(job,), seconds=job.seconds, id=job.name, name=job.name
            )
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
