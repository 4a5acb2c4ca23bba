"""Personal data: stored encrypted, found by blind index, shown masked (PIPL art. 51: encrypt, de-identify)."""

import base64
import hashlib
import hmac
import re
import unicodedata

from cryptography.fernet import Fernet, InvalidToken

from core.errors import Invalid
from core.i18n import mark
from core.signing import Keys


class Vault:
    """Encrypts personal data and computes blind indexes with keys of their own."""

    def __init__(self, keys: Keys) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(keys.derive("privacy/encrypt")))
        self._index_key = keys.derive("privacy/index")

    def encrypt(self, text: str) -> str:
        """Ciphertext (Fernet: AES-128-CBC + HMAC-SHA256), different each time."""
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """The plain text; `Invalid` when the key is not the one it was encrypted with."""
        try:
            return self._fernet.decrypt(token.encode()).decode()
        except InvalidToken as error:
            raise Invalid(
                mark("这条个人信息无法解密：密钥与加密时不同，请检查 SIGNPOST_SECRET_KEY。")
            ) from error

    def index(self, kind: str, text: str) -> str:
        """A keyed hash (hex, 64) that finds equal values of one kind without showing them."""
        return hmac.new(self._index_key, f"{kind}\x00{text}".encode(), hashlib.sha256).hexdigest()


def normal_email(text: str) -> str:
    """An address in the form it is compared in: trimmed, NFKC, lower case."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def normal_phone(text: str) -> str:
    """A mainland mobile number as 11 digits, or the digits with their +country prefix."""
    digits = re.sub(r"[\s\-()（）]", "", unicodedata.normalize("NFKC", text))
    return re.sub(r"^(\+?86|0086)(?=1\d{10}$)", "", digits)


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
