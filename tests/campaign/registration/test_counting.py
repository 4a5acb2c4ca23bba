"""Reach is told of registrations and arrivals, each once, also when a kill falls between; who leaves is corrected."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from campaign.registration import changing, counting
from campaign.registration.counting import Counting
from campaign.registration.models import CountedBatch, RegisteredPerson
from campaign.returns import filing
from campaign.returns.booking import Bookkeeper
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from tests.campaign.registration import making
from tests.campaign.returns import cast
from tests.factories import OUTLET_A
from tracking.drain import Drain
from tracking.recorder import Recorder
from tracking.store import ReachStore
from webapp.runtime import Runtime, build


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    made = build(settings)
    yield made
    made.close()


def _counted(runtime: Runtime) -> dict[str, int]:
    runtime.service(Drain).run_once()
    rows = runtime.service(ReachStore).query("SELECT kind, sum(quantity) FROM reach_event GROUP BY kind")
    return {str(kind): int(number) for kind, number in rows}


def test_figures_follow_registrations_and_arrivals(runtime: Runtime, now: datetime) -> None:
    database, vault = runtime.service(Database), runtime.service(Vault)
    settings, recorder = runtime.service(Settings), runtime.service(Recorder)
    job = Counting(database, recorder, settings.zone, lambda: now)
    with database.transaction() as session:
        where = making.occurrence(session, now, capacity=4, outlet_code=OUTLET_A)
        making.party(session, vault, where, 1, 3, now=now)
        making.party(session, vault, where, 2, 1, now=now)
        making.party(session, vault, where, 3, 1, now=now)  # waits
    assert (job.run_once(), job.run_once()) == (1, 0)
    assert _counted(runtime) == {"registered": 4}
    with database.transaction() as session:
        changing.leave(
            session, 2, now + timedelta(minutes=1)
        )  # its seat is offered, which is no registration
        person = session.exec(select(RegisteredPerson)).first()
        assert person is not None
        person.arrived_at = now
        changing.get(session, 1).changed_at = now + timedelta(days=3)
    job.run_once()
    assert _counted(runtime) == {"registered": 3, "attended": 1}
    rows = runtime.service(ReachStore).query(
        "SELECT outlet, day, source, batch FROM reach_event WHERE kind = 'attended'"
    )
    assert [(str(row[0]), str(row[1]), str(row[2]), str(row[3])) for row in rows] == [
        (OUTLET_A, str((now + timedelta(days=3)).date()), counting.SOURCE, "events-2")
    ]


def test_a_kill_between_fixing_and_depositing_loses_and_doubles_nothing(
    runtime: Runtime, now: datetime
) -> None:
    database, recorder = runtime.service(Database), runtime.service(Recorder)
    zone = runtime.service(Settings).zone
    with database.transaction() as session:
        where = making.occurrence(session, now, capacity=4, outlet_code=OUTLET_A)
        making.party(session, runtime.service(Vault), where, 1, 2, now=now)
    with database.transaction() as session:
        batch = counting.fix(session, zone, now)
    assert batch is not None  # … and here the process died
    recorder.deposit(counting.name(batch), counting.events(batch))  # or here, before it could say so
    runtime.service(Drain).run_once()
    job = Counting(database, recorder, zone, lambda: now)
    assert job.run_once() == 1
    assert _counted(runtime) == {"registered": 2}
    with database.reading() as session:
        assert session.exec(select(CountedBatch)).one().deposited_at is not None


def test_a_verified_return_takes_over_who_came_and_gives_it_back(runtime: Runtime, now: datetime) -> None:
    database, vault = runtime.service(Database), runtime.service(Vault)
    zone, recorder = runtime.service(Settings).zone, runtime.service(Recorder)
    jobs = [Counting(database, recorder, zone, lambda: now), runtime.service(Bookkeeper)]
    later = now + timedelta(days=4)
    with database.transaction() as session:
        who = cast.people(session, now)
        where = making.occurrence(session, now, capacity=4, outlet_code=OUTLET_A)
        making.party(session, vault, where, 1, 3, now=now)
        for person in session.exec(select(RegisteredPerson)):
            person.arrived_at = now
        changing.get(session, 1).changed_at = later
    _run(jobs)
    assert _counted(runtime)["attended"] == 3
    with database.transaction() as session:
        number = cast.verified(session, who, later, occurrence_id=str(where.id), heads="25", audiences=[])
    _run(jobs)
    assert _counted(runtime)["attended"] == 25, "the return counts everybody, those checked in among them"
    with database.transaction() as session:
        filing.void(session, number, by=who.clerk, now=later, reason="记错了")
        cast.decide(session, number, who.branch, later)
    _run(jobs)
    assert _counted(runtime)["attended"] == 3


def _run(jobs: list[Any]) -> None:
    for job in jobs:
        job.run_once()
