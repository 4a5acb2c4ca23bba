"""The periodic jobs of the scheduler: plans, sending, leases, counting."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import structlog

from campaign.unsubscribe import Unsubscriptions
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from scheduler import pushes
from scheduler.account_secrets import Opener, Secrets
from scheduler.channels import registry
from scheduler.channels.base import AnyChannel
from scheduler.composer import Composer
from scheduler.counting import Counter
from scheduler.dispatch import Dispatcher
from scheduler.patience import Limits
from scheduler.planner import Planner
from scheduler.quotas import quotas
from scheduler.tokens import SharedTokens
from tracking.attribution import Attributions
from tracking.recorder import Recorder

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """Something done every `seconds`; `stop` asks a long run to end early."""

    name: str
    seconds: float
    run: Callable[[], object]
    stop: Callable[[], None] | None = None


class Outgoing:
    """Everything that carries plans out, put together: planner, dispatcher, counter and their threads."""

    def __init__(
        self,
        planner: Planner,
        dispatcher: Dispatcher,
        counter: Counter,
        *,
        clock: Callable[[], datetime],
        threads: int = 2,
    ) -> None:
        self.planner = planner
        self.dispatcher = dispatcher
        self.counter = counter
        self.clock = clock
        # Threads of its own for each channel: a slow mail server does not hold up the others.
        self._pools = {name: ThreadPoolExecutor(threads, f"push-{name}") for name in dispatcher.channels}
        self._slots: dict[str, list[Future[int] | None]] = {name: [None] * threads for name in self._pools}
        self._lock = threading.Lock()

    def plan(self) -> int:
        """Fire due plans and cut them into batches."""
        return self.planner.tick(self.clock())

    def dispatch(self) -> None:
        """Wake every idle thread of a channel that has something to claim."""
        with self._lock:
            for name in self.dispatcher.waiting() & self._slots.keys():
                slots = self._slots[name]
                for position, running in enumerate(slots):
                    if running is None or running.done():
                        slots[position] = self._pools[name].submit(self._send, name)

    def _send(self, channel: str) -> int:
        try:
            return self.dispatcher.run(channel)
        except Exception:
            log.exception("sending failed; it is tried again", channel=channel)
            return 0

    def tidy(self) -> None:
        """Take batches up from workers that died; clear away what was cancelled while being sent."""
        self.dispatcher.take_up()
        with self.dispatcher.database.reading() as session:
            found = pushes.cancelled_rest(session)
        for push_id in found:
            with self.dispatcher.database.transaction() as session:
                pushes.cancel_rest(session, push_id, self.clock())

    def count(self) -> int:
        """Deposit delivered events."""
        return self.counter.tick()

    def run_once(self) -> int:
        """Plan, send and count once, in this thread; returns how many batches were sent."""
        self.plan()
        self.tidy()
        sent = sum(self.dispatcher.run(name) for name in self.dispatcher.channels)
        while self.count():
            pass
        return sent

    def stop(self) -> None:
        """Let each thread finish the message it is handing over, and end."""
        self.dispatcher.stopping.set()
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)

    def jobs(self) -> list[Job]:
        """The periodic jobs, for the runner."""
        lease = self.dispatcher.limits.lease_seconds
        return [
            Job("push.plan", 1.0, self.plan),
            Job("push.dispatch", 0.5, self.dispatch, self.stop),
            Job("push.tidy", min(5.0, lease / 4), self.tidy),
            Job("push.count", 2.0, self.count),
        ]


def outgoing(
    *,
    settings: Settings,
    database: Database,
    keys: Keys,
    vault: Vault,
    attributions: Attributions,
    recorder: Recorder,
    clock: Callable[[], datetime],
    limits: Limits | None = None,
    channels: Sequence[AnyChannel] = (),
    threads: int = 2,
) -> Outgoing:
    """Put the scheduler together over the objects of a process; `channels` others than the usual ones, `threads` that
    send at a time for each channel."""
    by_name: dict[str, AnyChannel] = {one.name: one for one in channels} or registry.channels(
        clock, SharedTokens(database, vault, clock)
    )
    sizes = {name: channel.batch_size for name, channel in by_name.items()}
    calls = {name: channel.call_size for name, channel in by_name.items()}
    composer = Composer(settings, attributions, Unsubscriptions(keys))
    opener = Opener(settings, Secrets(keys, vault), clock)
    counted = quotas(settings.rate_storage)
    dispatcher = Dispatcher(
        database, by_name, composer, vault, opener, clock=clock, limits=limits, quotas=counted
    )
    counter = Counter(database, recorder, vault, settings)
    return Outgoing(
        Planner(database, settings.zone, sizes, settings.holidays, call_sizes=calls),
        dispatcher,
        counter,
        clock=clock,
        threads=threads,
    )
