"""What a platform tells us at an account's address: believed when its channel's rules say so, put to the rows, answered.

The address is a secret of its own: where a platform signs nothing, it stands for the signature.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from core.clock import day_of
from core.database import Database
from core.errors import NotFound
from core.i18n import mark
from core.privacy import Vault
from scheduler import hooks, receipts
from scheduler.account_secrets import Opener
from scheduler.channels import registry
from scheduler.channels.base import Account, DeliveryError
from scheduler.matching import Source
from scheduler.models import ChannelAccount

log = structlog.get_logger()
LARGEST = 1 << 20  # bytes of a call
_TOKEN = "token"  # noqa: S105  (the name of a parameter)


class Refused(Exception):
    """A call that is not believed; who made it learns nothing more."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it came: the account's kind and token of its address, its body, its headers, its query."""

    kind: str
    token: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = b""


class Hearing:
    """Hears calls; several at once, in any process."""

    def __init__(
        self, database: Database, vault: Vault, opener: Opener, zone: ZoneInfo, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._vault = vault
        self._opener = opener
        self._zone = zone
        self._clock = clock

    def hear(self, call: Call) -> bytes:
        """Take what a call says; what the platform wants for an answer. NotFound for nobody's address, Refused for what
        is not believed."""
        row, account, query = self._opened(call)
        kind = registry.get(row.channel)
        if kind.reads is None:
            raise NotFound(mark("没有这个地址。"))
        try:
            told = kind.reads(account, call.body, call.headers, query)
            heads = kind.counts(account, call.body, call.headers, query) if kind.counts else []
            confirm = kind.confirms(call.body) if kind.confirms else ""
        except DeliveryError as error:
            self._refuse(row, error.message)
            raise Refused from None
        except (AttributeError, KeyError, TypeError, ValueError):
            self._refuse(row, mark("回调的内容读不懂，没有理会。"))
            raise Refused from None
        now = self._clock()
        with self._database.transaction() as session:
            source = Source.of(session, row)
            done = receipts.take(session, self._vault, source, told, via=row.channel, now=now)
            receipts.tally(session, source, heads, now)
            hooks.note_heard(session, row.id or 0, day_of(now, self._zone), now, confirm)
        if done.strange:
            log.info("receipts of nobody here", account=row.id, receipts=done.strange)
        return kind.received

    def greet(self, call: Call) -> str:
        """What to answer a platform that tries the address out; NotFound and Refused as above."""
        row, account, query = self._opened(call)
        greets = registry.get(row.channel).greets
        if greets is None:
            raise NotFound(mark("没有这个地址。"))
        try:
            return greets(account, query)
        except DeliveryError as error:
            self._refuse(row, error.message)
            raise Refused from None

    def _opened(self, call: Call) -> tuple[ChannelAccount, Account, Mapping[str, str]]:
        with self._database.reading() as session:
            row = hooks.find(session, call.kind, call.token)
        account = self._opener.account(row)
        if _TOKEN in call.query:  # an address of the account's own choice
            return row, account, call.query
        trusting = replace(account, options={**account.options, "report_token": call.token})
        return row, trusting, {**call.query, _TOKEN: call.token}

    def _refuse(self, row: ChannelAccount, reason: str) -> None:
        now = self._clock()
        with self._database.transaction() as session:
            hooks.note_refused(session, row.id or 0, day_of(now, self._zone), now, reason)
        log.warning("a receipt was refused", account=row.id)
