"""Who-less visitors: a random first-party id, or a keyed hash that nobody can repeat the day after."""

import binascii
import hashlib
import os
import re
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COOKIE = "sp_v"
_SECONDS = 400 * 86_400  # browsers keep no cookie longer (RFC 6265bis)
_ID = re.compile(r"(?:^|; ?)sp_v=([0-9a-f]{16})(?:;|$)")
_NAME = f"{COOKIE}="
_bytes_of = binascii.unhexlify
_FROM, _TO = len(_NAME), len(_NAME) + 16


def from_cookie(cookies: str) -> int:
    """The visitor's id in a Cookie header, or 0."""
    # As nearly always: it comes first. The pattern would take a microsecond, a tenth of counting a view.
    if cookies.startswith(_NAME) and (len(cookies) == _TO or cookies[_TO : _TO + 1] == ";"):
        text = cookies[_FROM:_TO]
        if text.islower() or text.isdecimal():
            try:
                return int.from_bytes(_bytes_of(text), "big")
            except ValueError:
                return _searched(cookies)
    return _searched(cookies) if _NAME in cookies else 0


def _searched(cookies: str) -> int:
    found = _ID.search(cookies)
    return int(found[1], 16) if found else 0


def new_visitor() -> int:
    """A new id: 64 random bits, never 0."""
    return int.from_bytes(os.urandom(8), "big") or 1


def cookie_header(visitor: int, *, secure: bool) -> tuple[str, str]:
    """The header that gives the visitor their id."""
    flags = "; Secure" if secure else ""
    return (
        "Set-Cookie",
        f"{COOKIE}={visitor:016x}; Max-Age={_SECONDS}; Path=/; HttpOnly; SameSite=Lax{flags}",
    )


def address_of(environ: Mapping[str, Any], trusted_proxies: int) -> str:
    """The visitor's address: that of the connection, or what the outermost trusted proxy saw."""
    if trusted_proxies:
        seen = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(seen) >= trusted_proxies:
            return str(seen[-trusted_proxies].strip())
    return str(environ.get("REMOTE_ADDR", ""))


class DailyHash:
    """A visitor from address and agent under the day's salt; yesterday's salt is gone, from memory and disk.

    The salt lies in a file only so that several processes agree; an address is never kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._salt: tuple[str, bytes] = ("", b"")

    def visitor(self, day: str, address: str, agent: str) -> int:
        """64 bits, the same all day for the same address and agent; 0 when there is no address."""
        if not address:
            return 0
        known, salt = self._salt
        if known != day:
            salt = self._renew(day)
        text = f"{address}\0{agent}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(text, key=salt, digest_size=8).digest(), "big") or 1

    def _renew(self, day: str) -> bytes:
        with self._lock:
            if self._salt[0] != day:
                self._salt = (day, self._agree(day))
            return self._salt[1]

    def _agree(self, day: str) -> bytes:
        """The salt of the day: made by whoever comes first, read by the others; older ones are removed."""
        salt = secrets.token_bytes(32)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for old in self._folder.glob("salt-*"):
                if old.name < f"salt-{day}":
                    old.unlink(missing_ok=True)
            path = self._folder / f"salt-{day}"
            temporary = self._folder / f".{secrets.token_hex(8)}"
            temporary.touch(mode=0o600)
            temporary.write_bytes(salt)
            try:
                path.hardlink_to(temporary)
            except FileExistsError:
                return path.read_bytes()
            finally:
                temporary.unlink()
        except OSError:
            return salt  # a full disk: this process alone counts with its own salt
        return salt
