"""Receivers on loopback that behave as told: a webhook that recognises keys, a mail server."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from scheduler.channels.webhook import sign
from tests.servers import free_port

ACCEPT, REFUSE, BUSY, LIMIT, REDIRECT, SILENT_BEFORE, SILENT_AFTER, DROP_AFTER = (
    "accept",
    "refuse",
    "busy",
    "limit",
    "redirect",
    "silent before",
    "silent after",
    "drop after",
)


@dataclass
class Inbox:
    """What arrived: every attempt, and what took effect, by idempotency key or Message-ID."""

    attempts: list[str] = field(default_factory=list)
    effects: Counter[str] = field(default_factory=Counter)
    contents: dict[str, Any] = field(default_factory=dict)
    recipients: Counter[str] = field(default_factory=Counter)
    behave: Callable[[int, str], str] = lambda number, address: ACCEPT
    silence: float = 2.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def arrive(self, key: str, address: str) -> str:
        """Note an attempt; how to behave to it."""
        with self.lock:
            self.attempts.append(key)
            number = len(self.attempts)
        return self.behave(number, address)

    def accept(self, key: str, address: str, content: Any) -> None:
        """Let it take effect."""
        with self.lock:
            self.effects[key] += 1
            self.recipients[address] += 1
            self.contents[key] = content


class WebhookReceiver:
    """An HTTP receiver that keeps the keys it has seen; `forgetful` takes that guard away."""

    def __init__(self, *, forgetful: bool = False) -> None:
        self.inbox = Inbox()
        self.forgetful = forgetful
        self.secret = ""
        self.bad_signatures = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(self, body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/messages"

    def take(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        """Judge one post."""
        payload, key = json.loads(body), handler.headers["Idempotency-Key"]
        stamp = handler.headers["Signpost-Timestamp"]
        given = handler.headers["Signpost-Signature"].split(",")
        if self.secret and "v1=" + sign(self.secret, stamp, body) not in given:
            self.bad_signatures += 1
        behaviour = self.inbox.arrive(key, payload["recipient"])
        if behaviour == SILENT_BEFORE:
            time.sleep(self.inbox.silence)
            handler.close_connection = True
            return
        if behaviour in (ACCEPT, SILENT_AFTER, DROP_AFTER) and (
            self.forgetful or not self.inbox.effects[key]
        ):
            self.inbox.accept(key, payload["recipient"], payload)
        if behaviour == SILENT_AFTER:
            time.sleep(self.inbox.silence)
        if behaviour in (SILENT_AFTER, DROP_AFTER):
            handler.close_connection = True
            return
        status = {ACCEPT: 202, REFUSE: 422, BUSY: 500, LIMIT: 429, REDIRECT: 307}[behaviour]
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        handler.send_header("Signpost-Reference", f"r-{key[:8]}")
        if behaviour == LIMIT:
            handler.send_header("Retry-After", "7")
        if behaviour == REDIRECT:
            handler.send_header("Location", self.url)
        handler.end_headers()

    @contextmanager
    def serve(self) -> Iterator["WebhookReceiver"]:
        """Listen for the length of a block."""
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
            thread.join()


class MailReceiver:
    """An SMTP server; it has no memory for what came before, as mail servers have none."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.port = free_port()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse for good, for now, or take."""
        behaviour = self.inbox.behave(len(self.inbox.attempts) + 1, address)
        answers = {REFUSE: "550 no such person", BUSY: "450 try later", LIMIT: "452 too many for now"}
        if behaviour in answers:
            self.inbox.arrive("", address)
            return answers[behaviour]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take the mail, before or after or without answering."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        key, address = mail["Message-ID"].strip("<>").partition("@")[0], envelope.rcpt_tos[0]
        behaviour = self.inbox.arrive(key, address)
        if behaviour == SILENT_BEFORE:
            await asyncio.sleep(self.inbox.silence)
            return "451 too late"
        self.inbox.accept(key, address, mail)
        if behaviour == SILENT_AFTER:
            await asyncio.sleep(self.inbox.silence)
        if behaviour == DROP_AFTER and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return "250 taken"

    @contextmanager
    def serve(self) -> Iterator["MailReceiver"]:
        """Listen for the length of a block."""
        controller = Controller(self, hostname="127.0.0.1", port=self.port)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()
