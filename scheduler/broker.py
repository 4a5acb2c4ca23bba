"""Batches on many machines: Celery carries wake-ups to workers, the claims in the database decide as ever.

A message names a channel and nothing else; who takes it sends what can be claimed of that channel for some seconds, by
the same `Dispatcher.run` as a thread. A message that comes twice finds nothing to claim, one that is lost is sent again
by the next look. So the broker holds no state that matters, and nothing personal.
"""

import importlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import structlog

from core.errors import Invalid
from core.i18n import mark
from scheduler.dispatch import Dispatcher

log = structlog.get_logger()

TASK = "push.send"
MOST = 100  # wake-ups of a channel that wait at a time
SLICE = 10.0  # seconds after which a worker lets others have their turn
_VISIBLE = 600  # seconds after which Redis gives a message of a dead worker to another; longer than a batch
_PATIENCE = 4.0
_CONFIG: dict[str, Any] = {
    "result_backend": None,
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_create_missing_queues": False,
    "worker_prefetch_multiplier": 1,
    "worker_enable_remote_control": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_timeout": _PATIENCE,
}


class Broker:
    """The application of Celery, with a queue for each channel: one that is slow fills its own."""

    def __init__(self, url: str, channels: Collection[str]) -> None:
        celery, kombu = _library("celery"), _library("kombu")
        self.queues = {name: kombu.Queue(f"signpost.{name}") for name in channels}
        self.app = celery.Celery("signpost", broker=url, set_as_current=False)
        self.app.conf.update(_CONFIG, task_queues=tuple(self.queues.values()))
        if url.startswith(("redis", "rediss")):
            self.app.conf.broker_transport_options = {
                "visibility_timeout": _VISIBLE, "socket_connect_timeout": _PATIENCE,
            }  # fmt: skip

    def wake(self, ready: Mapping[str, int]) -> int:
        """Send a wake-up for each batch that is ready and has none yet, up to `MOST` of a channel; returns how many."""
        sent = 0
        with self.app.connection_for_write() as connection:
            channel = connection.default_channel
            for name, batches in ready.items():
                if name not in self.queues:
                    continue
                waiting = self.queues[name](channel).queue_declare().message_count
                for _ in range(min(batches, MOST) - waiting):
                    self.app.send_task(
                        TASK, (name,), queue=self.queues[name], connection=connection, retry=False
                    )
                    sent += 1
        return sent

    def work(
        self,
        run: Callable[[str], object],
        *,
        threads: int,
        channels: Sequence[str],
        stop: Callable[[], object],
    ) -> None:
        """Work off wake-ups in so many threads until the process is told to end; `stop` is called when it is.

        What a task has in its hands is finished first; a second signal does not wait.
        """

        def send(channel: str) -> None:
            run(channel)

        self.app.task(send, name=TASK)
        signals = importlib.import_module("celery.signals")
        told = signals.worker_shutting_down.connect(lambda **_: stop(), weak=False)
        worker = self.app.Worker(
            pool="threads", concurrency=threads, queues=[self.queues[name].name for name in channels],
            loglevel="WARNING", quiet=True, without_gossip=True, without_mingle=True, without_heartbeat=True,
        )  # fmt: skip
        try:
            worker.start()
        finally:
            signals.worker_shutting_down.disconnect(told)


class Brokered:
    """Sends by workers of a broker."""

    def __init__(self, dispatcher: Dispatcher, broker: Broker) -> None:
        self._dispatcher = dispatcher
        self.broker = broker
        self._down = False

    def wake(self) -> int:
        """Tell the workers what waits; while the broker is away everything waits, and the log says so once."""
        ready = self._dispatcher.ready()
        if not ready:
            return 0
        try:
            sent = self.broker.wake(ready)
        except Exception as error:  # whatever the transport raises
            if not self._down:
                log.error("the broker does not answer; pushes wait", fault=type(error).__name__)
            self._down = True
            return 0
        self._down = False
        return sent

    def stop(self) -> None:
        """Workers end by themselves."""


def check_installed() -> None:
    """Invalid, with what to do, when Celery is missing."""
    _library("celery")


def _library(name: str) -> Any:
    """Celery is an extra and takes a third of a second to load: only who has a broker does."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Invalid(
            mark("设置了 SIGNPOST_BROKER_URL，却没有安装 Celery。请运行：pip install 'signpost[broker]'。")
        ) from error
