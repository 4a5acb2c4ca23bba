"""Messages of a batch that go out side by side, each on a line of its own; a line is with one of them at a time."""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from scheduler.channels.base import Account, AnyChannel, DeliveryError, Message
from scheduler.settling import Waiting

Outcome = tuple[Waiting, str | DeliveryError | None]
Addressed = tuple[Waiting, Message]


class Abreast:
    """The lines of a batch: the first one is open, others are opened when there is something for them to do.

    A receiver that does not take as many lines as we would like is sent to over those that it took.
    """

    def __init__(
        self,
        channel: AnyChannel,
        account: Account,
        first: Any,
        opened: ExitStack,
        pool: ThreadPoolExecutor | None,
    ) -> None:
        self._channel = channel
        self._account = account
        self._free = deque([first])
        self._opened = opened
        self._pool = pool
        self._lock, self._opening = threading.Lock(), threading.Lock()
        self._broken, self._enough = threading.Event(), threading.Event()

    def send(self, group: Sequence[Addressed]) -> list[Outcome]:
        """Hand a group over, and what came of each; None: not tried, because the line broke before its turn."""
        left, outcomes = iter(group), list[Outcome]()
        if self._pool is None:
            self._drain(left, outcomes)
        else:
            workers = min(len(group), in_flight(self._channel))
            begun = [self._pool.submit(self._drain, left, outcomes) for _ in range(workers)]
            for one in begun:
                one.result()
        return outcomes + [(delivery, None) for delivery, _message in left]

    def _drain(self, left: Iterator[Addressed], outcomes: list[Outcome]) -> None:
        line = self._line()
        if line is None:
            return
        while not self._broken.is_set():
            with self._lock:
                one = next(left, None)
            if one is None:
                break
            delivery, message = one
            try:
                outcomes.append((delivery, line.send(message)))
            except DeliveryError as error:
                if error.everyone:
                    self._broken.set()
                outcomes.append((delivery, error))
        self._free.append(line)

    def _line(self) -> Any:
        """A line that nobody uses, or another one; None when the receiver takes no more of them."""
        try:
            return self._free.popleft()
        except IndexError:
            pass
        with self._opening:
            try:
                open_more = not self._enough.is_set()
                return self._opened.enter_context(self._channel.connect(self._account)) if open_more else None
            except DeliveryError:
                self._enough.set()
                return None


def in_flight(channel: AnyChannel) -> int:
    """How many messages of a batch a channel has on their way at once."""
    return int(getattr(channel, "in_flight", 1))


@contextmanager
def abreast(channel: AnyChannel, account: Account, first: Any) -> Iterator[Abreast]:
    """The lines of one batch, and the threads that they need."""
    count = in_flight(channel)
    with ExitStack() as opened:  # first in, last out: the threads have ended when the lines go
        pool = ThreadPoolExecutor(count, f"push-{channel.name}") if count > 1 else None
        made = Abreast(channel, account, first, opened, pool)
        try:
            yield made
        finally:
            if pool is not None:
                pool.shutdown()
