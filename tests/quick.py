"""What makes the application quicker to make in tests and proves no less: nothing here answers in its place.

Most tests make an application and a cast of people of their own. Passwords are hashed by the same argon2id with less
work (`real_passwords` in conftest gives the stored cost back to who measures it), the strength of the same password is
reckoned once, a template is compiled once for the whole run, a route and a statement once in a process, and SQLite does
not wait for the disk: a power cut may cost the tests everything, `kill -9` costs them nothing.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from flask.templating import Environment
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache
from zxcvbn import zxcvbn

from core import database
from institution import passwords
from webapp.routing import Route

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


def route_once() -> None:
    """Applications of this process share what their routes are made of: thousands of small objects each, which cost
    more to be cleared away than to be made."""
    compiled: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    compile_route = Route.compile

    def once(route: Any) -> None:
        known = compiled.get(key := (route.rule, route.subdomain, route.host, route.merge_slashes))
        if known is None:
            compile_route(route)
            compiled[key] = (route._parts, route._trace, route._converters, frozenset(route.arguments))
        else:
            route._parts, route._trace, route._converters, arguments = known
            route.arguments.update(arguments)
            route._build = route._compile_builder(False).__get__(route, None)
            route._build_unknown = route._compile_builder(True).__get__(route, None)

    Route.compile = once  # type: ignore[method-assign, assignment]


class _Translated(LRUCache[Any, Any]):
    """SQLAlchemy keeps it by the dialect, of which each engine has one of its own; here by its name."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), value)


def translate_once() -> None:
    """Databases of this process share what statements were translated to, as the threads of a server do."""
    make, translated = database._make_engine, _Translated(4_000)

    def made(url: str, *given: Any) -> Engine:
        engine = make(url, *given)
        engine._compiled_cache = translated
        return engine

    _DATABASE._make_engine = made


def write_without_waiting() -> None:
    """SQLite hands what it writes to the system and goes on."""
    prepare = database._prepare_sqlite

    def prepared(connection: Any, pragmas: Sequence[str]) -> None:
        prepare(connection, pragmas)
        connection.execute("PRAGMA synchronous=OFF")

    _DATABASE._prepare_sqlite = prepared
