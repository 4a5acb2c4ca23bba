"""Personal data: stored encrypted, found by blind index, shown masked (PIPL art. 51: encrypt, de-identify).

Keys form a ring, newest first: new data takes the newest, old data opens with the one it names. The last key is
always the one derived from the installation's secret, so an installation that never set a key loses nothing.
"""

import base64
import hmac
import re
import unicodedata
from collections.abc import Iterable

from cryptography.fernet import Fernet, InvalidToken

from core.errors import Invalid
from core.i18n import mark
from core.signing import Keys

_NAMED = "k1"  # ciphertext is `k1:<key>:<Fernet>`; what is older than key rings is Fernet alone
_ID = 12
_PHONE = re.compile(r"1[3-9]\d{9}|\+\d{6,15}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")


class _Key:
    """One key of the ring: encrypts, computes indexes, and has a short name that tells nothing about it."""

    def __init__(self, keys: Keys) -> None:
        self.id = keys.derive("privacy/name").hex()[:_ID]
        self.fernet = Fernet(base64.urlsafe_b64encode(keys.derive("privacy/encrypt")))
        self._index_key = keys.derive("privacy/index")

    def hash(self, kind: str, text: str) -> str:
        """The keyed hash alone (hex, 64)."""
        return hmac.digest(self._index_key, f"{kind}\x00{text}".encode(), "sha256").hex()

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
        self._derived = _Key(keys)
        made = [_Key(Keys(secret.encode())) for secret in ring]
        named = [key for key in made if key.id != self._derived.id]
        self._ring = [*dict((key.id, key) for key in named).values(), self._derived]

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The names of the keys, newest first; the last is the derived one."""
        return tuple(key.id for key in self._ring)

    def encrypt(self, text: str) -> str:
        """Ciphertext under the newest key (Fernet: AES-128-CBC + HMAC-SHA256), different each time."""
        return self.seal_mark + self._ring[0].fernet.encrypt(text.encode()).decode()

    @property
    def seal_mark(self) -> str:
        """How ciphertext under the newest key begins."""
        return f"{_NAMED}:{self._ring[0].id}:"

    def decrypt(self, token: str) -> str:
        """The plain text; `Invalid` when the key it was encrypted with is not in the ring."""
        name, _, rest = token.removeprefix(f"{_NAMED}:").partition(":")
        named = token.startswith(f"{_NAMED}:")
        candidates = [key for key in self._ring if not named or key.id == name]
        for key in candidates:
            try:
                return key.fernet.decrypt((rest if named else token).encode()).decode()
            except InvalidToken:
                continue
        raise Invalid(
            mark(
                "这条个人信息无法解密：加密它的密钥（%(key)s）不在密钥环里，"
                "请检查 SIGNPOST_PRIVACY_KEYS 与 SIGNPOST_SECRET_KEY。"
            ),
            key=name if named else "—",
        )

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
