"""The periodic jobs of the scheduler: plans, sending, leases, counting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from campaign.unsubscribe import Unsubscriptions
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from scheduler import pushes
from scheduler.account_secrets import Opener, Secrets
from scheduler.broker import Broker, Brokered
from scheduler.channels import registry
from scheduler.channels.base import AnyChannel
from scheduler.composer import Composer
from scheduler.counting import Counter
from scheduler.dispatch import Dispatcher
from scheduler.patience import Limits
from scheduler.planner import Planner
from scheduler.quotas import quotas
from scheduler.tokens import SharedTokens
from scheduler.worker import Senders, Threads, let_go
from tracking.attribution import Attributions
from tracking.recorder import Recorder


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
        senders: Senders,
    ) -> None:
        self.planner = planner
        self.dispatcher = dispatcher
        self.counter = counter
        self.clock = clock
        self.senders = senders

    def plan(self) -> int:
        """Fire due plans and cut them into batches."""
        return self.planner.tick(self.clock())

    def dispatch(self) -> None:
        """Wake those who send: threads of this process, or the workers of the broker."""
        self.senders.wake()

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
        """Let each thread finish what it is handing over and give its batch back; end the lines that are kept."""
        self.dispatcher.stopping.set()
        self.senders.stop()
        let_go(self.dispatcher.channels)

    def jobs(self) -> list[Job]:
        """The periodic jobs, for the runner."""
        return [Job("push.plan", 1.0, self.plan), *self.sending_jobs(), Job("push.count", 2.0, self.count)]

    def sending_jobs(self) -> list[Job]:
        """Those of a process that sends and does nothing else."""
        lease = self.dispatcher.limits.lease_seconds
        return [
            Job("push.dispatch", 0.5, self.dispatch, self.stop),
            Job("push.tidy", min(5.0, lease / 4), self.tidy),
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
    threads: int | None = None,
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
    threads = threads or settings.push_threads
    dispatcher = Dispatcher(
        database, by_name, composer, vault, opener, clock=clock, limits=limits, quotas=counted, threads=threads
    )  # fmt: skip
    counter = Counter(database, recorder, vault, settings)
    planner = Planner(database, settings.zone, sizes, settings.holidays, call_sizes=calls)
    senders: Senders = (
        Brokered(dispatcher, Broker(settings.broker_url, by_name))
        if settings.broker_url
        else Threads(dispatcher, threads)
    )
    return Outgoing(planner, dispatcher, counter, clock=clock, senders=senders)
