"""A worker for tests that kill it: `python -m tests.scheduler.nursery '{settings}'` sends until it dies.

`forked` bears it at once, so that two hundred can be killed. It has one sending thread, so that a kill hits one call at
most.
"""

import json
import sys
import time
from typing import Any

from sqlalchemy import update
from sqlmodel import col

from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from scheduler import outbox, settling
from scheduler.broker import Brokered
from scheduler.jobs import Outgoing, outgoing
from scheduler.models import Delivery, DeliveryState
from scheduler.patience import Limits
from scheduler.worker import sending
from tests.scheduler.platform import CallChannel, SingleChannel
from tracking.attribution import Attributions
from tracking.recorder import Recorder
from tracking.spool import Spool

LIMITS = Limits(
    lease_seconds=2.0, backoff_first=0.2, backoff_most=1.0, most_attempts=20, failover_attempts=20
)


def line(given: dict[str, Any]) -> Outgoing:
    """Everything that carries plans out, over the channel that is asked for."""
    settings = Settings(_env_file=None, **given["settings"])
    keys = Keys(load_secret(settings))
    attributions = Attributions(keys)
    kind = SingleChannel if given["channel"].get("call_size", 2) == 1 else CallChannel
    return outgoing(
        settings=settings, database=Database(settings.relational_url), keys=keys, vault=Vault(keys),
        attributions=attributions, clock=clock.now, limits=LIMITS, channels=(kind(**given["channel"]),),
        recorder=Recorder(Spool(settings.spool_dir, 2.0, 1 << 20), attributions, settings), threads=1,
    )  # fmt: skip


def work(given: dict[str, Any]) -> None:
    """Send until somebody kills us."""
    if given.get("lawless"):
        _without_leases()
    made = line(given)
    if isinstance(made.senders, Brokered):
        broker = made.senders.broker
        broker.work(
            lambda name: sending(made.dispatcher, name, 1.0),
            threads=1, channels=list(broker.queues), stop=made.dispatcher.stopping.set,
        )  # fmt: skip
        return
    looked = 0.0
    while True:
        if time.monotonic() - looked > 0.3:
            made.dispatcher.take_up()
            looked = time.monotonic()
        for name in made.dispatcher.channels:
            sending(made.dispatcher, name)
        time.sleep(0.02)


def _without_leases() -> None:
    """The control: nobody asks who holds a batch or a row."""

    def begin(session: Any, deliveries: Any, call: int | None = None) -> Any:
        ids = [one.id for one in deliveries]
        marked = update(Delivery).where(col(Delivery.id).in_(ids))
        settling.changed(session, marked.values(state=DeliveryState.sending, call=call))
        return list(deliveries)

    outbox.take = lambda *_arguments, **_more: True
    outbox.renew = lambda *_arguments, **_more: True
    settling.begin = begin


if __name__ == "__main__":
    work(json.loads(sys.argv[1]))
