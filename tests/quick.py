"""What makes the application quicker to make in tests and proves no less: nothing here answers in its place.

Most tests make an application and a cast of people of their own. Passwords are hashed by the same argon2id with less
work (`real_passwords` in conftest gives the stored cost back to who measures it), the strength of the same password is
reckoned once, a template is compiled once for the whole run, and SQLite
does not wait for the disk: a power cut may cost the tests everything, `kill -9` costs them nothing.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from flask.templating import Environment
from jinja2 import FileSystemBytecodeCache
from zxcvbn import zxcvbn

from core import database
from institution import passwords

REAL = passwords._HASHER, passwords._DUMMY
_DATABASE: Any = database
_QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


def hash_with(hasher: PasswordHasher, dummy: str) -> None:
    """Use this hasher, and this hash where there is nobody."""
    passwords._HASHER, passwords._DUMMY = hasher, dummy


def hash_quickly() -> None:
    """Passwords cost next to nothing."""
    hash_with(_QUICK, _QUICK.hash("nobody has this password"))


def reckon_once() -> None:
    """The strength of a password that was reckoned before is remembered."""

    @cache
    def reckoned(password: str, inputs: tuple[str, ...]) -> Any:
        return zxcvbn(password, user_inputs=list(inputs))

    def remembering(password: str, user_inputs: Sequence[str]) -> Any:
        return reckoned(password, tuple(user_inputs))

    passwords.zxcvbn = remembering  # type: ignore[attr-defined]


def compile_once(folder: Path) -> None:
    """Applications made from now on share compiled templates, found in the folder by their text."""
    folder.mkdir(exist_ok=True)

    class Compiled(Environment):
        """Jinja's environment as Flask makes it, with the shared cache."""

        def __init__(self, app: Any, **options: Any) -> None:
            super().__init__(app, bytecode_cache=FileSystemBytecodeCache(str(folder)), **options)

    Flask.jinja_environment = Compiled


def write_without_waiting() -> None:
    """SQLite hands what it writes to the system and goes on."""
    prepare = database._prepare_sqlite

    def prepared(connection: Any, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    _DATABASE._prepare_sqlite = prepared
