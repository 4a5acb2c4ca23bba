"""Every periodic job stands in `webapp.jobs`, has a name of its own, and runs on an empty installation."""

from collections.abc import Iterator

import pytest

from core.settings import Settings
from tests.house.sources import sources
from webapp.jobs import jobs
from webapp.runtime import Runtime, build


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    runtime = build(settings)
    yield runtime
    runtime.close()


def test_each_job_has_a_name_of_its_own_and_runs_on_nothing(runtime: Runtime) -> None:
    listed = jobs(runtime)
    assert len({job.name for job in listed}) == len(listed) >= 7
    for job in listed:
        assert job.seconds > 0
        job.run()
        job.run()
    for job in listed:
        if job.stop is not None:
            job.stop()


def test_without_the_scheduler_only_reach_returns_rooms_search_the_audit_log_and_privacy_are_looked_after(
    settings: Settings,
) -> None:
    runtime = build(settings.model_copy(update={"scheduler": False}))
    assert {job.name.split(".")[0] for job in jobs(runtime)} == {
        "audit", "finding", "privacy", "reach", "returns", "rooms"
    }  # fmt: skip
    runtime.close()


def test_the_runner_is_given_its_jobs_in_one_place() -> None:
    places = [
        source.name for source in sources() if "Runner(" in source.text and "class Runner" not in source.text
    ]
    assert places == ["webapp.background"]
