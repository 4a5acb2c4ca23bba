"""Claims batches and has them sent, in as many threads and processes as ask."""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from sqlmodel import Session

from core.database import Database
from core.privacy import Vault
from scheduler import failover, outbox
from scheduler.account_secrets import Opener
from scheduler.calling import Calling
from scheduler.channels.base import AnyChannel
from scheduler.composer import Composer
from scheduler.models import Batch
from scheduler.patience import Limits
from scheduler.quotas import DatabaseQuotas, Quotas
from scheduler.sending import Sending, Tools

log = structlog.get_logger()


class Dispatcher:
    """Claims batches and sends them, in as many threads and processes as call `run`."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, AnyChannel],
        composer: Composer,
        vault: Vault,
        opener: Opener,
        *,
        clock: Callable[[], datetime],
        limits: Limits | None = None,
        quotas: Quotas | None = None,
        threads: int = 1,
    ) -> None:
        """`threads`: so many calls of a channel are on their way at a time, however many threads `run`."""
        self.database = database
        self.channels = channels
        self.composer = composer
        self.vault = vault
        self.opener = opener
        self.clock = clock
        self.limits = limits or Limits()
        self.stopping = threading.Event()
        self.slots = {name: threading.Semaphore(threads) for name in channels}
        self._tools = Tools(
            database, composer, vault, opener, quotas or DatabaseQuotas(), clock, self.limits, self.stopping,
            self.slots,
        )  # fmt: skip

    def run(self, channel: str, seconds: float | None = None) -> int:
        """Send every batch of a channel that can be claimed now (none is begun after so long); returns how many."""
        done, begun = 0, time.monotonic()
        while not self.stopping.is_set() and (seconds is None or time.monotonic() - begun < seconds):
            owner = uuid.uuid4().hex
            if channel not in self.ready():  # an idle worker takes no write lock
                break
            with self.database.transaction() as session:
                batch = self._claim(session, channel, owner)
            if batch is None:
                continue
            chosen = self.channels[channel]
            kind = Calling if chosen.call_size > 1 else Sending
            kind(self._tools, chosen, batch, owner).run()
            done += 1
        return done

    def _claim(self, session: Session, channel: str, owner: str) -> Batch | None:
        """The next batch of a channel; None when there is none, or it was handed on to another account."""
        now = self.clock()
        batch = outbox.claim(session, channel=channel, owner=owner, now=now, limits=self.limits)
        if batch is not None and failover.rerouted(session, batch, self.channels[channel], now):
            return None
        return batch

    def ready(self) -> dict[str, int]:
        """How many batches of each channel can be claimed now."""
        return dict(self.database.ask(outbox.WAITING, {"now": self.clock()}))

    def take_up(self) -> int:
        """Take batches from workers whose lease ran out; returns how many."""
        with self.database.reading() as session:
            found = outbox.expired(session, self.clock())
        taken = 0
        for batch in found:
            with self.database.transaction() as session:
                now = self.clock()
                idempotent = self.channels[batch.channel].idempotent
                taken += outbox.take_up(session, batch, idempotent=idempotent, now=now)
                outbox.finish_if_done(session, batch.push_id, now)
        if taken:
            log.warning("batches taken up from a worker that stopped", batches=taken)
        return taken
