"""The commands of `signpost`, one module per topic; each gets its objects from `runtime()`.

`plain_errors` wraps a command so that a `DomainError` becomes one red line on stderr and exit code 1.
"""

import getpass
import sys
from collections.abc import Callable
from functools import cache, wraps
from typing import NoReturn, ParamSpec, TypeVar

import click
from pydantic import ValidationError

from core.errors import DomainError
from core.i18n import gettext as _
from core.i18n import set_locale
from core.settings import Settings
from institution import audit
from institution.audit import Actor
from webapp import runtime as composition

P = ParamSpec("P")
R = TypeVar("R")


@cache
def runtime() -> composition.Runtime:
    """The objects of this run of the command line, put together at first use and kept."""
    return composition.build(read_settings())


def read_settings() -> Settings:
    """The settings, whose language is put in force; all that a command needs that leaves the database alone."""
    try:
        settings = Settings()
    except ValidationError as error:
        lines = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        fail(_("设置有误，请改正后再试：%(faults)s") % {"faults": lines})
    set_locale(settings.locale)
    return settings


def _operator() -> str:
    """Who sits at the command line, as the machine knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "?"


def fail(sentence: str) -> NoReturn:
    """Say in one red line on stderr what is wrong, and end with exit code 1."""
    click.secho(sentence, fg="red", err=True)
    sys.exit(1)


def plain_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a command: what a person can act on is said in a sentence, never in a traceback."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with audit.acting(Actor(None, _operator(), "command")):
                return function(*args, **kwargs)
        except DomainError as error:
            fail(str(error))

    return guarded
