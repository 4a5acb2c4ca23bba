"""Devices that have signed in before: a signed cookie names them per account, several on a shared machine."""

import secrets
from datetime import timedelta

from core.signing import Keys, Signer

COOKIE = "sp_device"
KEPT = timedelta(days=180)
_MOST = 6


class Devices:
    """Reads and writes the cookie `account.nonce~account.nonce.signature`; accounts stand as keyed hashes."""

    def __init__(self, keys: Keys) -> None:
        self._signer = Signer(keys.derive("sign-in/device"), size=16)

    def known(self, cookie: str, login: str) -> str | None:
        """The number of this device for the account, None when it has not signed in to it."""
        return dict(self._entries(cookie)).get(self._name(login))

    def remember(self, cookie: str, login: str) -> str:
        """The cookie with this account in front, under a new number: an old copy of it is counted apart."""
        name = self._name(login)
        others = [each for each in self._entries(cookie) if each[0] != name]
        kept = [(name, secrets.token_hex(8)), *others][:_MOST]
        return self._signer.sign("~".join(f"{one}.{nonce}" for one, nonce in kept))

    def _entries(self, cookie: str) -> list[tuple[str, str]]:
        text = self._signer.open(cookie) or ""
        parts = [entry.partition(".") for entry in text.split("~") if entry]
        return [(name, nonce) for name, _dot, nonce in parts]

    def _name(self, login: str) -> str:
        return self._signer.signature(f"login:{login.strip().lower()}")
