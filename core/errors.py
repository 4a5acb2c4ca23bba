"""Errors that people can act on; `webapp.errors` alone turns them into status codes."""

from typing import Any

from core.i18n import gettext


class DomainError(Exception):
    """Something a person asked for cannot be done; `message` is a msgid that says what to do instead.

    `message` is a Chinese source sentence, translated only where it is shown (`str(error)` uses the
    locale in force then); `params` fill its %(name)s places. `field` names the form field at fault.
    """

    def __init__(self, message: str, *, field: str | None = None, **params: Any) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.params = params

    def __str__(self) -> str:
        text = gettext(self.message)
        return text % self.params if self.params else text


class NotFound(DomainError):
    """What was asked for does not exist, or not for this person."""


class Gone(NotFound):
    """What was there and was taken away on purpose."""


class Invalid(DomainError):
    """What was given breaks a rule; the sentence names the rule."""


class Conflict(DomainError):
    """It was right when the person began, and something else happened meanwhile."""


class NotAllowed(DomainError):
    """This person may not do this."""
