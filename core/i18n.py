"""Translation outside a request: Chinese sentences are the msgids, catalogues hold the other languages.

A `ContextVar` holds the locale in force, set per request by `webapp`, per message by the composer and
per run by the command line. Templates ask the same functions.
"""

import gettext as _gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LOCALES = ("zh", "en")
CATALOGUES = Path(__file__).resolve().parent.parent / "webapp" / "translations"

_locale: ContextVar[str] = ContextVar("locale", default="zh")


@cache
def _catalogue(locale: str) -> _gettext.NullTranslations:
    return _gettext.translation("messages", CATALOGUES, [locale], fallback=True)


def current_locale() -> str:
    """The locale in force: one of LOCALES."""
    return _locale.get()


def set_locale(locale: str) -> None:
    """Put a locale in force for this context; anything unknown becomes Chinese."""
    _locale.set(locale if locale in LOCALES else LOCALES[0])


@contextmanager
def using_locale(locale: str) -> Iterator[None]:
    """Put a locale in force for a block."""
    token = _locale.set(locale if locale in LOCALES else LOCALES[0])
    try:
        yield
    finally:
        _locale.reset(token)


def gettext(message: str, **params: object) -> str:
    """The message in the locale in force, with %(name)s places filled from `params`."""
    text = _catalogue(_locale.get()).gettext(message) if message else ""
    return text % params if params else text


def ngettext(one: str, many: str, number: int) -> str:
    """The form that fits a number, with nothing filled in."""
    return _catalogue(_locale.get()).ngettext(one, many, number)


def mark(message: str) -> str:
    """Mark a sentence for extraction without translating it now (the msgid of an error, a label)."""
    return message
