"""The mail server of the sandbox shows letters as they came and refuses whom it should."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from scheduler.channels.base import Account, DeliveryError, Message
from scheduler.channels.email import Email
from scheduler.sandbox.core import Sandbox
from scheduler.sandbox.mail import Mail
from tests.servers import free_port

NOW = datetime(2026, 9, 15, 2, 7, tzinfo=UTC)
MESSAGE = Message(
    key="0123456789abcdef0123456789abcdef",
    address="u1@example.com",
    name="张三",
    subject="退保前，先问一问",
    text="先停一停：https://edu.example.cn/p/x?a=t\n",
    html="<p>先停一停。</p>",
    link="https://edu.example.cn/p/x?a=t",
    unsubscribe="https://edu.example.cn/u/token",
)


@pytest.fixture
def served() -> Iterator[tuple[Sandbox, Account]]:
    sandbox, port = Sandbox(clock=lambda: 1000.0), free_port()
    with Mail(sandbox).listening(port):
        yield sandbox, Account("127.0.0.1", port, "none", sender="edu@example.cn")


def test_a_letter_is_shown(served: tuple[Sandbox, Account]) -> None:
    sandbox, account = served
    with Email(lambda: NOW, kept=0).connect(account) as line:
        line.send(MESSAGE)
    [shown] = sandbox.arrived
    assert (shown.app, shown.to, shown.title) == ("email", MESSAGE.address, MESSAGE.subject)
    assert (shown.text.strip(), shown.html.strip()) == (MESSAGE.text.strip(), MESSAGE.html)
    assert shown.link == MESSAGE.link and shown.key == f"{MESSAGE.key}@example.cn" and shown.at == 1000.0
    assert sandbox.breaches == []


@pytest.mark.parametrize(("name", "permanent"), [("gone1", True), ("full1", True), ("busy1", False)])
def test_whom_it_refuses(served: tuple[Sandbox, Account], name: str, permanent: bool) -> None:
    sandbox, account = served
    with Email(lambda: NOW, kept=0).connect(account) as line:
        with pytest.raises(DeliveryError) as caught:
            line.send(replace(MESSAGE, address=f"{name}@example.com"))
        line.send(MESSAGE)
    assert caught.value.permanent is permanent and len(sandbox.arrived) == 1


def test_a_letter_that_breaks_a_rule_is_noted(served: tuple[Sandbox, Account]) -> None:
    sandbox, account = served
    bare = b"Message-ID: <a@b>\r\nSubject: x\r\nList-Unsubscribe: <https://x>\r\n\r\nbody\r\n"
    with Email(lambda: NOW, kept=0).connect(account) as line:
        line.hand_over("u1@example.com", bare)
        with pytest.raises(DeliveryError):
            line.hand_over("u1@example.com", b"Subject: x\r\n\r\nbody\r\n")
    assert len(sandbox.breaches) == 2
