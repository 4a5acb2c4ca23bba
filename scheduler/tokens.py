"""Access tokens of platforms: of all workers, threads and processes, one fetches and the others use what it got.

A platform ends a token when another one is fetched, so two workers that fetch would end each other's for ever. Who
may fetch is decided by a conditional UPDATE that names the round it saw; no transaction is open while the platform is
asked. A worker that dies while it fetches holds the others up until its lease ran out.
"""

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Update, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from core.database import Database
from core.errors import Invalid
from core.i18n import mark
from core.privacy import Vault
from scheduler.channels.base import DeliveryError
from scheduler.token_models import ChannelToken

Fetch = Callable[[], tuple[str, float]]
_EARLY = 300.0  # seconds a token is replaced before it ends: what is on its way with it still arrives
_GLANCE = (0.01, 0.25)  # seconds between two looks while another worker fetches: at first, and at most


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: how long a worker that fetches is believed to be alive, and how long the others wait for it."""

    lease: float = 30.0
    wait: float = 45.0


class SharedTokens:
    """`Tokens` of `scheduler.channels.base` over the relational database, where they lie sealed."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Callable[[], datetime],
        patience: Patience | None = None,
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._patience = patience or Patience()

    def get(self, account: int, fetch: Fetch) -> str:
        """The token that holds; DeliveryError of `fetch`, or when the worker that fetches does not come back."""
        return self._wanted(account, "", fetch)

    def renew(self, account: int, stale: str, fetch: Fetch) -> str:
        """Another one than `stale`, which the platform refused; fetched only while `stale` is the one stored."""
        return self._wanted(account, stale, fetch)

    def _wanted(self, account: int, stale: str, fetch: Fetch) -> str:
        deadline, pause = time.monotonic() + self._patience.wait, _GLANCE[0]
        while True:
            row = self._row(account)
            token = self._open(row)
            if token not in ("", stale):
                return token
            owner = uuid.uuid4().hex
            if self._take(account, row.round, owner):
                found = self._fetched(account, row.round, owner, fetch)
                if found:
                    return found
            elif time.monotonic() >= deadline:
                raise DeliveryError(mark("另一个工作进程正在换取平台令牌，还没有换到。"), everyone=True)
            else:
                time.sleep(pause)
                pause = min(pause * 1.5, _GLANCE[1])

    def _row(self, account: int) -> ChannelToken:
        """The row of an account, made when there is none."""
        with self._database.reading() as session:
            row = session.get(ChannelToken, account)
        if row is not None:
            return row
        with suppress(IntegrityError), self._database.transaction() as session:  # somebody else was first
            if session.get(ChannelToken, account) is None:
                session.add(ChannelToken(account=account))
        with self._database.reading() as session:
            return session.get_one(ChannelToken, account)

    def _open(self, row: ChannelToken) -> str:
        """The token of a row while it holds; one under a key that is gone is as good as none."""
        if not row.sealed or row.expires_at is None or row.expires_at <= self._clock():
            return ""
        with suppress(Invalid):
            return self._vault.decrypt(row.sealed)
        return ""

    def _take(self, account: int, seen: int, owner: str) -> bool:
        """Become the one who fetches, unless somebody does, or did since the row was looked at."""
        now = self._clock()
        free = col(ChannelToken.lease_until).is_(None) | (col(ChannelToken.lease_until) <= now)
        taken = (
            update(ChannelToken)
            .where(col(ChannelToken.account) == account, col(ChannelToken.round) == seen, free)
            .values(owner=owner, lease_until=now + timedelta(seconds=self._patience.lease))
        )
        return self._changed(taken)

    def _fetched(self, account: int, seen: int, owner: str, fetch: Fetch) -> str:
        """Ask the platform and store what it gave; empty when the lease was lost meanwhile."""
        try:
            token, seconds = fetch()
        except BaseException:
            self._changed(self._mine(account, owner).values(owner="", lease_until=None))
            raise
        holds = max(seconds - _EARLY, seconds / 2)
        stored = self._mine(account, owner).values(
            sealed=self._vault.encrypt(token),
            expires_at=self._clock() + timedelta(seconds=holds),
            round=seen + 1,
            owner="",
            lease_until=None,
        )
        return token if self._changed(stored) else ""

    def _mine(self, account: int, owner: str) -> Update:
        return update(ChannelToken).where(
            col(ChannelToken.account) == account, col(ChannelToken.owner) == owner
        )

    def _changed(self, statement: Update) -> bool:
        with self._database.transaction() as session:
            return session.connection().execute(statement).rowcount == 1
