"""Who was counted as reached and failed after all is counted back, once; what a late worker knows of an address holds."""

from collections.abc import Iterator

import pytest
from sqlmodel import select, update

from campaign import audience
from core import clock
from core.database import Database
from core.settings import Settings
from scheduler import outbox
from scheduler.correcting import Corrector
from scheduler.jobs import Outgoing
from scheduler.models import Batch, Delivery
from scheduler.receipt_models import ReachCorrection
from scheduler.sandbox import sms_aliyun
from tests.scheduler.conftest import Clock
from tests.scheduler.receipt_scene import SMS, Site, aliyun, site
from tests.scheduler.test_calls import Scene, scene
from tracking.drain import Drain
from tracking.recorder import Recorder
from tracking.store import ReachStore

__all__ = ["scene"]
GOOD = ["13912345001", "13912345002"]


@pytest.fixture
def here(settings: Settings) -> Iterator[Site]:
    with site(settings) as made:
        yield made


def corrector(here: Site) -> Corrector:
    """As the job makes it."""
    settings = here.runtime.service(Settings)
    return Corrector(here.database, here.runtime.service(Recorder), settings.zone, clock.now)


def delivered(here: Site) -> int:
    """Person-times as the reports count them."""
    here.runtime.service(Recorder).tick()
    here.runtime.service(Drain).run_once()
    rows = here.runtime.service(ReachStore).query(
        "SELECT sum(quantity) FROM reach_event WHERE kind = 'delivered'", {}
    )
    return int(rows[0][0] or 0)


def test_who_failed_after_being_counted_is_counted_back_once(here: Site) -> None:
    number = aliyun(here)
    here.push(number, [*GOOD, sms_aliyun.NO_SUCH], **SMS)
    assert delivered(here) == 3, "accepted counts"
    body = here.aliyun.report()
    for _again in range(2):
        here.call(here.address(number), body)
        corrector(here).run_once()
    assert corrector(here).run_once() == 0 and delivered(here) == 2


def test_a_correction_waits_until_what_it_takes_back_is_counted(here: Site) -> None:
    number = aliyun(here)
    here.push(number, [*GOOD, sms_aliyun.NO_SUCH], send=False, **SMS)
    here.line.dispatcher.run("sms_aliyun")  # sent, and not counted yet
    here.call(here.address(number), here.aliyun.report())
    assert corrector(here).run_once() == 0
    while here.line.count():
        pass
    assert corrector(here).run_once() == 1 and delivered(here) == 2


def test_a_kill_between_deposit_and_note_counts_back_once(here: Site) -> None:
    number = aliyun(here)
    here.push(number, [*GOOD, sms_aliyun.NO_SUCH], **SMS)
    here.call(here.address(number), here.aliyun.report())
    assert corrector(here).run_once() == 1
    with here.database.transaction() as session:
        session.execute(update(ReachCorrection).values(done=False))  # the note was lost with the process
    assert corrector(here).run_once() == 1 and delivered(here) == 2


def test_the_control_another_name_counts_back_twice(here: Site) -> None:
    number = aliyun(here)
    here.push(number, [*GOOD, sms_aliyun.NO_SUCH], **SMS)
    here.call(here.address(number), here.aliyun.report())
    corrector(here).run_once()
    with here.database.transaction() as session:
        session.execute(update(ReachCorrection).values(done=False, batch=""))
    assert corrector(here).run_once() == 1 and delivered(here) == 1


def test_addresses_a_platform_ended_are_closed_by_a_worker_that_lost_its_lease(scene: Scene) -> None:
    """It learns of them in the call in which its lease runs out and somebody takes the batch up."""
    line = scene.line(batch_size=4, call_size=4, group=4, idempotent=False)
    scene.platform.says = {"u2": "gone", "u3": "withdrawn"}
    push_id = scene.push(line, 4)
    scene.platform.after = lambda _number: _lose(scene.database, line, scene.clock)
    line.dispatcher.run("webhook")
    named = {scene.vault.index("webhook", name): name for name in ("u1", "u2", "u3", "u4")}
    with scene.database.reading() as session:
        rows = session.exec(select(Delivery).where(Delivery.push_id == push_id))
        states = {named[one.address_index]: one.state for one in rows}
    assert states == {"u1": "sent", "u2": "failed", "u3": "refused", "u4": "sent"}
    assert _refused(scene) == {"u2", "u3"}


def _lose(database: Database, line: Outgoing, clock: Clock) -> None:
    clock.forward(seconds=120)
    with database.transaction() as session:
        batch = session.exec(select(Batch)).one()
        assert outbox.take_up(session, batch, idempotent=False, now=clock())


def _refused(scene: Scene) -> set[str]:
    found = set()
    for name in ("u1", "u2", "u3", "u4"):
        with scene.database.reading() as session:
            if audience.refused_among(session, "webhook", [scene.vault.index("webhook", name)]):
                found.add(name)
    return found
