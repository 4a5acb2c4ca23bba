"""What stand-ins share: a limit is counted and kept, faults come in their order, what was accepted is in the inbox."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import requests
from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from scheduler.sandbox.core import Arrived, Fault, Sandbox
from tests.servers import free_port, listening


class Echo:
    """A platform that says back what it was told, ten times a minute."""

    name = "echo"

    def rules(self) -> Iterable[Rule]:
        return [Rule("/say", endpoint="say", methods=["POST"])]

    def answer(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        if not sandbox.allows(self.name, "all", 10, 60):
            return self.refuse(45009)
        sandbox.accept(Arrived(self.name, "somebody", "", request.get_data(as_text=True)))
        return Response('{"code": 0, "message": "ok"}', content_type="application/json")

    def refuse(self, code: Any) -> Response:
        return Response(f'{{"code": {code}}}', content_type="application/json")


@pytest.fixture
def sandbox() -> Sandbox:
    made = Sandbox(clock=lambda: 1000.0)
    made.add(Echo())
    return made


def test_a_limit_is_kept_and_its_breach_noted(sandbox: Sandbox) -> None:
    port = free_port()
    with listening(sandbox, port):
        answers = [
            requests.post(f"http://127.0.0.1:{port}/echo/say", b"x", timeout=5).json() for _ in range(11)
        ]
    assert [one["code"] for one in answers] == [0] * 10 + [45009]
    assert sandbox.breaches == ["echo: more than 10 in 60 s"]
    assert sandbox.total["echo"] == 10
    sandbox.clock = lambda: 1060.0
    assert sandbox.allows("echo", "all", 10, 60), "a minute later there is room"


def test_faults_come_in_their_order_and_end(sandbox: Sandbox) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}/echo/say"
    faults = [Fault("before"), Fault("after"), Fault("broken"), Fault("status", 503), Fault("code", 7)]
    with listening(sandbox, port):
        sandbox.fail("echo", *faults)
        arrived = []
        for _fault in faults[:3]:
            with pytest.raises(requests.exceptions.RequestException):
                requests.post(address, b"x", timeout=5).json()
            arrived.append(sandbox.total["echo"])
        assert arrived == [0, 1, 2], "a call that is not answered, or half, has taken effect"
        assert requests.post(address, b"x", timeout=5).status_code == 503
        assert requests.post(address, b"x", timeout=5).json() == {"code": 7}
        assert requests.post(address, b"x", timeout=5).json()["code"] == 0
        assert requests.post(f"http://127.0.0.1:{port}/nobody", b"x", timeout=5).status_code == 404
    assert sandbox.total["echo"] == 3
