"""Who sends the batches that wait: threads of this process. With a broker, workers on any machine (`broker`)."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import structlog

from scheduler.channels.base import AnyChannel
from scheduler.dispatch import Dispatcher

log = structlog.get_logger()


class Senders(Protocol):
    """Those who send what waits."""

    def wake(self) -> object:
        """Have everybody who is idle look for something to claim."""
        ...

    def stop(self) -> None:
        """End; who is sending finishes what is in their hands."""
        ...


class Threads:
    """Threads of its own for each channel: a slow mail server does not hold up the others.

    Where many go in a call there are twice as many as calls that are on their way at a time: while those wait for the
    platform, the others write down what came of theirs and begin the next ones.
    """

    def __init__(self, dispatcher: Dispatcher, threads: int) -> None:
        self._dispatcher = dispatcher
        several = {
            name: threads * (2 if channel.call_size > 1 else 1)
            for name, channel in dispatcher.channels.items()
        }
        self._pools = {name: ThreadPoolExecutor(number, f"push-{name}") for name, number in several.items()}
        self._slots: dict[str, list[Future[int] | None]] = {name: [None] * several[name] for name in several}
        self._lock = threading.Lock()

    def wake(self) -> None:
        """Wake every idle thread of a channel that has something to claim."""
        with self._lock:
            for name in self._dispatcher.ready().keys() & self._slots.keys():
                slots = self._slots[name]
                for position, running in enumerate(slots):
                    if running is None or running.done():
                        slots[position] = self._pools[name].submit(sending, self._dispatcher, name)

    def stop(self) -> None:
        """Let each thread finish the message it is handing over, and end."""
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)


def sending(dispatcher: Dispatcher, channel: str, seconds: float | None = None) -> int:
    """Send what can be claimed of a channel (for so long at most); an error is logged, and the batches wait on."""
    try:
        return dispatcher.run(channel, seconds)
    except Exception:
        log.exception("sending failed; it is tried again", channel=channel)
        return 0


def let_go(channels: Mapping[str, AnyChannel]) -> None:
    """End the lines that channels keep between batches: a server on the other side waits for a word."""
    for one in channels.values():
        close: Callable[[], object] | None = getattr(one, "close", None)
        if close is not None:
            close()
