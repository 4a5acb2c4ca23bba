"""What a link carries (`?a=`: campaign, outlet, channel) and what a page is about, both short and signed."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from core.signing import Keys

PARAMETER = "a"
_BETWEEN = "\x1f"
_SIGNATURE = 8  # bytes: a guess is right once in 1.8e19, and only spoils a count
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Attribution:
    """To whom a visit is owed: the campaign, the outlet and the channel whose link was followed."""

    campaign: str = ""
    outlet: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class PageKeys:
    """What a page is about, whoever led the visitor there."""

    piece: str = ""
    campaign: str = ""
    outlet: str = ""


class Attributions:
    """Signs and reads the tokens of links, seals and unseals the keys of pages; forged ones read as None."""

    def __init__(self, keys: Keys) -> None:
        self._link_key = keys.derive("tracking/attribution")
        self._page_key = keys.derive("tracking/page-keys")
        self.read: Callable[[str], Attribution | None] = lru_cache(8192)(self._read)
        self.unseal: Callable[[str], PageKeys | None] = lru_cache(8192)(self._unseal)

    def sign(self, attribution: Attribution) -> str:
        """The token for `?a=`; about 40 characters. ValueError for a key that cannot travel."""
        return pack(self._link_key, (attribution.campaign, attribution.outlet, attribution.channel))

    def seal(self, keys: PageKeys) -> str:
        """The keys of a page for its beacon (`data-keys`), so that none can be invented."""
        return pack(self._page_key, (keys.piece, keys.campaign, keys.outlet))

    def _read(self, token: str) -> Attribution | None:
        """The attribution of a token, or None when it is not ours."""
        fields = unpack(self._link_key, token)
        return Attribution(*fields) if fields else None

    def _unseal(self, sealed: str) -> PageKeys | None:
        """The keys of a page, or None when they were not sealed by us."""
        fields = unpack(self._page_key, sealed)
        return PageKeys(*fields) if fields else None


def pack(key: bytes, fields: tuple[str, str, str]) -> str:
    """Three keys as a short signed text. ValueError for keys that cannot travel."""
    if not "".join(fields).isprintable():
        raise ValueError(f"a key with control characters cannot be attributed: {fields!r}")
    payload = _BETWEEN.join(fields).rstrip(_BETWEEN).encode()
    token = base64.urlsafe_b64encode(payload + _mac(key, payload)).rstrip(b"=").decode()
    if len(token) > _LONGEST:
        raise ValueError(f"keys too long for a link: {fields!r}")
    return token


def unpack(key: bytes, token: str) -> tuple[str, str, str] | None:
    """The three keys of a text signed under `key`, else None."""
    if not token or len(token) > _LONGEST:
        return None
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return None
    payload, mac = raw[:-_SIGNATURE], raw[-_SIGNATURE:]
    if len(mac) < _SIGNATURE or not hmac.compare_digest(mac, _mac(key, payload)):
        return None
    fields = payload.decode().split(_BETWEEN)
    first, second, third = fields + [""] * (3 - len(fields))
    return first, second, third


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, hashlib.sha256)[:_SIGNATURE]
