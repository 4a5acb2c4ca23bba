"""A platform that takes many recipients in a call, its channel, and pushes over it.

The channel stands for all that send by calls: it has no rules of its own, and the stand-in recognises keys or does not.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.routing import Rule
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from scheduler.channels.base import Account, Closed, DeliveryError, Message, Rate
from scheduler.channels.base_http import Http
from scheduler.jobs import Outgoing, outgoing
from scheduler.sandbox.core import Arrived, Sandbox
from tests.servers import Silent


@dataclass
class CallChannel:
    """Posts the keys and addresses of a call. Takes the place of the webhook, whose addresses contacts have."""

    name: str = "webhook"
    batch_size: int = 100
    group: int = 10
    idempotent: bool = True
    call_size: int = 10
    rates: tuple[Rate, ...] = ()
    timeout: tuple[float, float] = (5.0, 20.0)

    @contextmanager
    def connect(self, account: Account) -> Iterator["CallLine"]:
        """A kept-alive line."""
        http = Http(self.timeout)
        try:
            yield CallLine(http, account.address)
        finally:
            http.close()


@dataclass
class SingleChannel(CallChannel):
    """The same, one by one: what is handed over has the recipient's own key."""

    group: int = 1
    call_size: int = 1

    @contextmanager
    def connect(self, account: Account) -> Iterator["SingleLine"]:  # type: ignore[override]
        """A kept-alive line."""
        http = Http(self.timeout)
        try:
            yield SingleLine(CallLine(http, account.address))
        finally:
            http.close()


class SingleLine:
    """A line that sends one by one."""

    def __init__(self, line: "CallLine") -> None:
        self._line = line

    def send(self, message: Message) -> str:
        """One post; the reference."""
        (said,) = self._line.send_many(message.key, [message])
        if isinstance(said, DeliveryError):
            raise said
        return said


class CallLine:
    """A line to the platform."""

    def __init__(self, http: Http, address: str) -> None:
        self._http = http
        self._address = address

    def send(self, message: Message) -> str:
        """Messages go in calls."""
        raise AssertionError("a call channel sends by calls")

    def send_many(self, key: str, messages: Sequence[Message]) -> Sequence[str | DeliveryError]:
        """One post; what the platform says of each."""
        assert len({one.link for one in messages}) == 1, "one content for all"
        body: dict[str, Any] = {"key": key, "text": messages[0].text, "to": [one.address for one in messages]}
        body["by"] = os.getpid()
        answer = self._http.post(self._address, body)
        return [_ERRORS[said]() if said in _ERRORS else str(said) for said in answer["results"]]


_ERRORS: dict[str, Callable[[], DeliveryError]] = {
    "refused": lambda: DeliveryError("refused", permanent=True),
    "busy": lambda: DeliveryError("busy"),
    "doubt": lambda: DeliveryError("doubt", unknown=True),
    "gone": lambda: DeliveryError("gone", permanent=True, closes=Closed.gone),
    "withdrawn": lambda: DeliveryError("withdrawn", permanent=True, closes=Closed.withdrawn),
}


@dataclass
class Platform:
    """The stand-in: `says` gives results other than accepted by address; `forgetful` recognises no keys."""

    name: str = "calls"
    says: dict[str, str] = field(default_factory=dict)
    forgetful: bool = False
    limit: tuple[int, float] | None = None
    before: Callable[[int], None] = lambda number: None
    after: Callable[[int], None] = lambda number: None
    calls: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)
    done: dict[str, list[str]] = field(default_factory=dict)
    callers: dict[int, int] = field(default_factory=dict)  # the process that made each call
    lock: threading.RLock = field(default_factory=threading.RLock)

    def rules(self) -> Iterable[Rule]:
        """One address."""
        return [Rule("/send", endpoint="send", methods=["POST"])]

    def answer(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        """Take a call; one whose key was seen changes nothing and is answered as before."""
        assert request.json is not None
        key, to = request.json["key"], tuple(request.json["to"])
        with self.lock:
            self.calls.append((key, to))
            number = len(self.calls)
            self.callers[number] = request.json.get("by", 0)
        self.before(number)
        if self.limit is not None and not sandbox.allows(self.name, "account", *self.limit):
            return Response(status=429)
        with self.lock:
            if self.forgetful or key not in self.done:
                self.done[key] = [self.says.get(one, f"r-{key[:8]}") for one in to]
                self._take(sandbox, request, zip(to, self.done[key], strict=True))
            results = self.done[key]
        self.after(number)
        return Response(_json(results), content_type="application/json")

    def _take(self, sandbox: Sandbox, request: Request, results: Iterable[tuple[str, str]]) -> None:
        for one, said in results:
            if said.startswith("r-") or said == "doubt":
                self.reached[one] += 1
                sandbox.accept(Arrived(self.name, one, "", request.json["text"][:20]))

    def refuse(self, code: Any) -> Response:
        """An error of the whole call."""
        return Response(status=int(code))


def _json(results: list[str]) -> str:
    return '{"results": [' + ", ".join(f'"{one}"' for one in results) + "]}"


@contextmanager
def served(sandbox: Sandbox, name: str = "calls") -> Iterator[str]:
    """The address of a stand-in, answered by threads of this process."""
    server = make_server("127.0.0.1", 0, sandbox, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{name}/send"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def line_over(channel: CallChannel, **more: Any) -> Outgoing:
    """The whole line with the call channel in the place of the webhook."""
    return outgoing(**more, channels=(channel,))
