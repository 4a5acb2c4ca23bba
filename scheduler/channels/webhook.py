"""Webhook: one signed POST per recipient, with an idempotency key that stays the same when sent again."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

from core.i18n import mark
from scheduler.channels.base import About, Account, Closed, DeliveryError, Field, Message, Rate, Receipt

NAME = "webhook"
LABEL = mark("接口推送")
ADDRESS = ""
FORM = (
    Field("address", mark("接口网址"), mark("接收方接口的完整网址，以 https:// 开头。")),
    Field("secret", mark("签名密钥"), mark("不填就由系统生成，只显示一次。"), secret=True, required=False),
)
RECEIVED = b"{}"  # what a receipt is answered with
WHERE = mark("交给接收方：消息到达、打开或退订后，按 docs/webhook.md 用同一密钥签名，回传到这个地址。")
_TIMEOUT = (5.0, 20.0)
_CLOSES = {"refused": Closed.withdrawn, "gone": Closed.gone}
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


def receipts(
    account: Account, body: bytes, headers: Mapping[str, str], _query: Mapping[str, str]
) -> list[Receipt]:
    """What a receiver says later, signed as our posts are: an object or a list of them, with `key`, `recipient` and
    `status` (delivered, failed, opened, refused, gone); DeliveryError for what is not signed or none of this."""
    given = headers.get("Signpost-Signature", "").split(",")
    stamp = headers.get("Signpost-Timestamp", "")
    good = [f"v1={sign(one, stamp, body)}" for one in account.secrets]
    if not any(hmac.compare_digest(one.encode(), each.strip().encode()) for one in good for each in given):
        raise DeliveryError(mark("回调的签名不对，没有理会。"), permanent=True)
    try:
        found = json.loads(body)
        listed = found if isinstance(found, list) else [found]
        return [
            _receipt(str(one["key"]), str(one.get("recipient", "")), str(one["status"])) for one in listed
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DeliveryError(mark("回调的内容读不懂，没有理会。"), permanent=True) from error


def _receipt(key: str, recipient: str, status: str) -> Receipt:
    if status == "delivered":
        return Receipt(key, recipient)
    if status == "opened":
        return Receipt(key, recipient, about=About.opened)
    if status not in ("failed", *_CLOSES):
        raise ValueError(status)
    error = DeliveryError(mark("接收方说没有送到。"), permanent=True, closes=_CLOSES.get(status))
    return Receipt(key, recipient, error, About.person if status == "refused" else About.outcome)


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
    wait = _retry_after(answer.headers.get("Retry-After", ""), now)
    raise DeliveryError(
        f"HTTP {status}",
        permanent=not (status in _TEMPORARY or status >= 500),
        retry_after=0.0 if wait is None and status == 429 else wait,  # a limit, whose end it does not name
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
