"""A letter as it goes over the line: commands in one go where the server takes them so, a doubt only after the content."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from scheduler.channels.base import Account, DeliveryError
from scheduler.channels.base_smtp_session import _ended
from scheduler.channels.email import Email
from tests.scheduler.channels.test_email import MESSAGE, NOW

CONTENT = b"Subject: x\r\n\r\nbody\r\n"


@dataclass
class Server:
    """A mail server that answers as it is told, and notes what came and how many commands came together."""

    pipelining: bool = True
    says: dict[str, str] = field(default_factory=dict)
    hangs_up_at: str = ""
    last_words: bytes = b""
    silent: float = 0.0
    port: int = 0
    letters: list[bytes] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    together: list[int] = field(default_factory=list)

    @contextmanager
    def serve(self) -> Iterator["Server"]:
        """Listen for the length of a block."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
            yield self

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                line, _peer = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with line:
            line.sendall(b"220 here\r\n")
            while read := line.recv(1 << 16):
                commands = read.decode().split("\r\n")[:-1]
                self.together.append(len(commands))
                for one in commands:
                    if not self._answer(line, one):
                        return

    def _answer(self, line: socket.socket, command: str) -> bool:
        word = command[:4].upper()
        self.heard.append(word)
        if word == self.hangs_up_at:
            return False
        answer = self.says.get(
            word, {"DATA": "354 go", "EHLO": "250-here\r\n250 8BITMIME"}.get(word, "250 ok")
        )
        if word == "EHLO" and self.pipelining:
            answer = "250-here\r\n250-PIPELINING\r\n250 8BITMIME"
        line.sendall(answer.encode() + b"\r\n")
        if word == "DATA" and answer.startswith("354"):
            content = b""
            while not content.endswith(b"\r\n.\r\n") and content != b".\r\n":
                got = line.recv(1 << 16)
                if not got:
                    return False
                content += got
            self.letters.append(content)
            refused = any(not self.says.get(one, "250").startswith("250") for one in ("MAIL", "RCPT"))
            if self.hangs_up_at == ".":
                line.sendall(self.last_words)
                time.sleep(self.silent)
                return False
            line.sendall(b"554 nobody\r\n" if refused else b"250 taken\r\n")
        return True


Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as open_ones:
        yield lambda **told: open_ones.enter_context(Server(**told).serve())


def post(server: Server, count: int = 1, timeout: float = 2.0) -> list[Any]:
    """What becomes of so many letters over one line."""
    where = Account("127.0.0.1", server.port, "none", sender="消保部 <edu@example.com>")
    channel, found = Email(lambda: NOW, timeout), list[Any]()
    with channel.connect(where) as line:
        for _ in range(count):
            try:
                found.append(line.send(MESSAGE))
            except DeliveryError as error:
                found.append((str(error), error.permanent, error.unknown, error.everyone))
    channel.close()
    return found


@pytest.mark.parametrize(("pipelining", "most"), [(True, 3), (False, 1)])
def test_commands_go_together_where_the_server_takes_them_so(
    serve: Serve, pipelining: bool, most: int
) -> None:
    server = serve(pipelining=pipelining)
    assert post(server, 2) == [f"{MESSAGE.key}@example.com"] * 2
    assert len(server.letters) == 2 and max(server.together) == most


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("says", "permanent", "everyone"),
    [
        ({"RCPT": "550 no such person", "DATA": "503 no recipients"}, True, False),
        ({"RCPT": "450 later"}, False, False),  # and says 354 all the same: it waits for a letter to nobody
        ({"MAIL": "553 not you", "RCPT": "503 first MAIL", "DATA": "503 first MAIL"}, True, True),
        ({"DATA": "552 full"}, True, False),
    ],
)
def test_who_is_refused_before_the_content_gets_nothing_and_the_line_goes_on(
    serve: Serve, pipelining: bool, says: dict[str, str], permanent: bool, everyone: bool
) -> None:
    server = serve(pipelining=pipelining, says=says)
    (_why, *kind), again = post(server, 2)
    assert kind == [permanent, False, everyone], "no doubt before the content is sent"
    assert again[1:] == tuple(kind), "the line is as good as new"
    assert all(one == b".\r\n" for one in server.letters), "nothing but the end of nothing"
    assert server.heard.count("EHLO") == 1


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(("at", "doubt"), [("MAIL", False), ("RCPT", False), ("DATA", False), (".", True)])
def test_a_line_that_breaks_leaves_a_doubt_only_after_the_content(
    serve: Serve, pipelining: bool, at: str, doubt: bool
) -> None:
    server = serve(pipelining=pipelining, hangs_up_at=at)
    (_why, permanent, unknown, everyone), after = post(server, 2)
    assert (permanent, unknown, everyone) == (False, doubt, True)
    assert after[0] == "与邮件服务器的连接已断开。", "nothing more goes over it"


@pytest.mark.parametrize("words", [b"", b"25", b"250-taken\r\n"])
@pytest.mark.parametrize("silent", [0.0, 30.0])
def test_half_an_answer_or_none_in_time_is_a_doubt(serve: Serve, words: bytes, silent: float) -> None:
    server, begun = serve(hangs_up_at=".", last_words=words, silent=silent), time.monotonic()
    ((_why, *kind),) = post(server, timeout=0.5)
    assert kind == [False, True, True] and time.monotonic() - begun < 20


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_server_that_ends_the_session_is_heard(serve: Serve, pipelining: bool) -> None:
    server = serve(pipelining=pipelining, says={"RCPT": "421 that was enough"})
    first, second = post(server, 2)
    assert first == ("SMTP 421", False, False, True) and second[3]
    assert not server.letters


def test_no_address_begins_another_command(serve: Serve) -> None:
    server = serve()
    where = Account("127.0.0.1", server.port, "none", sender="edu@example.com")
    with Email(lambda: NOW).connect(where) as line, pytest.raises(DeliveryError) as refused:
        line.hand_over("u1@example.com>\r\nRCPT TO:<u2@example.com", CONTENT)
    assert refused.value.permanent and "RCPT" not in server.heard


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n.\r\n"),
        (b".a\r\n..b\r\n", b"..a\r\n...b\r\n.\r\n"),
        (b"a.b\r\n", b"a.b\r\n.\r\n"),
        (b"no end", b"no end\r\n.\r\n"),
    ],
)
def test_a_full_stop_ends_nothing_but_the_letter(content: bytes, sent: bytes) -> None:
    assert _ended(content) == sent
