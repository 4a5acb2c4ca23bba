"""What comes back of letters: reports as mail servers write them, complaints, calls of mail services, a mailbox."""

import json
import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from scheduler import bounces
from scheduler.channels.base import Account, Closed, DeliveryError, Receipt

KEY = "0123456789abcdef0123456789abcdef"
OURS = f"{KEY}@example.cn"
Told = tuple[str, str, bool, Closed | None]  # reference, address, failed, closes


def told(receipts: list[Receipt]) -> list[Told]:
    return [
        (one.reference, one.address, one.error is not None, one.error.closes if one.error else None)
        for one in receipts
    ]


def report(*recipients: tuple[str, str, str], reference: str = OURS, whole: bool = True) -> bytes:
    """A report as Postfix writes it (RFC 3464); `recipients`: address, action, status."""
    blocks = "\n".join(
        f"Final-Recipient: rfc822; {address}\nOriginal-Recipient: rfc822;{address}\nAction: {action}\n"
        f"Status: {status}\nRemote-MTA: dns; mx.example.com\n"
        f"Diagnostic-Code: smtp; 550 {status} said the server\n"
        for address, action, status in recipients
    )
    head = f"Message-ID: <{reference}>\nFrom: edu@example.cn\nTo: u1@example.com\nSubject: x\n"
    back = (
        f"Content-Type: message/rfc822\n\n{head}\nbody\n"
        if whole
        else f"Content-Type: text/rfc822-headers\n\n{head}"
    )
    return f"""Return-Path: <>
From: MAILER-DAEMON@mx.example.cn (Mail Delivery System)
To: edu@example.cn
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.cn.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.cn
Arrival-Date: Tue, 15 Sep 2026 10:00:00 +0800

{blocks}
--B
{back}
--B--
""".encode()


def complaint(kind: str = "abuse", recipient: str = "Original-Rcpt-To: <u1@example.com>\n") -> bytes:
    """A complaint as RFC 5965 has it."""
    return f"""From: <abusedesk@example.com>
To: <edu@example.cn>
Subject: FW: x
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--B
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
{recipient}
--B
Content-Type: message/rfc822
Content-Disposition: inline

From: <edu@example.cn>
To: <u1@example.com>
Message-ID: <{OURS}>
Subject: x

body
--B--
""".encode()


GONE, NEVER = (True, Closed.gone), (True, None)


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "head"])
@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [
        ("failed", "5.1.1", GONE),
        ("failed", "5.0.0", GONE),
        ("failed", "5.2.1", GONE),
        ("Failed", "5.1.10", GONE),
        ("failed", "5.2.2", NEVER),  # full
        ("failed", "5.7.1", NEVER),  # what was refused is the letter
        ("failed", "5.4.4", NEVER),
        ("delivered", "2.1.5", (False, None)),
        ("delayed", "4.4.1", None),
        ("failed", "4.4.7", None),
        ("relayed", "2.1.5", None),
        ("delayed", "5.1.1", None),
    ],
)
def test_a_report_of_delivery(action: str, status: str, expected: Any, whole: bool) -> None:
    found = told(bounces.read(report(("u1@example.com", action, status), whole=whole)))
    assert found == ([] if expected is None else [(OURS, "u1@example.com", *expected)])


def test_a_report_about_several() -> None:
    raw = report(
        ("a@example.com", "failed", "5.1.1"),
        ("b@example.com", "delayed", "4.0.0"),
        ("C@example.com", "failed", "5.1.1"),
    )
    assert [one.address for one in bounces.read(raw)] == ["a@example.com", "c@example.com"]


@pytest.mark.parametrize(
    ("kind", "recipient", "address"),
    [
        ("abuse", "Original-Rcpt-To: <u1@example.com>\n", "u1@example.com"),
        ("opt-out", "", "u1@example.com"),
        ("not-spam", "", None),
        ("virus", "", None),
    ],
)
def test_a_complaint(kind: str, recipient: str, address: str | None) -> None:
    found = told(bounces.read(complaint(kind, recipient)))
    closes = Closed.complaint if kind == "abuse" else Closed.withdrawn
    assert found == ([(OURS, address, True, closes)] if address else [])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\x00 no mail",
        b"From: a@b.cn\nSubject: on holiday\n\nI am away.\n",
        report(("u1@example.com", "failed", "5.1.1"), reference="somebody-else@example.com"),
        report(),
        report(("u1@example.com", "failed", "5.1.1"))[:700],
        report(("u1@example.com", "failed", "5.1.1")).replace(b"message/delivery-status", b"text/plain"),
        report(("u1@example.com", "failed", "5.1.1")).replace(b"boundary=", b"xboundary="),
    ],
)
def test_what_is_no_report_of_a_letter_of_ours_closes_nothing(raw: bytes) -> None:
    assert bounces.read(raw) == []


def test_no_mail_whatever_breaks_the_reader() -> None:
    good = report(("u1@example.com", "failed", "5.1.1"))
    lines = good.splitlines(keepends=True)
    for place in range(len(lines)):
        bounces.read(b"".join(lines[:place] + lines[place + 1 :]))
        bounces.read(b"".join([*lines[:place], b"\xe8\xb7\xaf\n", *lines[place:]]))
        bounces.read(good[: place * 20])


SES: dict[str, Any] = {"mail": {"messageId": "0100", "commonHeaders": {"messageId": f"<{OURS}>"}}}
SES_BOUNCE = {
    **SES,
    "notificationType": "Bounce",
    "bounce": {
        "bounceType": "Permanent",
        "bouncedRecipients": [{"emailAddress": "U1@example.com", "status": "5.1.1", "action": "failed"}],
    },
}
SENDGRID = {"email": "u1@example.com", "smtp-id": f"<{OURS}>", "timestamp": 1}
MAILGUN = {"recipient": "u1@example.com", "message": {"headers": {"message-id": OURS}}}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (SES_BOUNCE, GONE),
        ({"Type": "Notification", "Message": json.dumps(SES_BOUNCE)}, GONE),
        ({**SES_BOUNCE, "bounce": {**SES_BOUNCE["bounce"], "bounceType": "Transient"}}, None),
        (
            {**SES, "notificationType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": "u1@example.com"}]}},
            (True, Closed.complaint),
        ),
        ({**SES, "notificationType": "Delivery", "delivery": {"recipients": ["u1@example.com"]}}, (False, None)),
        ([{**SENDGRID, "event": "bounce", "type": "bounce", "status": "5.1.1"}], GONE),
        ([{**SENDGRID, "event": "bounce", "type": "blocked", "status": "5.1.1"}], NEVER),
        ([{**SENDGRID, "event": "deferred"}], None),
        ([{**SENDGRID, "event": "spamreport"}], (True, Closed.complaint)),
        ([{**SENDGRID, "event": "delivered"}], (False, None)),
        ({"event-data": {**MAILGUN, "event": "failed", "severity": "permanent", "delivery-status": {"code": 550}}}, GONE),
        ({"event-data": {**MAILGUN, "event": "failed", "severity": "temporary"}}, None),
        ({"event-data": {**MAILGUN, "event": "complained"}}, (True, Closed.complaint)),
        ({"event-data": {**MAILGUN, "event": "delivered"}}, (False, None)),
        ([{**SENDGRID, "smtp-id": "<other@example.com>", "event": "spamreport"}], None),
        ([1, "x", None, {}, {"event-data": 3}, {"mail": []}], None),
    ],
)  # fmt: skip
def test_a_call_of_a_mail_service(said: Any, expected: Any) -> None:
    found = told(bounces.read_json(json.dumps(said).encode()))
    assert found == ([] if expected is None else [(OURS, "u1@example.com", *expected)])


def test_a_call_without_the_token_is_not_heard() -> None:
    body = json.dumps(SES_BOUNCE).encode()
    account = Account("smtp.example.cn", options={"report_token": "a long one"})
    assert len(bounces.receipts(account, body, {}, {"token": "a long one"})) == 1
    for wrong, query in ((account, {"token": "另一个"}), (account, {}), (Account("x"), {"token": ""})):
        with pytest.raises(DeliveryError):
            bounces.receipts(wrong, body, {}, query)
    with pytest.raises(DeliveryError):
        bounces.receipts(account, b"{", {}, {"token": "a long one"})


class Box:
    """As much of IMAP over TLS as a reader of one folder needs."""

    def __init__(self, home: Path) -> None:
        self.mails: dict[int, bytes] = {}
        self.seen: set[int] = set()
        self.certificate = _certificate(home)

    def answer(self, tag: str, line: str) -> list[bytes]:
        """What is answered to a command."""
        said = f"{tag} OK done\r\n".encode()
        if re.match(r"LOGIN ", line):
            return [said if line == 'LOGIN edu@example.cn "secret"' else f"{tag} NO wrong\r\n".encode()]
        if line.startswith("UID SEARCH UNSEEN"):
            unseen = " ".join(str(number) for number in self.mails if number not in self.seen)
            return [f"* SEARCH {unseen}\r\n".encode(), said]
        if found := re.match(r"UID FETCH (\d+) \(BODY.PEEK", line):
            mail = self.mails[int(found[1])]
            head = f"* 1 FETCH (UID {found[1]} BODY[]<0> {{{len(mail)}}}\r\n".encode()
            return [head, mail, b")\r\n", said]
        if found := re.match(r"UID STORE (\d+) \+FLAGS.SILENT \(\\Seen\)", line):
            self.seen.add(int(found[1]))
        extra = {
            "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n",
            "LOGOUT": b"* BYE\r\n",
            "SELECT": b"* 2 EXISTS\r\n",
        }
        return [extra.get(line.partition(" ")[0], b""), said]

    @contextmanager
    def serve(self) -> Iterator[int]:
        """Listen for the length of a block."""
        box, context = self, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with (
                    context.wrap_socket(self.request, server_side=True) as line,
                    line.makefile("rwb") as file,
                ):
                    file.write(b"* OK ready\r\n")
                    file.flush()
                    for command in file:
                        tag, _space, rest = command.decode().strip().partition(" ")
                        file.writelines(box.answer(tag, rest))
                        file.flush()
                        if rest == "LOGOUT":
                            return

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            yield server.server_address[1]
            server.shutdown()
            thread.join()


def _certificate(home: Path) -> Path:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = home / "certificate.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, form, none)
    )
    return file


def test_without_a_mailbox_nothing_is_read() -> None:
    assert bounces.poll(Account("smtp.example.cn"), lambda receipts: None) == 0


def test_a_mailbox_is_read_once(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.mails = {
        3: report(("u1@example.com", "failed", "5.1.1")).replace(b"\n", b"\r\n"),
        7: b"Subject: on holiday\r\n\r\nI am away.\r\n",
        9: complaint().replace(b"\n", b"\r\n"),
    }
    trusting = ssl.create_default_context(cafile=str(box.certificate))
    with box.serve() as port:
        options = {"imap_host": "localhost", "imap_port": str(port)}
        account = Account("", login="edu@example.cn", secrets=("secret",), options=options)
        got: list[Receipt] = []

        def fail(receipts: list[Receipt]) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            bounces.poll(account, fail, trusting)
        assert not box.seen, "what was not settled is read again"
        assert bounces.poll(account, got.extend, trusting) == 3
        assert [one.error.closes for one in got if one.error] == [Closed.gone, Closed.complaint]
        assert box.seen == {3, 7, 9} and bounces.poll(account, got.extend, trusting) == 0
        wrong = Account("", login="edu@example.cn", secrets=("other",), options=options)
        with pytest.raises(DeliveryError) as caught:
            bounces.poll(wrong, got.extend, trusting)
        assert caught.value.everyone and "secret" not in caught.value.message
        with pytest.raises(DeliveryError):  # a certificate nobody vouches for
            bounces.poll(account, got.extend, ssl.create_default_context())
