"""One contract for every channel, held against real receivers on loopback."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from core.settings import Settings
from core.signing import Keys
from scheduler.account_secrets import derived, mail_server
from scheduler.channels.base import Account, Channel, Connection, DeliveryError, Message
from scheduler.channels.email import Email
from scheduler.channels.webhook import Webhook, _retry_after
from tests.scheduler.receivers import (
    ACCEPT,
    BUSY,
    DROP_AFTER,
    LIMIT,
    REDIRECT,
    REFUSE,
    SILENT_AFTER,
    SILENT_BEFORE,
    Inbox,
    MailReceiver,
    WebhookReceiver,
)
from tests.servers import free_port

MESSAGE = Message(
    key="0123456789abcdef0123456789abcdef",
    address="u1@example.com",
    name="张三",
    subject="退保前，先问一问",
    text="先停一停。\n",
    html="<p>先停一停。</p>",
    link="http://127.0.0.1:8000/p/x?a=t",
    unsubscribe="http://127.0.0.1:8000/u/token",
)
OTHER = replace(MESSAGE, key="f" * 32, address="u2@example.com")


@dataclass
class Bench:
    """A channel, where it points, and what its receiver got."""

    channel: Channel[Connection]
    target: Account
    inbox: Inbox
    nowhere: Channel[Connection]
    nowhere_target: Account

    def behave(self, *behaviours: str) -> None:
        """Behave like this to the first messages in turn, then accept."""
        script = iter(behaviours)
        self.inbox.behave = lambda number, address: next(script, ACCEPT)


@pytest.fixture(params=["email", "webhook"])
def bench(request: pytest.FixtureRequest, settings: Settings, keys: Keys, now: datetime) -> Iterator[Bench]:
    with ExitStack() as stack:
        if request.param == "email":
            mail = stack.enter_context(MailReceiver().serve())
            known = {"smtp_host": "127.0.0.1", "smtp_tls": "none", "mail_from": "消保部 <edu@example.com>"}
            here = settings.model_copy(update={**known, "smtp_port": mail.port})
            gone = settings.model_copy(update={**known, "smtp_port": free_port()})
            post = Email(lambda: now, 0.4)
            yield Bench(post, mail_server(here), mail.inbox, post, mail_server(gone))
        else:
            web = stack.enter_context(WebhookReceiver().serve())
            channel = Webhook(lambda: now, (0.4, 0.4))
            web.secret = "a secret that is long enough"
            there = Account(web.url, secrets=(web.secret,))
            nowhere = Account(f"http://127.0.0.1:{free_port()}/", secrets=("x",))
            yield Bench(channel, there, web.inbox, channel, nowhere)
            assert web.bad_signatures == 0


def _mail_script(bench: Bench, behaviour: str) -> None:
    """Behave so to the first recipient only; a mail server is asked twice per mail."""
    bench.inbox.behave = lambda number, address: behaviour if address == MESSAGE.address else ACCEPT


def test_success(bench: Bench) -> None:
    with bench.channel.connect(bench.target) as line:
        assert isinstance(line.send(MESSAGE), str)
        line.send(OTHER)
    assert bench.inbox.effects == {MESSAGE.key: 1, OTHER.key: 1}
    assert bench.inbox.recipients == {"u1@example.com": 1, "u2@example.com": 1}


def test_permanent_refusal_concerns_one_recipient(bench: Bench) -> None:
    _mail_script(bench, REFUSE)
    with bench.channel.connect(bench.target) as line:
        with pytest.raises(DeliveryError) as caught:
            line.send(MESSAGE)
        assert caught.value.permanent and not caught.value.everyone and not caught.value.unknown
        line.send(OTHER)
    assert bench.inbox.effects == {OTHER.key: 1}


def test_temporary_failure_may_be_tried_again(bench: Bench) -> None:
    _mail_script(bench, BUSY)
    with bench.channel.connect(bench.target) as line:
        with pytest.raises(DeliveryError) as caught:
            line.send(MESSAGE)
        assert not caught.value.permanent and not caught.value.unknown
        line.send(OTHER)
    bench.behave()
    with bench.channel.connect(bench.target) as line:
        line.send(MESSAGE)
    assert bench.inbox.effects == {MESSAGE.key: 1, OTHER.key: 1}


def test_limit_stops_the_batch(bench: Bench) -> None:
    _mail_script(bench, LIMIT)
    with bench.channel.connect(bench.target) as line, pytest.raises(DeliveryError) as caught:
        line.send(MESSAGE)
    assert caught.value.everyone and not caught.value.permanent and not caught.value.unknown
    if bench.channel.name == "webhook":
        assert caught.value.retry_after == 7


@pytest.mark.parametrize("behaviour", [SILENT_BEFORE, SILENT_AFTER, DROP_AFTER])
def test_no_answer_is_never_success_and_never_doubles(bench: Bench, behaviour: str) -> None:
    bench.inbox.silence = 0.8
    _mail_script(bench, behaviour)
    with bench.channel.connect(bench.target) as line, pytest.raises(DeliveryError) as caught:
        line.send(MESSAGE)
    assert not caught.value.permanent
    if not bench.channel.idempotent:
        assert caught.value.unknown, "without keys at the receiver nobody can tell"
        return
    bench.behave()
    with bench.channel.connect(bench.target) as line:
        line.send(MESSAGE)
    assert bench.inbox.effects == {MESSAGE.key: 1}


def test_nobody_listens(bench: Bench) -> None:
    with pytest.raises(DeliveryError) as caught, bench.nowhere.connect(bench.nowhere_target) as line:
        line.send(MESSAGE)
    assert caught.value.everyone and not caught.value.permanent and not caught.value.unknown


def test_an_error_names_no_address(bench: Bench) -> None:
    _mail_script(bench, REFUSE)
    with bench.channel.connect(bench.target) as line, pytest.raises(DeliveryError) as caught:
        line.send(MESSAGE)
    assert "u1" not in caught.value.message


def test_a_mail_is_text_and_html_and_can_be_refused(
    mail: MailReceiver, mail_settings: Settings, now: datetime
) -> None:
    with Email(lambda: now).connect(mail_server(mail_settings)) as line:
        line.send(MESSAGE)
    got = mail.inbox.contents[MESSAGE.key]
    assert got["Message-ID"] == f"<{MESSAGE.key}@example.com>"
    assert got["List-Unsubscribe"] == f"<{MESSAGE.unsubscribe}>"
    assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert got["Subject"] == MESSAGE.subject and "张三" in str(got["To"])
    assert [part.get_content_type() for part in got.iter_parts()] == ["text/plain", "text/html"]
    assert [part["Content-Transfer-Encoding"] for part in got.iter_parts()] == ["8bit", "8bit"]
    assert "先停一停" in got.get_body(("plain",)).get_content()


def test_a_header_cannot_be_smuggled_in(mail: MailReceiver, mail_settings: Settings, now: datetime) -> None:
    with (
        Email(lambda: now).connect(mail_server(mail_settings)) as line,
        pytest.raises(DeliveryError) as caught,
    ):
        line.send(replace(MESSAGE, subject="好\r\nBcc: victim@example.com"))
    assert caught.value.permanent and not mail.inbox.effects


def test_a_line_longer_than_mail_allows_still_arrives(
    mail: MailReceiver, mail_settings: Settings, now: datetime
) -> None:
    long = "停一停，" * 300 + "\n"
    awkward = replace(MESSAGE, text=long, name='张 "三", <b>', subject="长" * 200)
    with Email(lambda: now).connect(mail_server(mail_settings)) as line:
        line.send(awkward)
    got = mail.inbox.contents[MESSAGE.key]
    assert got.get_body(("plain",)).get_content().replace("\r\n", "\n").strip() == long.strip()
    assert got["Subject"] == "长" * 200
    assert [one.display_name for one in got["To"].addresses] == ['张 "三", <b>']
    assert max(map(len, bytes(got).splitlines())) <= 998


def test_a_line_that_begins_with_a_dot_arrives(
    mail: MailReceiver, mail_settings: Settings, now: datetime
) -> None:
    with Email(lambda: now).connect(mail_server(mail_settings)) as line:
        line.send(replace(MESSAGE, text=".\n..先停一停\n"))
        line.send(OTHER)
    assert mail.inbox.contents[MESSAGE.key].get_body(("plain",)).get_content().split() == [".", "..先停一停"]
    assert len(mail.inbox.effects) == 2


def test_mail_needs_a_server_in_the_settings(settings: Settings, now: datetime) -> None:
    with pytest.raises(DeliveryError) as caught, Email(lambda: now).connect(mail_server(settings)):
        pass
    assert caught.value.permanent and caught.value.everyone


def test_a_redirect_is_not_followed(keys: Keys, webhook: WebhookReceiver, now: datetime) -> None:
    script = iter([REDIRECT])
    webhook.inbox.behave = lambda number, address: next(script, ACCEPT)
    channel = Webhook(lambda: now)
    with (
        channel.connect(Account(webhook.url)) as line,
        pytest.raises(DeliveryError, match="HTTP 307") as caught,
    ):
        line.send(MESSAGE)
    assert caught.value.permanent and caught.value.everyone
    assert len(webhook.inbox.attempts) == 1


def test_while_a_secret_is_replaced_both_sign(webhook: WebhookReceiver, now: datetime) -> None:
    webhook.secret = "the secret of before, long enough"
    both = Account(webhook.url, secrets=("the secret of now, long enough", webhook.secret))
    with Webhook(lambda: now).connect(both) as line:
        line.send(MESSAGE)
    assert webhook.bad_signatures == 0
    with Webhook(lambda: now).connect(Account(webhook.url, secrets=("another secret",))) as line:
        line.send(OTHER)
    assert webhook.bad_signatures == 1


def test_an_account_shows_no_secret() -> None:
    assert "hush" not in repr(Account("http://a/", secrets=("hush",)))


def test_every_receiver_of_the_first_releases_has_a_secret_of_its_own(keys: Keys) -> None:
    assert derived(keys, "http://a/") == derived(keys, "http://a/") != derived(keys, "http://b/")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("Tue, 15 Sep 2026 06:31:00 GMT", 60.0), ("soon", None), ("", None), ("-3", None)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert _retry_after(text, datetime(2026, 9, 15, 6, 30, tzinfo=UTC)) == seconds
