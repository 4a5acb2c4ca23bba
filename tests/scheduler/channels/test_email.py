"""What e-mail adds to its contract (tests/scheduler/test_channels.py): lines that are kept, and signatures."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dkim
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from scheduler.channels.base import Account, DeliveryError, Message
from scheduler.channels.email import Email
from tests.scheduler.receivers import ACCEPT, DROP_AFTER, LIMIT, REFUSE, MailReceiver

NOW = datetime(2026, 9, 15, 2, 7, tzinfo=UTC)
MESSAGE = Message(
    key="0123456789abcdef0123456789abcdef",
    address="u1@example.com",
    name="张三",
    subject="退保前，先问一问",
    text="先停一停。\n",
    html="<p>先停一停。</p>",
    link="https://edu.example.com/p/x?a=t",
    unsubscribe="https://edu.example.com/u/token",
)


class Counting(MailReceiver):
    """A mail server that notes by which lines letters came, and the letters as they came."""

    def __init__(self) -> None:
        super().__init__()
        self.peers: list[Any] = []
        self.raw: list[bytes] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.peers.append(session.peer)
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def server() -> Iterator[Counting]:
    made = Counting()
    with made.serve():
        yield made


def account(server: MailReceiver) -> Account:
    return Account("127.0.0.1", server.port, "none", sender="消保部 <edu@example.com>")


def post(channel: Email, where: Account, *messages: Message) -> list[str]:
    with channel.connect(where) as line:
        return [line.send(one) for one in messages]


def test_batches_share_a_line_and_letters_are_called_by_their_message_id(server: Counting) -> None:
    channel = Email(lambda: NOW)
    for _batch in range(3):
        assert post(channel, account(server), MESSAGE) == [f"{MESSAGE.key}@example.com"]
    assert len(server.peers) == 3 and len(set(server.peers)) == 1
    channel.close()


def test_control_without_keeping_each_batch_opens_one(server: Counting) -> None:
    channel = Email(lambda: NOW, kept=0)
    for _batch in range(3):
        post(channel, account(server), MESSAGE)
    assert len(set(server.peers)) == 3


def test_another_password_is_another_line(server: Counting) -> None:
    channel = Email(lambda: NOW)
    post(channel, account(server), MESSAGE)
    post(channel, replace(account(server), secrets=("other",)), MESSAGE)
    assert len(set(server.peers)) == 2
    channel.close()


@pytest.mark.parametrize(
    ("behaviour", "lines"), [(REFUSE, 1), (LIMIT, 2), (DROP_AFTER, 2)], ids=["refused", "limit", "dropped"]
)
def test_a_line_that_is_no_good_is_not_used_again(server: Counting, behaviour: str, lines: int) -> None:
    channel = Email(lambda: NOW, 1.0)
    post(channel, account(server), MESSAGE)
    server.inbox.behave = lambda number, address: behaviour
    with channel.connect(account(server)) as line, pytest.raises(DeliveryError):
        line.send(MESSAGE)
    server.inbox.behave = lambda number, address: ACCEPT
    post(channel, account(server), MESSAGE)
    assert len(set(server.peers)) == lines
    channel.close()


def test_a_fault_in_the_middle_of_a_batch_lets_the_line_go(server: Counting) -> None:
    channel = Email(lambda: NOW)
    with pytest.raises(ZeroDivisionError), channel.connect(account(server)) as line:
        line.send(MESSAGE)
        raise ZeroDivisionError
    post(channel, account(server), MESSAGE)
    assert len(set(server.peers)) == 2
    channel.close()


def test_a_line_that_the_server_ended_meanwhile_is_noticed(server: Counting) -> None:
    channel = Email(lambda: NOW)
    post(channel, account(server), MESSAGE)
    [[(_since, kept)]] = channel._lines._waiting.values()
    assert kept.sock is not None
    kept.sock.shutdown(2)
    assert post(channel, account(server), MESSAGE) == [f"{MESSAGE.key}@example.com"]
    assert len(set(server.peers)) == 2
    channel.close()


def test_a_line_is_not_kept_for_long(server: Counting) -> None:
    channel = Email(lambda: NOW, idle=0.0)
    for _batch in range(2):
        post(channel, account(server), MESSAGE)
    assert len(set(server.peers)) == 2
    channel.close()


def test_threads_never_share_a_line_and_few_are_kept(server: Counting) -> None:
    channel = Email(lambda: NOW, kept=2)
    together = threading.Barrier(6)

    def work(number: int) -> None:
        for batch in range(4):
            with channel.connect(account(server)) as line:
                if batch == 0:
                    together.wait(10)
                for letter in range(3):
                    line.send(replace(MESSAGE, key=f"{number:08x}{batch:08x}{letter:016x}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(server.inbox.effects.values()) == [1] * 72
    assert len(set(server.peers)) >= 6, "six at once had one each"
    assert sum(map(len, channel._lines._waiting.values())) <= 2
    channel.close()


def test_who_lets_the_channel_go_closes_its_lines(server: Counting) -> None:
    channel = Email(lambda: NOW)
    post(channel, account(server), MESSAGE)
    [[(_since, kept)]] = channel._lines._waiting.values()
    del channel
    assert kept.sock is None


@pytest.fixture(scope="module")
def pem() -> tuple[str, bytes]:
    """A key, and the DNS record of its public half."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = b"v=DKIM1; k=rsa; p=" + b"".join(public.splitlines()[1:-1])
    return key.private_bytes(serialization.Encoding.PEM, form, none).decode(), record


SIGNING = {"dkim_domain": "example.com", "dkim_selector": "s1"}


def verifies(raw: bytes, record: bytes) -> bool:
    names = {b"s1._domainkey.example.com.": record}
    return bool(dkim.verify(raw, dnsfunc=lambda name, **more: names.get(name)))


def test_a_letter_is_signed_for_its_domain(server: Counting, pem: tuple[str, bytes]) -> None:
    key, record = pem
    signing = replace(account(server), options=SIGNING, secrets=(key,))
    channel = Email(lambda: NOW)
    post(channel, signing, replace(MESSAGE, text="停一停，" * 400 + "\n.\nFrom me\n"))
    channel.close()
    [raw] = server.raw
    assert verifies(raw, record) and raw.isascii()
    assert b"list-unsubscribe : list-unsubscribe-post" in b" ".join(raw.lower().split())
    for old, new in (
        (b"https://edu.example.com/u/token", b"https://evil.example.com/u/tokn"),
        (b"One-Click", b"One-Clock"),
        (b"Subject: ", b"Subject: Re "),
    ):
        assert old in raw and not verifies(raw.replace(old, new), record), "what was changed is noticed"


def test_without_a_key_nothing_is_signed(server: Counting, pem: tuple[str, bytes]) -> None:
    channel = Email(lambda: NOW)
    post(channel, account(server), MESSAGE)
    channel.close()
    assert b"dkim-signature" not in server.raw[0].lower() and not verifies(server.raw[0], pem[1])


@pytest.mark.parametrize(
    "change",
    [
        {"options": SIGNING, "secrets": ("password",)},
        {"options": {"dkim_domain": "example.com"}},
        {
            "options": SIGNING,
            "secrets": ("-----BEGIN PRIVATE KEY-----\nbroken\n-----END PRIVATE KEY-----\n",),
        },
    ],
    ids=["no key", "half", "broken"],
)
def test_half_a_signature_needs_an_operator(server: Counting, change: dict[str, Any]) -> None:
    where = replace(account(server), **change)
    with pytest.raises(DeliveryError) as caught:
        post(Email(lambda: NOW, kept=0), where, MESSAGE)
    assert caught.value.permanent and caught.value.everyone and not server.raw
