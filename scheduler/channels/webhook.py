"""Webhook: one signed POST per recipient, with an idempotency key that stays the same when sent again."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

from core.i18n import mark
from scheduler.channels.base import Account, DeliveryError, Field, Message, Rate

NAME = "webhook"
LABEL = mark("接口推送")
ADDRESS = ""
FORM = (
    Field("address", mark("接口网址"), mark("接收方接口的完整网址，以 https:// 开头。")),
    Field("secret", mark("签名密钥"), mark("不填就由系统生成，只显示一次。"), secret=True, required=False),
)
_TIMEOUT = (5.0, 20.0)
_FOR_EVERYONE = (401, 403, 404, 405, 410, 429, 502, 503, 504)
_TEMPORARY = (408, 409, 425, 429)


class Webhook:
    """A receiver of the institution's own. Receivers keep the keys they have seen (the contract of the
    channel), so a post without an answer is simply sent again."""

    name = NAME
    batch_size = 100
    group = 100
    in_flight = 8
    idempotent = True
    call_size = 1
    rates: tuple[Rate, ...] = ()

    def __init__(self, clock: Callable[[], datetime], timeout: tuple[float, float] = _TIMEOUT) -> None:
        self._clock = clock
        self._timeout = timeout

    @contextmanager
    def connect(self, account: Account) -> Iterator["HttpLine"]:
        """A kept-alive line to the receiver."""
        with requests.Session() as session:
            session.trust_env = False  # an address of the institution's own is not asked for through a proxy
            yield HttpLine(session, account, self._clock, self._timeout)


class HttpLine:
    """A kept-alive HTTP connection to one receiver."""

    def __init__(
        self,
        session: requests.Session,
        account: Account,
        clock: Callable[[], datetime],
        timeout: tuple[float, float],
    ) -> None:
        self._session = session
        self._account = account
        self._clock = clock
        self._timeout = timeout

    def send(self, message: Message) -> str:
        """Post one message; judged by status, a redirect is a fault of the address."""
        body = json.dumps(_payload(message), ensure_ascii=False).encode()
        stamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Signpost-Webhook/1",
            "Idempotency-Key": message.key,
            "Signpost-Timestamp": stamp,
            "Signpost-Signature": signatures(self._account.secrets, stamp, body),
        }
        try:
            answer = self._session.post(
                self._account.address,
                data=body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.exceptions.ConnectionError as error:
            raise DeliveryError(mark("连接不上接收方接口。"), everyone=True) from error
        except requests.exceptions.Timeout as error:
            raise DeliveryError(mark("接收方接口没有按时回答。"), everyone=True) from error
        except requests.exceptions.RequestException as error:
            raise DeliveryError(f"HTTP {type(error).__name__}", permanent=True, everyone=True) from error
        _judge(answer, self._clock())
        return answer.headers.get("Signpost-Reference", "")[:200]


def sign(secret: str, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 (hex) over timestamp, a dot and the body: what the receiver computes to compare."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def signatures(secrets: Sequence[str], stamp: str, body: bytes) -> str:
    """One signature per secret, joined by commas: while a secret is replaced, a receiver accepts any of them."""
    return ",".join("v1=" + sign(secret, stamp, body) for secret in secrets)


def _payload(message: Message) -> dict[str, str]:
    return {
        "key": message.key,
        "recipient": message.address,
        "name": message.name,
        "subject": message.subject,
        "text": message.text,
        "link": message.link,
        "unsubscribe": message.unsubscribe,
        "locale": message.locale,
    }


def _judge(answer: requests.Response, now: datetime) -> None:
    """2xx is accepted; 408, 409, 425, 429 and 5xx may pass; the rest is a refusal."""
    status = answer.status_code
    if 200 <= status < 300:
        return
    raise DeliveryError(
        f"HTTP {status}",
        permanent=not (status in _TEMPORARY or status >= 500),
        retry_after=_retry_after(answer.headers.get("Retry-After", ""), now),
        everyone=status in _FOR_EVERYONE or 300 <= status < 400,
    )


def _retry_after(text: str, now: datetime) -> float | None:
    """Seconds of a Retry-After header: a number, or an HTTP date (RFC 9110 §10.2.3)."""
    text = text.strip()
    if text.isdigit() and len(text) < 9:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())
