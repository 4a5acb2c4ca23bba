"""Keys derived from the one secret, and short signed values."""

import base64
import binascii
import hashlib
import hmac
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.settings import Settings


def load_secret(settings: Settings) -> bytes:
    """The installation's secret: the setting, or `<home>/secret.key`, made (0600) at first use.

    Two processes starting together agree: the file is created exclusively, the loser reads it.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path: Path = settings.home / "secret.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".secret.{secrets.token_hex(8)}")
    if not path.exists():
        temporary.touch(mode=0o600)
        temporary.write_text(secrets.token_urlsafe(48), encoding="ascii")
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_bytes().strip()


class Keys:
    """Purpose-bound keys (HKDF-SHA256, RFC 5869) from one secret: a key for one purpose opens no other."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def derive(self, purpose: str, length: int = 32) -> bytes:
        """`length` bytes for `purpose`, always the same for the same secret."""
        return HKDF(hashes.SHA256(), length, salt=None, info=f"signpost/{purpose}".encode()).derive(
            self._secret
        )


class Signer:
    """Signs short texts: `text` → `text.signature`; the signature is HMAC-SHA256 cut to `size` bytes."""

    def __init__(self, key: bytes, size: int = 12) -> None:
        self._key = key
        self._size = size

    def signature(self, text: str) -> str:
        """The URL-safe signature alone."""
        digest = hmac.new(self._key, text.encode(), hashlib.sha256).digest()[: self._size]
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def sign(self, text: str) -> str:
        """The text with its signature behind a dot."""
        return f"{text}.{self.signature(text)}"

    def sign_address(self, text: str) -> str:
        """The same for an address: with `~` for the dots, at which programs of mail and chat cut links off."""
        return self.sign(text).replace(".", "~")

    def open_address(self, token: str, longest: int) -> str | None:
        """The text of what `sign_address` wrote, else None; nothing longer than `longest` is looked at."""
        return self.open(token.replace("~", ".")) if len(token) <= longest else None

    def open(self, signed: str) -> str | None:
        """The text if the signature is ours, else None; compares in constant time."""
        text, dot, signature = signed.rpartition(".")
        if not dot:
            return None
        try:
            good = hmac.compare_digest(signature.encode(), self.signature(text).encode())
        except (UnicodeEncodeError, binascii.Error):
            return None
        return text if good else None
