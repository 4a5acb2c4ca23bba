"""What channels with access tokens share: the token of an account, and a call that renews it once when it is refused."""

import hashlib
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Generic, TypeVar

from core.i18n import mark
from scheduler.channels.base import Account, DeliveryError, Tokens
from scheduler.channels.base_http import TIMEOUT, Http

Answer = dict[str, Any]
Line = TypeVar("Line")
Result = TypeVar("Result")


class TokenChannel(Generic[Line]):
    """What a channel with access tokens is made with, and how it opens a line."""

    def __init__(
        self, clock: Callable[[], datetime], tokens: Tokens, timeout: tuple[float, float] = TIMEOUT
    ) -> None:
        self._clock = clock
        self._tokens = tokens
        self._timeout = timeout

    @contextmanager
    def connect(self, account: Account) -> Iterator[Line]:
        """A kept-alive line to the platform."""
        http = Http(self._timeout)
        try:
            yield self.line(http, account)
        finally:
            http.close()

    def line(self, http: Http, account: Account) -> Line:
        """The line of an account over a connection; DeliveryError for one that cannot be used."""
        raise NotImplementedError


class Bearer:
    """The token of one account. `fetch` asks the platform for one (`anew`: not the one it gave before) and says how
    many seconds it holds.

    It is kept with a fingerprint of address, login and secret: a token that was fetched by other ones is not shown to
    an address it was not meant for.
    """

    def __init__(self, tokens: Tokens, account: Account, fetch: Callable[[bool], tuple[str, float]]) -> None:
        self._tokens = tokens
        self._number = account.number
        known = "\0".join((account.address, account.login, *account.secrets[:1]))
        self._print = hashlib.sha256(known.encode()).hexdigest()[:16]
        self._fetch = fetch

    def call(self, ask: Callable[[str], Answer], ended: Container[Any]) -> Answer:
        """The answer to a call made with the token; when its `errcode` is one of `ended`, made once more with another."""
        held = certain(lambda: self._tokens.get(self._number, self._first))
        if not held.startswith(self._print):
            held = certain(lambda: self._tokens.renew(self._number, held, self._first))
        answer = ask(self._bare(held))
        if answer.get("errcode", 0) not in ended:
            return answer
        stale = held
        return ask(
            self._bare(certain(lambda: self._tokens.renew(self._number, stale, lambda: self._next(stale))))
        )

    def _first(self) -> tuple[str, float]:
        token, seconds = self._fetch(False)
        return f"{self._print}{token}", seconds

    def _next(self, stale: str) -> tuple[str, float]:
        """Another one than the stale one: a platform that gives the same again is asked for a new one."""
        token, seconds = self._first()
        if token == stale:
            token, seconds = self._fetch(True)
            token = f"{self._print}{token}"
        return token, seconds

    def _bare(self, held: str) -> str:
        return held[len(self._print) :]


def token_of(answer: Mapping[str, Any]) -> tuple[str, float]:
    """The token in an answer, and the seconds it holds; nothing was sent when there is none."""
    token, seconds = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(token, str) or not token or not isinstance(seconds, int):
        raise DeliveryError(mark("平台的回答读不懂，没有换到令牌。"), everyone=True)
    return token, float(seconds)


def certain(step: Callable[[], Result]) -> Result:
    """A step that sends nothing to anybody: when it fails there is no doubt, and the rest need not be tried."""
    try:
        return step()
    except DeliveryError as error:
        raise DeliveryError(
            error.message,
            permanent=error.permanent,
            retry_after=error.retry_after,
            everyone=True,
            closes=error.closes,
        ) from error
