"""What an official account (or a WeCom application) is told by callback: who signed it, what it says, in plain text or under the account's key.

Rules: developers.weixin.qq.com/doc/oplatform (message push, 消息加解密说明). XML is read without documents of types:
no entity is ever expanded.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Mapping
from xml.parsers import expat

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.i18n import mark
from scheduler.channels.base import Account, DeliveryError

_LARGEST, _DEEPEST = 100_000, 10  # bytes of a callback, elements within each other
_BLOCK = 32  # the padding's block, larger than that of AES
Fields = dict[str, str]


def greeting(account: Account, query: Mapping[str, str]) -> str:
    """What to answer when the platform tries the address out (GET); DeliveryError unless it signed."""
    _signed(query.get("signature", ""), account, query)
    return query.get("echostr", "")


def sealed_greeting(account: Account, query: Mapping[str, str]) -> str:
    """The same at WeCom (企业微信), which greets under the key; DeliveryError unless it signed."""
    sealed = query.get("echostr", "")
    _signed(query.get("msg_signature", ""), account, query, sealed)
    return _decrypted(sealed, _secret(account, 2), account.login).decode("utf-8", "replace")


def opened(account: Account, content: bytes, query: Mapping[str, str]) -> Fields:
    """The fields of a callback by their path (`PublishEventInfo/publish_id`); DeliveryError when it is not the
    platform's. An account with a key takes nothing that is not under it."""
    key = _secret(account, 2)
    if not key:
        _signed(query.get("signature", ""), account, query)
        return fields(content)
    sealed = fields(content).get("Encrypt", "")
    _signed(query.get("msg_signature", ""), account, query, sealed)
    return fields(_decrypted(sealed, key, account.login))


def fields(content: bytes) -> Fields:
    """The texts of a flat XML document by their path; DeliveryError for what is none, or wants entities."""
    found: dict[str, list[str]] = {}
    path: list[str] = []

    def begin(name: str, _attributes: object) -> None:
        path.append(name)
        if len(path) > _DEEPEST:
            raise _unreadable()

    def text(part: str) -> None:
        found.setdefault("/".join(path[1:]), []).append(part)

    def refuse(*_what: object) -> None:
        raise _unreadable()

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.CharacterDataHandler = begin, text
    parser.EndElementHandler = lambda _name: path.pop()
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    if len(content) > _LARGEST:
        raise _unreadable()
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise _unreadable() from error
    whole = {place: "".join(parts).strip() for place, parts in found.items()}
    return {place: value for place, value in whole.items() if value}


def _signed(signature: str, account: Account, query: Mapping[str, str], *more: str) -> None:
    """Whether the platform signed: SHA-1 over what only both know and what came along, sorted."""
    token = _secret(account, 1)
    parts = sorted([token, query.get("timestamp", ""), query.get("nonce", ""), *more])
    wanted = hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()
    if not token or not hmac.compare_digest(wanted.encode(), signature.encode()):
        raise DeliveryError(mark("回调的签名不对，没有理会。"), permanent=True)


def _decrypted(sealed: str, key: str, app: str) -> bytes:
    """AES-256-CBC: 16 random bytes, the length, the message, the application it is for."""
    try:
        secret = base64.b64decode(key + "=", validate=True)
        cipher = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).decryptor()
        plain = cipher.update(base64.b64decode(sealed, validate=True)) + cipher.finalize()
        length = struct.unpack(">I", plain[16:20])[0]
    except (ValueError, binascii.Error, struct.error) as error:
        raise _unreadable() from error
    rest = plain[20 + length :]
    padding = rest[-1] if rest else 0
    if not 1 <= padding <= _BLOCK or rest[:-padding] != app.encode():
        raise _unreadable()
    return plain[20 : 20 + length]


def _secret(account: Account, place: int) -> str:
    """The secrets of an account in the order of its form: AppSecret, token of the callback, its key."""
    return account.secrets[place] if len(account.secrets) > place else ""


def _unreadable() -> DeliveryError:
    return DeliveryError(mark("回调的内容读不懂，没有理会。"), permanent=True)
