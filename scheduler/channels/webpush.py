"""Web push to browsers (RFC 8030): encrypted for the subscription (RFC 8291), signed with the institution's VAPID key
(RFC 8292). The address of a recipient is what the browser gave as its subscription, as JSON.

Whoever subscribes chooses the address that is posted to. So it must be of https on its usual port and its host nowhere
inside: that is looked at before, and once more on the line itself before a byte is said, because a name may be answered
differently a moment later.
"""

import base64
import ipaddress
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parseaddr
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02, VapidException
from pywebpush import WebPusher, WebPushException
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from core.i18n import mark
from scheduler.channels.base import Account, Closed, DeliveryError, Field, Message, Rate
from scheduler.channels.base_http import TIMEOUT, Http

NAME = "webpush"
LABEL = mark("浏览器推送")
ADDRESS = ""  # each subscription brings its own
FORM: tuple[Field, ...] = (
    Field("sender", mark("联系邮箱"), mark("推送服务有问题时联系谁，随每次推送告诉它")),
    Field(
        "secret",
        mark("VAPID 私钥"),
        mark("base64url 的 32 字节，不填就由系统生成；换了它，已有的订阅全部作废"),
        secret=True,
        required=False,
    ),
    Field("ttl", mark("离线保留（秒）"), mark("浏览器没开时保留多久"), "86400", required=False),
)
_LARGEST = 3000  # bytes of the payload before it is encrypted; services take 4096 in all
_TRUST = 12 * 3600  # seconds a signature holds; services refuse more than 24 hours
_INSIDE = DeliveryError(mark("订阅的推送地址不是公网的 https 地址。"), permanent=True)


class WebPush:
    """Browsers. The services recognise no keys; a topic has a second message replace one that still waits."""

    name = NAME
    batch_size = 100
    group = 20
    idempotent = False
    call_size = 1
    rates: tuple[Rate, ...] = ()

    def __init__(self, clock: Callable[[], datetime], timeout: tuple[float, float] = TIMEOUT) -> None:
        self._clock = clock
        self._timeout = timeout

    @contextmanager
    def connect(self, account: Account) -> Iterator["WebPushLine"]:
        """Lines to the services, kept alive while a batch goes out."""
        try:
            vapid = Vapid02.from_string("".join(account.secrets[:1]))
        except (ValueError, VapidException) as error:
            raise DeliveryError(
                mark("VAPID 私钥读不懂，请管理员重新生成并填写。"), permanent=True, everyone=True
            ) from error
        http = Guarded(self._timeout, loopback=account.options.get("allow_http") == "1")
        try:
            yield WebPushLine(http, account, vapid, self._clock)
        finally:
            http.close()


class WebPushLine:
    """Lines to the services of the browsers' makers."""

    def __init__(
        self, http: "Guarded", account: Account, vapid: Vapid02, clock: Callable[[], datetime]
    ) -> None:
        self._http = http
        self._account = account
        self._vapid = vapid
        self._clock = clock

    def send(self, message: Message) -> str:
        """Push to one browser; where the service keeps the message meanwhile."""
        subscription, endpoint = _read(message.address)
        self._http.check(endpoint)
        ttl = self._account.options.get("ttl", "")
        headers = {
            **self._signed(endpoint),
            "TTL": ttl if ttl.isdigit() else "86400",
            "Topic": message.key[:32] or "signpost",
            "Urgency": "normal",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
        }
        body = _sealed(subscription, _payload(message))
        answer = self._http.ask("POST", subscription["endpoint"], data=body, headers=headers)
        _judge(answer)
        return urlsplit(answer.headers.get("Location", "")).path[:200]

    def _signed(self, endpoint: SplitResult) -> dict[str, str]:
        contact = parseaddr(self._account.sender)[1]
        claims = {
            "sub": f"mailto:{contact}",
            "aud": f"{endpoint.scheme}://{endpoint.netloc}",
            "exp": int(self._clock().timestamp()) + _TRUST,
        }
        try:
            signed: dict[str, str] = self._vapid.sign(claims)
        except VapidException as error:
            raise DeliveryError(
                mark("浏览器推送要有联系邮箱，请管理员在渠道账号里填写。"), permanent=True, everyone=True
            ) from error
        return signed


class Guarded(Http):
    """Http that reaches nothing inside. `loopback`: nothing but this machine, for the sandbox."""

    def __init__(self, timeout: tuple[float, float] = TIMEOUT, *, loopback: bool = False) -> None:
        super().__init__(timeout)
        self._loopback = loopback
        self._session.mount("https://", _Adapter(self._allows))
        self._session.mount("http://", _Adapter(self._allows))

    def check(self, endpoint: SplitResult) -> None:
        """DeliveryError unless the address and all that its host stands for may be reached."""
        plain = self._loopback and endpoint.scheme == "http"
        if not plain and (endpoint.scheme != "https" or endpoint.port not in (None, 443)):
            raise _INSIDE
        try:
            found = socket.getaddrinfo(endpoint.hostname, endpoint.port or 443, type=socket.SOCK_STREAM)
        except OSError as error:
            raise DeliveryError(mark("找不到订阅的推送服务。")) from error
        if not found or not all(self._allows(str(one[4][0])) for one in found):
            raise _INSIDE

    def _allows(self, text: str) -> bool:
        address = ipaddress.ip_address(text.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address):
            if address.sixtofour or address.teredo or text.lower().startswith("64:ff9b:"):
                return False  # another way to say an address of IPv4
            address = address.ipv4_mapped or address
        return address.is_loopback if self._loopback else address.is_global and not address.is_multicast


class _Adapter(HTTPAdapter):
    """Looks at who is at the other end of a new line before anything is said."""

    def __init__(self, allows: Callable[[str], bool]) -> None:
        self._allowed = allows
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """The pools of `requests`, with lines that are looked at."""
        super().init_poolmanager(*args, **more)
        allowed = self._allowed

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _looked_at(super()._new_conn(), allowed)

        class Tls(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _looked_at(super()._new_conn(), allowed)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = Tls

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}


def _looked_at(line: socket.socket, allowed: Callable[[str], bool]) -> socket.socket:
    if not allowed(str(line.getpeername()[0])):
        line.close()
        raise _INSIDE
    return line


def new_key() -> tuple[str, str]:
    """A VAPID key: the private half for the account, the public half for the pages that subscribe (base64url)."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _text(key.private_numbers().private_value.to_bytes(32, "big")), _public(key)


def public_key(private: str) -> str:
    """The half that a page hands to the browser to subscribe (base64url); ValueError for what is no key."""
    try:
        return _public(Vapid02.from_string(private).private_key)
    except VapidException as error:
        raise ValueError("not a VAPID key") from error


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.UncompressedPoint
    return _text(key.public_key().public_bytes(serialization.Encoding.X962, form))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _read(address: str) -> tuple[dict[str, Any], SplitResult]:
    """The subscription and the address in it; one that cannot be read will never be pushed to."""
    try:
        found = json.loads(address)
        parts = urlsplit(found["endpoint"])
        well = isinstance(found["keys"], dict) and parts.hostname and not parts.username and parts.port != 0
    except (ValueError, TypeError, KeyError, AttributeError):
        well = False
    if not well:
        raise DeliveryError(mark("这个浏览器的订阅读不懂。"), permanent=True, closes=Closed.gone)
    return found, parts


def _payload(message: Message) -> bytes:
    """What the service worker shows (static/js/push_worker.js); the text gives way when it is too long."""
    text = message.summary or message.text.strip()[:300]
    said = {"title": message.subject[:200], "body": text, "link": message.link, "picture": message.picture}
    said |= {"tag": message.key, "lang": message.locale, "stop": message.unsubscribe}
    while len(data := json.dumps(said, ensure_ascii=False).encode()) > _LARGEST and said["body"]:
        said["body"] = said["body"][: len(said["body"]) * 3 // 4]
    if len(data) > _LARGEST:
        raise DeliveryError(mark("推送内容超过 3 kB，请把标题或链接改短。"), permanent=True)
    return data


def _sealed(subscription: dict[str, Any], data: bytes) -> bytes:
    try:
        return bytes(WebPusher(subscription).encode(data)["body"])
    except (WebPushException, ValueError, TypeError, IndexError) as error:
        raise DeliveryError(mark("这个浏览器的订阅读不懂。"), permanent=True, closes=Closed.gone) from error


def _judge(answer: requests.Response) -> None:
    """Services say by status what became of a push; 2xx: they have it, and the browser gets it when it is there."""
    status = answer.status_code
    if status in (200, 201, 202, 204):
        return
    if status in (404, 410):
        raise DeliveryError(mark("这个浏览器已取消订阅。"), permanent=True, closes=Closed.gone)
    if status == 429:
        wait = answer.headers.get("Retry-After", "")
        raise DeliveryError("HTTP 429", retry_after=float(wait) if wait.isdigit() and len(wait) < 7 else 60.0)
    if status >= 500:
        raise DeliveryError(f"HTTP {status}", unknown=status in (502, 504), everyone=True)
    said = {
        401: mark("推送服务不认 VAPID 签名，请管理员核对私钥和服务器时间。"),
        403: mark("这个浏览器是用另一把 VAPID 密钥订阅的，要重新订阅。"),
        413: mark("推送内容太大，推送服务不收。"),
    }
    raise DeliveryError(said.get(status, f"HTTP {status}"), permanent=True, everyone=status == 401)
