"""What the stand-ins share: the inbox, faults on demand, limits that are enforced, and the door to them."""

import json
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule, Submount
from werkzeug.wrappers import Request, Response

_KEPT = 10_000
App = Callable[..., Iterable[bytes]]


class Arrived(NamedTuple):
    """A message as it reached somebody: `app` is the platform's name, `to` an address, device or group."""

    app: str
    to: str
    title: str
    text: str
    link: str = ""
    picture: str = ""
    html: str = ""
    key: str = ""
    at: float = 0.0


class Used(NamedTuple):
    """A limit of a platform and what of it is used."""

    used: int
    times: int
    seconds: float


@dataclass
class Fault:
    """What goes wrong, `times` times (-1: for ever), with calls to a platform.

    kinds: `refused` (connection cut before anything is read), `before` (nothing happens and nothing is answered),
    `silent` (nothing happens, the line is held for `value` seconds and then cut), `after` (it takes effect and is not
    answered), `slow` (it takes effect and is answered after `value` seconds), `broken` (it takes effect, the answer
    is cut in the middle), `garbled` (it takes effect, half of the answer is all there is), `dribble` (it takes effect,
    the answer comes in drops over `value` seconds), `status` (HTTP status `value`, nothing happens), `code` (the
    platform's own error code `value`, nothing happens). `endpoint`: only calls to this one are meant (empty: any).
    """

    kind: str
    value: Any = None
    times: int = 1
    endpoint: str = ""


class StandIn(Protocol):
    """One platform. `rules` are werkzeug rules below `/NAME`; their endpoints come back to `answer`."""

    name: str

    def rules(self) -> Iterable[Rule]:
        """The addresses it answers."""
        ...

    def answer(
        self, sandbox: "Sandbox", endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        """Judge a call as the platform would; messages it accepts go to `sandbox.accept`."""
        ...

    def refuse(self, code: Any) -> Response:
        """The platform's answer with one of its own error codes."""
        ...


@dataclass
class Sandbox:
    """All stand-ins of a process: a WSGI application that is safe to use from many threads.

    `breaches` lists each time a limit was overstepped or a rule of a platform broken: contract tests fail on any.
    """

    clock: Callable[[], float] = time.time
    latency: float = 0.0  # seconds before each answer
    arrived: deque[Arrived] = field(default_factory=lambda: deque(maxlen=_KEPT))
    total: Counter[str] = field(default_factory=Counter)  # accepted messages by app
    calls: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        """Nothing is there yet."""
        self._stand_ins: dict[str, StandIn] = {}
        self._faults: dict[str, list[Fault]] = {}
        self._seen: dict[tuple[str, str, int, float], deque[float]] = {}
        self._map = Map()

    def add(self, stand_in: StandIn) -> None:
        """Have a platform answer below `/NAME`."""
        self._stand_ins[stand_in.name] = stand_in
        self._map.add(Submount(f"/{stand_in.name}", list(stand_in.rules())))

    def stand_in(self, name: str) -> StandIn | None:
        """The platform of this name."""
        return self._stand_ins.get(name)

    def fail(self, name: str, *faults: Fault) -> None:
        """Have the next calls to a platform go wrong, one fault after the other; none: all is well again."""
        with self.lock:
            self._faults[name] = list(faults)

    def accept(self, message: Arrived) -> None:
        """A message has reached somebody."""
        with self.lock:
            self.arrived.append(message._replace(at=message.at or self.clock()))
            self.total[message.app] += 1

    def allows(self, name: str, key: str, times: int, seconds: float) -> bool:
        """Count a call against a limit of a platform; False (and a breach noted) when it is one too many."""
        now = self.clock()
        with self.lock:
            seen = self._seen.setdefault((name, key, times, seconds), deque())
            while seen and seen[0] <= now - seconds:
                seen.popleft()
            if len(seen) >= times:
                self.breaches.append(f"{name}: more than {times} in {seconds:g} s")
                return False
            seen.append(now)
            return True

    def used(self, name: str) -> list[Used]:
        """How much of each limit of a platform is used now, by whoever used most of it."""
        now, most = self.clock(), dict[tuple[int, float], int]()
        with self.lock:
            for (platform, _key, times, seconds), seen in self._seen.items():
                if platform == name:
                    used = sum(at > now - seconds for at in seen)
                    most[times, seconds] = max(used, most.get((times, seconds), 0))
        return [Used(used, times, seconds) for (times, seconds), used in sorted(most.items())]

    def planned(self, name: str) -> list[Fault]:
        """What is still to go wrong with calls to a platform."""
        with self.lock:
            return list(self._faults.get(name, []))

    def breach(self, name: str, what: str) -> None:
        """Note that a rule of a platform was broken."""
        with self.lock:
            self.breaches.append(f"{name}: {what}")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a call."""
        adapter = self._map.bind_to_environ(environ)
        try:
            endpoint, values = adapter.match()
        except HTTPException as error:
            return error(environ, start_response)
        name = environ["PATH_INFO"].split("/")[1]
        stand_in = self._stand_ins.get(name)
        if stand_in is None:
            return NotFound()(environ, start_response)
        with self.lock:
            self.calls[name] += 1
        return self._faulty(stand_in, endpoint, Request(environ), values)(environ, start_response)

    def _faulty(self, stand_in: StandIn, endpoint: str, request: Request, values: Mapping[str, Any]) -> App:
        fault = self._next(stand_in.name, endpoint)
        if self.latency:
            time.sleep(self.latency)
        if fault is None:
            return stand_in.answer(self, endpoint, request, values)
        instead = _instead(stand_in, fault)
        return instead or _afterwards(stand_in.answer(self, endpoint, request, values), fault)

    def _next(self, name: str, endpoint: str) -> Fault | None:
        with self.lock:
            waiting = self._faults.get(name, [])
            if not waiting or waiting[0].endpoint not in ("", endpoint):
                return None
            fault = waiting[0]
            if fault.times > 0:
                fault.times -= 1
                if fault.times == 0:
                    waiting.pop(0)
            return fault


def answered(found: Mapping[str, Any], status: int = 200) -> Response:
    """A JSON object as an answer."""
    text = json.dumps(found, ensure_ascii=False)
    return Response(text, status, content_type="application/json; charset=utf-8")


def told(request: Request) -> dict[str, Any]:
    """The JSON object of a call; empty for whatever is none."""
    try:
        found = json.loads(request.get_data())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _instead(stand_in: StandIn, fault: Fault) -> App | None:
    """What is answered where nothing happens; None where the call takes effect."""
    if fault.kind == "silent":
        time.sleep(float(fault.value))
    if fault.kind in ("refused", "before", "silent"):
        return _cut(b"")
    if fault.kind == "status":
        return Response(status=int(fault.value))
    return stand_in.refuse(fault.value) if fault.kind == "code" else None


def _afterwards(answer: Response, fault: Fault) -> App:
    """What becomes of the answer to a call that took effect."""
    if fault.kind == "after":
        return _cut(b"")
    if fault.kind == "broken":
        return _cut(answer.get_data()[: max(1, len(answer.get_data()) // 2)])
    if fault.kind == "garbled":
        return Response(answer.get_data()[: len(answer.get_data()) // 2], content_type="application/json")
    if fault.kind == "dribble":
        return _dribbled(answer, float(fault.value))
    time.sleep(float(fault.value))
    return answer


def _cut(part: bytes) -> App:
    """An answer that ends in the middle: more is promised than comes."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not part:
            _hang_up(environ)
        start_response(
            "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(part) + 100))]
        )
        return [part]

    return app


def _hang_up(environ: Mapping[str, Any]) -> None:
    """End the connection: the server alone would keep it open, and the caller would wait."""
    line = environ.get("werkzeug.socket")
    if line is not None:
        line.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("as asked for")


def _dribbled(answer: Response, seconds: float) -> App:
    data = answer.get_data()

    def app(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(
            answer.status, [("Content-Type", "application/json"), ("Content-Length", str(len(data)))]
        )

        def drops() -> Iterable[bytes]:
            for byte in data:
                time.sleep(seconds / max(1, len(data)))
                yield bytes([byte])

        return drops()

    return app
