"""Web push: the contract, and that nobody has us post to something inside."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from scheduler.channels.base import Account, Closed, DeliveryError, Message
from scheduler.channels.base_http import Http
from scheduler.channels.webpush import Guarded, WebPush, new_key, public_key
from scheduler.sandbox.core import Arrived
from scheduler.sandbox.webpush import CONTACT, KEY, NAME, subscription
from scheduler.sandbox.webpush import WebPush as StandIn
from tests.scheduler.channels.suite import Bench, Case, Clock, Contract, Said

GONE = Said(permanent=True, closes=Closed.gone)
REFUSED = Said(permanent=True)


def message(address: str) -> Message:
    return Message(
        key="0" * 32,
        address=address,
        name="",
        subject="退保前，先问一问",
        text="先停一停。",
        html="",
        link="https://edu.example.cn/p/x?a=t",
        unsubscribe="",
        summary="先停一停，再决定。",
    )


def account(options: dict[str, str] | None = None) -> Account:
    return Account(
        "", sender=CONTACT.removeprefix("mailto:"), secrets=(KEY,), options=options or {"allow_http": "1"}
    )


def browser(one: Message) -> str:
    return str(json.loads(one.address)["endpoint"]).rpartition("/")[2]


class TestWebPush(Contract):
    """A push service, held against what the RFCs ask of it."""

    @pytest.fixture
    def case(self) -> Case:
        return Case(
            channel=lambda clock, patience: WebPush(clock, (patience, patience)),
            stand_in=StandIn,
            account=lambda url: account(),
            messages=lambda url: [message(subscription(url, name)) for name in ("b1", "b2")],
            shown=lambda one: Arrived(NAME, browser(one), one.subject, one.summary, one.link),
            codes={
                400: REFUSED,
                401: Said(permanent=True, everyone=True),
                403: REFUSED,
                404: GONE,
                410: GONE,
                413: REFUSED,
                429: Said(retry_after=7.0),
            },
            refused=lambda url: [
                (message(subscription(url, "gone1")), GONE),
                (message("{}"), GONE),
                (message('{"endpoint": "http://127.0.0.1/x", "keys": {"p256dh": "AA", "auth": "AA"}}'), GONE),
            ],
            deadline=False,  # an answer without a body has no drops
        )

    @pytest.mark.parametrize(("kind", "value"), [("after", None), ("slow", 0.6), ("broken", None)])
    def test_no_answer_but_it_arrived(self, bench: Bench, kind: str, value: Any) -> None:
        """A service answers by status and says nothing else: half of nothing is no doubt."""
        super().test_no_answer_but_it_arrived(bench, kind, value)

    def test_a_long_text_gives_way(self, bench: Bench) -> None:
        [one] = bench.messages[:1]
        assert isinstance(bench.send([replace(one, summary="停" * 5000)])[0], str)
        assert 500 < len(bench.arrived()[0].text) < 1000
        [error] = bench.send([replace(one, link="https://edu.example.cn/" + "x" * 3000)])
        assert isinstance(error, DeliveryError) and error.permanent

    def test_a_browser_that_subscribed_with_another_key_is_not_reached(self, bench: Bench) -> None:
        one = bench.messages[:1]
        assert isinstance(bench.send(one)[0], str)
        other = replace(account(), secrets=(new_key()[0],))
        with WebPush(bench.clock).connect(other) as line, pytest.raises(DeliveryError) as caught:
            line.send(one[0])
        assert caught.value.permanent and not caught.value.everyone

    def test_a_signature_of_another_day_is_refused(self, bench: Bench) -> None:
        bench.breaking = True
        late = Clock()
        late.forward(-13 * 3600)
        [error] = bench.send(bench.messages[:1], WebPush(late))
        assert isinstance(error, DeliveryError) and error.everyone and error.permanent


def test_keys() -> None:
    private, public = new_key()
    assert public_key(private) == public and len(public) == 87 and len(private) == 43
    with pytest.raises(ValueError, match="key"):
        public_key("nonsense")


def test_an_account_without_a_key_or_a_contact_needs_an_operator() -> None:
    with pytest.raises(DeliveryError) as caught, WebPush(Clock()).connect(Account("", secrets=("x",))):
        pass
    assert caught.value.permanent and caught.value.everyone
    bare = replace(account(), sender="")
    with WebPush(Clock()).connect(bare) as line, pytest.raises(DeliveryError) as caught:
        line.send(message(subscription("http://127.0.0.1:9/webpush", "b1")))
    assert caught.value.permanent and caught.value.everyone


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.com/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://2130706433/x",
        "https://0.0.0.0/x",
        "https://10.1.2.3/x",
        "https://172.16.0.1/x",
        "https://192.168.1.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/x",
        "https://[::1]/x",
        "https://[fe80::1]/x",
        "https://[fd00::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[64:ff9b::7f00:1]/x",
        "https://[2002:7f00:1::]/x",
        "https://8.8.8.8:8443/x",
        "ftp://8.8.8.8/x",
        "file:///etc/passwd",
    ],
)
def test_an_address_inside_is_never_posted_to(endpoint: str) -> None:
    refused(endpoint, {"ttl": "60"})


@pytest.mark.parametrize("endpoint", ["http://10.1.2.3/x", "https://8.8.8.8/x", "http://169.254.169.254/x"])
def test_the_sandbox_is_on_this_machine(endpoint: str) -> None:
    refused(endpoint, {"allow_http": "1"})


def refused(endpoint: str, options: dict[str, str]) -> None:
    address = json.dumps({**json.loads(subscription("https://x", "b1")), "endpoint": endpoint})
    channel, where = WebPush(Clock(), (0.3, 0.3)), account(options)
    with channel.connect(where) as line, pytest.raises(DeliveryError) as caught:
        line.send(message(address))
    assert caught.value.permanent and "127" not in caught.value.message


@contextmanager
def heard() -> Iterator[tuple[int, list[bytes]]]:
    """Somebody inside who hears what is said to them."""
    said: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hear() -> None:
            line, _address = server.accept()
            line.settimeout(0.3)
            with line:
                try:
                    said.append(line.recv(1000))
                except OSError:
                    said.append(b"")

        thread = threading.Thread(target=hear)
        thread.start()
        yield server.getsockname()[1], said
        thread.join(5)


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_a_name_that_changes_its_mind_hears_nothing(guarded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good when it is looked at, inside when it is called: the line itself is looked at before a byte is said."""
    with heard() as (port, said):
        answers = iter(["93.184.216.34"])
        real = socket.getaddrinfo

        def resolve(host: Any, wanted: Any, *args: Any, **more: Any) -> Any:
            if host == "push.example.com":
                return real(next(answers, "127.0.0.1"), port, *args, **more)
            return real(host, wanted, *args, **more)

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        address = json.dumps(
            {**json.loads(subscription("https://x", "b1")), "endpoint": "https://push.example.com/x"}
        )
        if not guarded:
            monkeypatch.setattr(Guarded, "_allows", lambda self, text: True)
        channel = WebPush(Clock(), (1.0, 0.3))
        with channel.connect(account({"ttl": "60"})) as line, pytest.raises(DeliveryError) as caught:
            line.send(message(address))
    assert bool(said[0]) is not guarded, "a hello of TLS is heard only where nobody looks"
    assert caught.value.permanent is guarded and isinstance(Guarded(), Http)
