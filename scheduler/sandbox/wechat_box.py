"""What the stand-in of an official account keeps: followers, pictures, drafts, callbacks waiting to be fetched."""

import base64
import hashlib
import os
import re
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

APP, SECRET = "wx5a3d6b0c0ffee000", "sandbox-wechat-secret-of-no-value"
TOKEN = "sandboxcallbacktoken"  # noqa: S105  (of a stand-in)
AES_KEY = base64.b64encode(hashlib.sha256(b"sandbox").digest()).decode()[:43]
PICTURES = "http://mmbiz.qpic.cn/sandbox/"  # where the platform keeps pictures of articles
_BEIJING = timezone(timedelta(hours=8))
_SCRIPT = re.compile(r"<script\b.*?</script\s*>", re.DOTALL | re.IGNORECASE)
_IMG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_SRC = re.compile(r"""\ssrc=["']([^"']*)["']""")


@dataclass
class Follower:
    """Somebody with an openid. `following` False: left; `deaf`: takes no mass messages; `tags` of the account."""

    following: bool = True
    deaf: bool = False
    blocks_notices: bool = False
    tags: frozenset[int] = frozenset()
    had: Counter[str] = field(default_factory=Counter)  # mass messages by calendar month
    subscribed: int = 1_000_000  # messages the person still allows by subscription


@dataclass(frozen=True)
class Sent:
    """A mass message that was accepted."""

    number: int
    at: float


def local(at: float) -> datetime:
    """A time as the platform counts days and months: Beijing's."""
    return datetime.fromtimestamp(at, _BEIJING)


def cast() -> dict[str, Follower]:
    """Who follows the account of the sandbox from the beginning."""
    people = {f"oSandbox{number:020d}": Follower(tags=frozenset({2 + number % 2})) for number in range(1, 31)}
    people["oSandboxDeaf0000000000000000"] = Follower(deaf=True)
    people["oSandboxGone0000000000000000"] = Follower(following=False)
    return people


def wrong_with(article: dict[str, Any], covers: Iterable[str]) -> int:
    """The code that a draft is refused with; 0 where all is well."""
    content = str(article.get("content", ""))
    rules = (
        (0 < len(str(article.get("title", ""))) <= 32, 45003),
        (len(str(article.get("author", ""))) <= 16, 45110),
        (len(str(article.get("digest", ""))) <= 128, 45004),
        (len(content) < 20_000 and len(content.encode()) < 1_000_000, 45002),
        (len(str(article.get("content_source_url", "")).encode()) <= 1024, 45005),
        (article.get("article_type", "news") in ("news", "newspic"), 40097),
        (str(article.get("thumb_media_id", "")) in set(covers), 40007),
    )
    return next((code for kept, code in rules if not kept), 0)


def as_published(content: str) -> tuple[str, list[str]]:
    """The body as readers get it, and the addresses of foreign pictures that were cut out; so is every script."""
    foreign: list[str] = []

    def keep(found: re.Match[str]) -> str:
        source = _SRC.search(found[0])
        if source and source[1].startswith(PICTURES):
            return found[0]
        foreign.append(source[1] if source else "")
        return ""

    return _IMG.sub(keep, _SCRIPT.sub("", content)), foreign


def signature(*parts: str) -> str:
    """SHA-1 of the parts in the order of the alphabet, put together."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def xml(values: dict[str, Any]) -> str:
    """A callback's document; a dictionary becomes an element with elements in it."""

    def element(name: str, value: Any) -> str:
        if isinstance(value, dict):
            inner = "".join(element(key, one) for key, one in value.items())
        else:
            inner = str(value) if isinstance(value, int) else f"<![CDATA[{value}]]>"
        return f"<{name}>{inner}</{name}>"

    return element("xml", values)


def callback(values: dict[str, Any], at: float, sealed: bool) -> tuple[bytes, dict[str, str]]:
    """Body and query of a callback as the platform sends it: plain, or in the mode of safety under the key."""
    stamp, nonce, text = str(int(at)), os.urandom(6).hex(), xml(values)
    query = {"timestamp": stamp, "nonce": nonce, "signature": signature(TOKEN, stamp, nonce)}
    if not sealed:
        return text.encode(), query
    inside = _sealed(text.encode())
    query |= {"encrypt_type": "aes", "msg_signature": signature(TOKEN, stamp, nonce, inside)}
    return xml({"ToUserName": "gh_sandbox", "Encrypt": inside}).encode(), query


def greeting(at: float) -> tuple[dict[str, str], bytes]:
    """The query a platform tries an address out with, and the answer it wants."""
    stamp, nonce, said = str(int(at)), os.urandom(6).hex(), os.urandom(8).hex()
    signed = signature(TOKEN, stamp, nonce)
    return {"timestamp": stamp, "nonce": nonce, "signature": signed, "echostr": said}, said.encode()


def sealed_greeting(at: float, receiver: str) -> tuple[dict[str, str], bytes]:
    """The same at WeCom: what is to be said back comes under the key."""
    stamp, nonce, said = str(int(at)), os.urandom(6).hex(), os.urandom(8).hex()
    inside = _sealed(said.encode(), receiver)
    signed = signature(TOKEN, stamp, nonce, inside)
    return {"timestamp": stamp, "nonce": nonce, "msg_signature": signed, "echostr": inside}, said.encode()


def sealed_callback(values: dict[str, Any], at: float, receiver: str) -> tuple[bytes, dict[str, str]]:
    """Body and query of a callback of WeCom, which are always under the key."""
    stamp, nonce, inside = str(int(at)), os.urandom(6).hex(), _sealed(xml(values).encode(), receiver)
    query = {"timestamp": stamp, "nonce": nonce, "msg_signature": signature(TOKEN, stamp, nonce, inside)}
    return xml({"ToUserName": receiver, "Encrypt": inside}).encode(), query


def _sealed(text: bytes, receiver: str = APP) -> str:
    key = base64.b64decode(AES_KEY + "=")
    plain = os.urandom(16) + struct.pack(">I", len(text)) + text + receiver.encode()
    short = 32 - len(plain) % 32
    plain += bytes([short]) * short
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(cipher.update(plain) + cipher.finalize()).decode()
