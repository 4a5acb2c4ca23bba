"""Pushes are cut page by page, a little ahead of sending; a kill between two pages loses nobody and doubles nobody."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import func
from sqlmodel import Session, col, select

from campaign.contacts import Contact
from core.database import Database
from core.privacy import Vault
from scheduler import pushes
from scheduler.cutting import cut
from scheduler.jobs import Outgoing
from scheduler.models import Batch, Delivery, DeliveryState, Push, PushState
from scheduler.planner import Planner
from tests import forked
from tests.scheduler.audience_cast import ZONE, activate, people, plan
from tests.scheduler.conftest import Clock
from tests.scheduler.receivers import WebhookReceiver

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"email": 50, "webhook": 10}
_CUTTER = """
import sys
from core import clock
from core.database import Database
from scheduler.cutting import cut
database = Database(sys.argv[1])
sys.stdout.write("ready\\n"), sys.stdout.flush()
while True:
    with database.transaction() as session:
        if not cut(session, int(sys.argv[2]), batch_sizes={"webhook": 10}, now=clock.now(), page=20):
            break
"""


def _fired(database: Database, vault: Vault, clock: Clock, count: int) -> int:
    with database.transaction() as session:
        made = plan(session, people(session, vault, count, clock.at), clock.at, target="http://127.0.0.1:9/")
        activate(session, made, clock.at)
    clock.forward(hours=1)
    Planner(database, ZONE, SIZES, ahead=0).tick(clock.at)
    with database.reading() as session:
        return session.exec(select(col(Push.id))).one() or 0


def _page(database: Database, push_id: int, clock: Clock) -> bool:
    with database.transaction() as session:
        return cut(session, push_id, batch_sizes=SIZES, now=clock.at, page=20)


def _push(database: Database) -> Push:
    with database.reading() as session:
        return session.exec(select(Push)).one()


def _contacts(database: Database) -> Counter[int]:
    with database.reading() as session:
        return Counter(session.exec(select(Delivery.contact_id)))


def test_a_page_says_how_far_it_came(database: Database, vault: Vault, clock: Clock) -> None:
    push_id = _fired(database, vault, clock, 45)
    assert _push(database).state == PushState.cutting
    assert _page(database, push_id, clock)
    now = _push(database)
    assert (now.state, now.whole, now.total) == (PushState.running, False, 45), "estimated until it is cut"
    assert sum(_contacts(database).values()) == 20 and now.cut_after == max(_contacts(database))
    assert _page(database, push_id, clock) and _page(database, push_id, clock)
    assert _push(database).whole and not _page(database, push_id, clock)
    assert set(_contacts(database).values()) == {1} and len(_contacts(database)) == 45
    with database.reading() as session:
        assert list(session.exec(select(Batch.number).order_by(col(Batch.number)))) == [1, 2, 3, 4, 5]


def test_no_more_is_cut_than_is_sent_soon(
    database: Database, vault: Vault, clock: Clock, line: Outgoing
) -> None:
    with WebhookReceiver().serve() as receiver:
        with database.transaction() as session:
            made = plan(session, people(session, vault, 90, clock.at), clock.at, target=receiver.url)
            activate(session, made, clock.at)
        clock.forward(hours=1)
        planner = Planner(database, ZONE, SIZES, ahead=15, page=20)
        for turn in range(20):
            planner.tick(clock.at)
            with database.reading() as session:
                waiting = session.exec(
                    select(func.count()).where(Delivery.state == DeliveryState.queued)
                ).one()
            assert waiting <= 90 if turn else True
            line.dispatcher.run("webhook")
        assert _push(database).state == PushState.done
    assert set(receiver.inbox.recipients.values()) == {1} and len(receiver.inbox.recipients) == 90


def test_a_push_is_not_over_before_all_of_it_is_cut(
    database: Database, vault: Vault, clock: Clock, line: Outgoing, webhook: WebhookReceiver
) -> None:
    with database.transaction() as session:
        made = plan(session, people(session, vault, 45, clock.at), clock.at, target=webhook.url)
        activate(session, made, clock.at)
    clock.forward(hours=1)
    Planner(database, ZONE, SIZES, ahead=0).tick(clock.at)
    push_id = _push(database).id or 0
    _page(database, push_id, clock)
    line.dispatcher.run("webhook")
    assert len(webhook.inbox.effects) == 20 and _push(database).state == PushState.running
    with database.transaction() as session:
        pushes.pause(session, push_id, clock.at)
    assert not _page(database, push_id, clock), "a paused push is not cut"
    with database.transaction() as session:
        pushes.resume(session, push_id, clock.at)
    while _page(database, push_id, clock):
        line.dispatcher.run("webhook")
    line.dispatcher.run("webhook")
    assert _push(database).state == PushState.done and len(webhook.inbox.effects) == 45


def test_a_cancelled_push_is_cut_no_further(database: Database, vault: Vault, clock: Clock) -> None:
    push_id = _fired(database, vault, clock, 45)
    _page(database, push_id, clock)
    with database.transaction() as session:
        pushes.cancel(session, push_id, clock.at)
    assert not _page(database, push_id, clock)
    with database.reading() as session:
        assert set(session.exec(select(Delivery.state))) == {DeliveryState.cancelled}


def test_an_address_that_stands_twice_is_written_to_once(
    database: Database, vault: Vault, clock: Clock
) -> None:
    with database.transaction() as session:
        made = plan(session, people(session, vault, 60, clock.at), clock.at, target="http://127.0.0.1:9/")
        _same_address(session, (3, 4, 59))
        activate(session, made, clock.at)
    Planner(database, ZONE, SIZES).tick(clock.forward(hours=1))
    assert _push(database).total == 58, "known once it is cut"
    assert len(_contacts(database)) == 58
    with database.reading() as session:
        sizes = list(session.exec(select(Batch.size).order_by(col(Batch.number))))
    assert sizes == [10, 10, 10, 10, 10, 8], "batches say how many they hold"


def _same_address(session: Session, places: tuple[int, ...]) -> None:
    rows = list(session.exec(select(Contact).order_by(col(Contact.id))))
    for place in places[1:]:
        rows[place].webhook_index = rows[places[0]].webhook_index
        session.add(rows[place])
    session.flush()


def test_kill_while_cutting(database: Database, vault: Vault, clock: Clock) -> None:
    count, kills = 3000, 0
    push_id = _fired(database, vault, clock, count)
    while not _push(database).whole:
        command = [sys.executable, "-c", _CUTTER, database.url, str(push_id)]
        process = forked.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        before = _push(database).cut_after
        deadline = time.monotonic() + 10
        while (
            _push(database).cut_after == before and not _push(database).whole and time.monotonic() < deadline
        ):
            time.sleep(0.002)
        if kills < 4:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait(60)
        process.stdout.close()
        far = _push(database)
        assert sum(_contacts(database).values()) == _cut_so_far(database, far.cut_after), (
            "rows and place agree"
        )
    assert kills >= 2 and set(_contacts(database).values()) == {1} and len(_contacts(database)) == count


def _cut_so_far(database: Database, contact_id: int) -> int:
    with database.reading() as session:
        return session.exec(
            select(func.count()).select_from(Contact).where(col(Contact.id) <= contact_id)
        ).one()
