"""The relay to whatever Apprise knows: yes is unconfirmed, no is a failure, and nobody waits seconds in between."""

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from scheduler.channels.apprise_relay import UNCONFIRMED, Apprise
from scheduler.channels.base import Account, DeliveryError, Message
from tests.servers import free_port, listening

# a library of its own age loads a module that Python is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

MESSAGE = Message(
    key="0" * 32,
    address="group one",
    name="",
    subject="退保前，先问一问",
    text="先停一停。",
    html="",
    link="https://edu.example.cn/p/x?a=t",
    unsubscribe="",
)


class Service:
    """A service of somebody's own that takes JSON, as Apprise posts it."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self.silence = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        time.sleep(self.silence)
        if self.status == 200:
            self.got.append((request.path, json.loads(request.get_data())))
        return Response(status=self.status)(environ, start_response)


@pytest.fixture
def service() -> Iterator[tuple[Service, str]]:
    made, port = Service(), free_port()
    with listening(made, port):
        yield made, f"json://127.0.0.1:{port}"


def send(address: str, *messages: Message, patience: float = 5.0) -> list[str]:
    channel = Apprise(lambda: datetime(2026, 9, 15, tzinfo=UTC), (patience, patience))
    with channel.connect(Account("", secrets=(address,))) as line:
        return [line.send(one) for one in messages]


def test_what_was_taken_is_unconfirmed(service: tuple[Service, str]) -> None:
    taken, address = service
    assert send(f"{address}/{{address}}", *[MESSAGE] * 2) == [UNCONFIRMED] * 2
    path, said = taken.got[-1]
    assert path.rstrip("/") == "/group one" and said["title"] == MESSAGE.subject
    assert MESSAGE.text in said["message"] and MESSAGE.link in said["message"]


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "control"])
def test_its_own_pauses_are_off(service: tuple[Service, str], ours: bool) -> None:
    with Apprise(lambda: datetime(2026, 9, 15, tzinfo=UTC)).connect(
        Account("", secrets=(service[1],))
    ) as line:
        target = line._target(MESSAGE)
    if not ours:
        target.request_rate_per_sec = 0.4  # 5.5 as it comes
    target.throttle()
    began = time.monotonic()
    target.throttle()
    assert (time.monotonic() - began < 0.2) is ours


@pytest.mark.parametrize("status", [400, 403, 500])
def test_no_is_a_failure_and_no_doubt(service: tuple[Service, str], status: int) -> None:
    service[0].status = status
    with pytest.raises(DeliveryError) as caught:
        send(service[1], MESSAGE)
    assert not caught.value.unknown and not caught.value.permanent


def test_a_silence_is_over_in_time(service: tuple[Service, str]) -> None:
    service[0].silence = 0.6
    with pytest.raises(DeliveryError):
        send(service[1], MESSAGE, patience=0.2)


@pytest.mark.parametrize("address", ["", "nonsense", "nosuch://x", "syslog://", "dbus://"])
def test_an_address_that_is_none_needs_an_operator(address: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        send(address, MESSAGE)
    assert caught.value.permanent and caught.value.everyone


def test_a_recipient_without_an_address_concerns_nobody_else(service: tuple[Service, str]) -> None:
    with pytest.raises(DeliveryError) as caught:
        send(service[1] + "/{address}", replace(MESSAGE, address=""))
    assert caught.value.permanent and not caught.value.everyone and not service[0].got


def test_without_the_library_an_operator_is_told_what_to_install() -> None:
    channel = Apprise(lambda: datetime(2026, 9, 15, tzinfo=UTC), library="apprise_that_is_not_there")
    with pytest.raises(DeliveryError, match=r"signpost\[apprise\]") as caught, channel.connect(Account("")):
        pass
    assert caught.value.permanent and caught.value.everyone


def test_it_logs_no_address(service: tuple[Service, str], caplog: pytest.LogCaptureFixture) -> None:
    service[0].status = 500
    with caplog.at_level(logging.NOTSET), pytest.raises(DeliveryError):
        send(f"{service[1]}/secret-of-a-group", MESSAGE)
    assert not [one for one in caplog.records if one.name.startswith("apprise")]
