"""A push service of a browser's maker, and the browsers behind it: RFC 8030, 8188, 8291 and 8292.

The key of a browser is made from its name, so that a subscription can be handed to whoever asks. Browsers whose name
begins with `gone` have unsubscribed.
"""

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from scheduler.sandbox.core import Arrived, Sandbox

NAME = "webpush"
KEY = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"  # a VAPID private key of no value
CONTACT = "mailto:push@example.cn"
_CURVE = ec.SECP256R1()


class WebPush:
    """The service. Subscriptions are bound to the key that pushed first, as a browser binds them (RFC 8292 §4)."""

    name = NAME

    def __init__(self) -> None:
        self._bound: dict[str, str] = {}

    def rules(self) -> Iterable[Rule]:
        """The addresses of browsers."""
        return [Rule("/send/<browser>", endpoint="send", methods=["POST"])]

    def answer(
        self, sandbox: Sandbox, endpoint: str, request: Request, values: Mapping[str, Any]
    ) -> Response:
        """One message: who it is from, how long it is kept, and whether the browser can read it."""
        browser, body = values["browser"], request.get_data()
        status, breach = self._judged(sandbox, browser, request)
        if breach:
            sandbox.breach(self.name, breach)
        if status:
            return self.refuse(status)
        try:
            said = json.loads(opened(browser, body))
        except (ValueError, InvalidTag):
            sandbox.breach(self.name, "the browser cannot read it")
            return Response(status=201)
        sandbox.accept(
            Arrived(self.name, browser, said["title"], said["body"], said["link"], said.get("picture", ""))
        )
        return Response(status=201, headers={"Location": f"{request.host_url}message/{uuid.uuid4().hex}"})

    def _judged(self, sandbox: Sandbox, browser: str, request: Request) -> tuple[int, str]:
        """The status of a refusal (0: none), and the rule that was broken."""
        signer = _signer(request, sandbox.clock())
        if browser.startswith("gone"):
            return 410, ""
        if not signer:
            return 401, "a signature that is none"
        if not request.headers.get("TTL", "").isdigit():
            return 400, "no TTL"
        if len(request.get_data()) > 4096:
            return 413, "too large"
        with sandbox.lock:
            return (403, "") if self._bound.setdefault(browser, signer) != signer else (0, "")

    def refuse(self, code: Any) -> Response:
        """The status of a refusal."""
        return Response(status=int(code), headers={"Retry-After": "7"} if code == 429 else {})


def subscription(url: str, browser: str) -> str:
    """What a browser gives to a page that subscribes it, as JSON; `url` is where this stand-in answers."""
    keys = {"p256dh": _text(_point(_private(browser).public_key())), "auth": _text(_secret(browser))}
    return json.dumps({"endpoint": f"{url}/send/{browser}", "expirationTime": None, "keys": keys})


def opened(browser: str, body: bytes) -> bytes:
    """Decrypt as a browser does (RFC 8188 §2, RFC 8291 §3.4): one record of aes128gcm."""
    salt, length = body[:16], body[20]
    sender = body[21 : 21 + length]
    private = _private(browser)
    shared = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, sender))
    info = b"WebPush: info\x00" + _point(private.public_key()) + sender
    key = _hkdf(_secret(browser), shared, info, 32)
    content = _hkdf(salt, key, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _hkdf(salt, key, b"Content-Encoding: nonce\x00", 12)
    padded = AESGCM(content).decrypt(nonce, body[21 + length :], None).rstrip(b"\x00")
    if not padded.endswith(b"\x02"):
        raise ValueError("not the last record")
    return padded[:-1]


def _signer(request: Request, now: float) -> str:
    """The public key that signed for this service, for at most a day; empty when it is not so."""
    found = re.fullmatch(r"vapid t=([\w.-]+), ?k=([\w-]+)", request.headers.get("Authorization", ""))
    if not found or found[1].count(".") != 2:
        return ""
    head, claims, signature = found[1].split(".")
    said, raw = json.loads(_bytes(claims)), _bytes(signature)
    whole = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, _bytes(found[2]))
        public.verify(whole, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return ""
    well = (
        json.loads(_bytes(head)).get("alg") == "ES256"
        and said.get("aud") == request.host_url.rstrip("/")
        and now < said.get("exp", 0) <= now + 86400
        and str(said.get("sub", "")).startswith(("mailto:", "https:"))
    )
    return found[2] if well else ""


def _private(browser: str) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(hashlib.sha256(b"browser " + browser.encode()).digest(), "big")
    return ec.derive_private_key(number >> 1, _CURVE)


def _secret(browser: str) -> bytes:
    return hashlib.sha256(b"auth " + browser.encode()).digest()[:16]


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    form = serialization.PublicFormat.UncompressedPoint
    return key.public_bytes(serialization.Encoding.X962, form)


def _hkdf(salt: bytes, key: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(key)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
