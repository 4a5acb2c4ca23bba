"""Stand-ins call back as their platforms do: what waits is posted to the address that was typed in, and again when the
answer is not the one the platform wants. What a platform tries out first (a greeting) is tried out first.
"""

import http.client
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable
from urllib.parse import urlencode, urlsplit

from scheduler.sandbox.core import Sandbox

_TRIES = 3
_HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass
class Callback:
    """A call that waits to be made; `wanted` must be in its answer, with 200, or it is made again."""

    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    wanted: bytes = b""
    tries: int = 0


@runtime_checkable
class CallsBack(Protocol):
    """A stand-in that has something to tell later."""

    def waiting(self, sandbox: Sandbox) -> Sequence[Callback]:
        """What it has to tell, signed; then none of it waits there any more."""
        ...


@runtime_checkable
class Greets(Protocol):
    """A stand-in that tries an address out before it is used."""

    def greeting(self, sandbox: Sandbox) -> Callback:
        """The query to ask with and the answer that is wanted."""
        ...


@dataclass
class Caller:
    """Calls the addresses of `to` (by the stand-in's name). `told` counts calls that were answered as wanted, `lost`
    those that were given up."""

    sandbox: Sandbox
    to: dict[str, str] = field(default_factory=dict)
    told: int = 0
    lost: int = 0
    _queues: dict[str, list[Callback]] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def use(self, name: str, address: str) -> bool:
        """Call this address from now on; False when it does not answer the greeting, and nothing is called."""
        if urlsplit(address).hostname not in _HOSTS:
            return False  # the sandbox speaks to this machine alone
        stand_in = self.sandbox.stand_in(name)
        if isinstance(stand_in, Greets):
            asked = stand_in.greeting(self.sandbox)
            status, said = _ask("GET", address, asked)
            if status != 200 or said != asked.wanted:
                return False
        if not isinstance(stand_in, CallsBack):
            return False
        self.to[name] = address
        return True

    def run_once(self) -> int:
        """Make every call that waits once; returns how many were answered as wanted."""
        done = 0
        for name, address in list(self.to.items()):
            stand_in, queue = self.sandbox.stand_in(name), self._queues.setdefault(name, [])
            if isinstance(stand_in, CallsBack):
                queue += stand_in.waiting(self.sandbox)
            done += sum(self._called(address, one) for one in queue)
            self.lost += sum(one.tries >= _TRIES for one in queue)
            self._queues[name] = [one for one in queue if 0 <= one.tries < _TRIES]
        self.told += done
        return done

    def _called(self, address: str, one: Callback) -> bool:
        try:
            status, said = _ask("POST", address, one)
        except OSError:
            status, said = 0, b""
        good = status == 200 and one.wanted in said
        one.tries = -1 if good else one.tries + 1
        return good

    def start(self, seconds: float = 1.0) -> threading.Thread:
        """Call in a thread of its own until `stop`."""
        thread = threading.Thread(target=self._run, args=(seconds,), daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Call no more."""
        self._ended.set()

    def _run(self, seconds: float) -> None:
        while not self._ended.wait(seconds):
            self.run_once()


def _ask(method: str, address: str, one: Callback) -> tuple[int, bytes]:
    parts = urlsplit(address)
    query = "&".join(filter(None, [parts.query, urlencode(one.query)]))
    line = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
    try:
        target = f"{parts.path}?{query}" if query else parts.path
        headers = {"Content-Type": one.media_type} if method == "POST" else {}
        line.request(method, target, one.body if method == "POST" else None, headers)
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()
