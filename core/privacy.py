"""Personal data: stored encrypted, found by blind index, shown masked (PIPL art. 51: encrypt, de-identify).

Keys form a ring, newest first: new data takes the newest, old data opens with the one it names. The last key is
always the one derived from the installation's secret, so an installation that never set a key loses nothing.
"""

import base64
import binascii
import os
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from core.errors import Invalid
from core.i18n import mark
from core.signing import Keys

# Ciphertext is `k2:<key>:<base64url of nonce, AES-256-GCM, tag>`. What was written before is `k1:<key>:<Fernet>`, and
# Fernet alone before there were key rings. GCM takes a tenth of the time of Fernet, which a push of a million feels.
_SEALED, _FERNET = "k2:", "k1:"
_ID, _NONCE = 12, 12
_MARK = len(_SEALED) + _ID + 1
_PHONE = re.compile(r"1[3-9]\d{9}|\+\d{6,15}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")


class _Key:
    """One key of the ring: encrypts, computes indexes, and has a short name that tells nothing about it."""

    def __init__(self, keys: Keys) -> None:
        self.id = keys.derive("privacy/name").hex()[:_ID]
        self._fernet = Fernet(base64.urlsafe_b64encode(keys.derive("privacy/encrypt")))
        self._box = AESGCM(keys.derive("privacy/seal"))
        # copied for each hash: three times as fast as making it anew, which an import of a million feels
        self._hmac = HMAC(keys.derive("privacy/index"), SHA256())

    def seal(self, text: str) -> str:
        """Nonce and ciphertext, in base64."""
        # nonces at random: safe for 2^32 values under one key (NIST SP 800-38D 8.3), then `signpost privacy key`
        nonce = os.urandom(_NONCE)
        return base64.urlsafe_b64encode(nonce + self._box.encrypt(nonce, text.encode(), None)).decode()

    def unseal(self, token: str) -> str | None:
        """The plain text; None when another key sealed it, or somebody changed it."""
        try:
            raw = binascii.a2b_base64(token.replace("-", "+").replace("_", "/"))
            return self._box.decrypt(raw[:_NONCE], raw[_NONCE:], None).decode()
        except (ValueError, InvalidTag):
            return None

    def open_fernet(self, token: str) -> str | None:
        """The same for what was written before AES-GCM."""
        try:
            return self._fernet.decrypt(token.encode()).decode()
        except InvalidToken:
            return None

    def hash(self, kind: str, text: str) -> str:
        """The keyed hash alone (hex, 64)."""
        mine = self._hmac.copy()
        mine.update(f"{kind}\x00{text}".encode())
        return mine.finalize().hex()

    def named_hash(self, kind: str, text: str) -> str:
        """The hash with the key's name in front, cut to 64: what stays under an old key can be counted."""
        return self.named(self.hash(kind, text))

    def named(self, bare: str) -> str:
        """A hash with the key's name in front."""
        return self.id + bare[:-_ID]


class Vault:
    """Encrypts personal data and computes blind indexes with keys of their own.

    `ring`: further secrets, newest first, before the key that derives from `keys`. A former installation secret
    may stand in it: its ciphertext and its indexes are found too.
    """

    def __init__(self, keys: Keys, ring: Iterable[str] = ()) -> None:
        self._made_of = keys, tuple(ring)
        self._derived = _Key(keys)
        made = [_Key(Keys(secret.encode())) for secret in self._made_of[1]]
        named = [key for key in made if key.id != self._derived.id]
        self._ring = [*dict((key.id, key) for key in named).values(), self._derived]
        self._by_mark = {f"{_SEALED}{key.id}:": key for key in self._ring}

    def __reduce__(self) -> tuple[Any, ...]:
        """For a process beside this one (`core.beside`): what it is made of, secrets in clear."""
        return Vault, self._made_of

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The names of the keys, newest first; the last is the derived one."""
        return tuple(key.id for key in self._ring)

    def encrypt(self, text: str) -> str:
        """Ciphertext under the newest key (AES-256-GCM), different each time."""
        return self.seal_mark + self._ring[0].seal(text)

    @property
    def seal_mark(self) -> str:
        """How ciphertext under the newest key begins."""
        return f"{_SEALED}{self._ring[0].id}:"

    def key_of_seal(self, token: str) -> str:
        """The name of the key that ciphertext, or its beginning, names; "" from before there were key rings."""
        return token[len(_SEALED) :].partition(":")[0] if token.startswith((_SEALED, _FERNET)) else ""

    def decrypt(self, token: str) -> str:
        """The plain text; `Invalid` when the key it was encrypted with is not in the ring."""
        sealed_by = self._by_mark.get(token[:_MARK])  # first, and at once: a push opens a million
        if sealed_by is not None:
            found = sealed_by.unseal(token[_MARK:])
        else:
            found = None if token.startswith(_SEALED) else self._open_fernet(token)
        if found is None:
            name = self.key_of_seal(token)
            raise Invalid(
                mark(
                    "这条个人信息无法解密：加密它的密钥（%(key)s）不在密钥环里，"
                    "请检查 SIGNPOST_PRIVACY_KEYS 与 SIGNPOST_SECRET_KEY。"
                ),
                key=name or "—",
            )
        return found

    def _open_fernet(self, token: str) -> str | None:
        name = self.key_of_seal(token)
        rest = token[len(_SEALED) + len(name) + 1 :] if name else token
        keys = [key for key in self._ring if not name or key.id == name]
        return next((text for key in keys if (text := key.open_fernet(rest)) is not None), None)

    def index(self, kind: str, text: str) -> str:
        """A keyed hash (hex, 64) that finds equal values of one kind without showing them; newest key."""
        newest = self._ring[0]
        return newest.hash(kind, text) if newest is self._derived else newest.named_hash(kind, text)

    def indexes(self, kind: str, text: str) -> tuple[str, ...]:
        """Every index under which the value may stand, newest first: what looks up by index asks for all."""
        found: list[str] = []
        for key in self._ring:
            bare = key.hash(kind, text)
            found += [bare, key.named(bare)] if key is self._derived else [key.named(bare), bare]
        return tuple(dict.fromkeys(found))

    def key_of_index(self, index: str) -> str:
        """The name of the key behind an index; the derived key's, where none of the ring is named."""
        return next((key.id for key in self._ring[:-1] if index.startswith(key.id)), self._derived.id)

    def pseudonym(self, kind: str, text: str) -> int:
        """A stable 64-bit number above 0 for a value, from the derived key: no rotation changes it."""
        return int(self._derived.hash(kind, text)[:16], 16) or 1


def normal_email(text: str) -> str:
    """An address in the form it is compared in: trimmed, NFKC, lower case."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def normal_phone(text: str) -> str:
    """A mainland mobile number as 11 digits, or the digits with their +country prefix."""
    digits = re.sub(r"[\s\-()（）]", "", unicodedata.normalize("NFKC", text))
    return re.sub(r"^(\+?86|0086)(?=1\d{10}$)", "", digits)


def is_email(text: str) -> bool:
    """Whether an address in its normal form can be one."""
    return _EMAIL.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    """Whether a number in its normal form is a mainland mobile or one with its country prefix."""
    return _PHONE.fullmatch(text) is not None


def mask_email(text: str) -> str:
    """`zhang@example.com` → `z***@example.com`."""
    name, _, domain = text.partition("@")
    return f"{name[:1]}***@{domain}"


def mask_phone(text: str) -> str:
    """`13812345678` → `138****5678`."""
    return f"{text[:3]}****{text[-4:]}" if len(text) >= 11 else "****" + text[-2:]


def mask_name(text: str) -> str:
    """`张三丰` → `张**`."""
    return text[:1] + "*" * max(len(text) - 1, 1) if text else ""
