"""Asks platforms what became of messages: doubts, receipts that wait to be fetched, how calls ended, the mailbox.

Each account is asked by one worker at a time, who holds its row by a lease; no transaction is open while a platform is
asked. A worker that dies holds its account up until the lease ran out. What goes wrong stands on the account's page.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

import structlog
from sqlalchemy import ColumnElement, and_, bindparam, func, or_, update
from sqlmodel import Session, col, select

from campaign import audience
from core.database import Database, Prepared, UtcDateTime
from core.i18n import mark
from core.privacy import Vault
from scheduler import bounces, receipts
from scheduler.account_secrets import Opener
from scheduler.calling import call_key
from scheduler.channels.base import Account, AnyChannel, DeliveryError, Receipt, Tally
from scheduler.channels.base_sms import Doubt
from scheduler.matching import Source
from scheduler.models import Batch, ChannelAccount, Delivery, DeliveryState, Push
from scheduler.receipt_models import ChannelHook, PushTally

log = structlog.get_logger()

EVERY, LEASE = timedelta(minutes=2), timedelta(minutes=10)
MOST_DOUBTS, MOST_CALLS = 50, 50  # asked about in a round
_RIPE, _OLD = (
    timedelta(minutes=1),
    timedelta(days=7),
)  # doubts younger may settle themselves; records go after a week
_ENDED, _RECENT = timedelta(minutes=10), timedelta(days=3)  # calls are asked about in between
_AGAIN = timedelta(hours=1)  # figures that grow
_LOST = mark("查询回执时出错，稍后再试；详情看运行日志。")


@runtime_checkable
class AsksDoubts(Protocol):
    """A channel whose platform has records to look a doubt up in."""

    def poll(self, account: Account, doubts: Sequence[Doubt]) -> Sequence[Receipt]:
        """What the records say of these."""
        ...


@runtime_checkable
class Pulls(Protocol):
    """A channel whose receipts wait to be fetched, each once."""

    def pull(self, account: Account, settle: Callable[[Sequence[Receipt]], None]) -> int:
        """Fetch those that wait, `settle` each page of them; how many."""
        ...


@runtime_checkable
class AsksCalls(Protocol):
    """A channel whose platform says how a call ended."""

    def ask(self, account: Account, references: Sequence[str]) -> Sequence[Receipt | Tally]:
        """How these ended, those that have."""
        ...


def _due(now: Any) -> ColumnElement[bool]:
    free = or_(col(ChannelHook.poll_until).is_(None), col(ChannelHook.poll_until) <= now)
    return and_(col(ChannelHook.poll_at) <= now, free)


_WAITING = Prepared(
    select(col(ChannelHook.account_id))
    .where(_due(bindparam("now", type_=UtcDateTime)))
    .order_by(col(ChannelHook.poll_at))
)


@dataclass(frozen=True, slots=True)
class _Round:
    """One account in the hands of one worker."""

    row: ChannelAccount
    account: Account
    source: Source
    owner: str


class Poller:
    """Asks for what is due; several at once share the accounts."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        opener: Opener,
        channels: Mapping[str, AnyChannel],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._vault = vault
        self._opener = opener
        self._channels = channels
        self._clock = clock
        self._stopping = False

    def stop(self) -> None:
        """Begin with no other account."""
        self._stopping = True

    def run_once(self) -> int:
        """Ask for every account that is due; returns how many were asked."""
        done = 0
        for (number,) in self._database.ask(_WAITING, {"now": self._clock()}):
            if self._stopping:
                break
            one = self._taken(number)
            if one is not None:
                self._ask(one)
                done += 1
        return done

    def _taken(self, number: int) -> _Round | None:
        """Take an account's row, unless somebody was faster, or there is nothing to ask its platform for."""
        owner, now = uuid.uuid4().hex, self._clock()
        with self._database.transaction() as session:
            row = session.get_one(ChannelAccount, number)
            if not self._asks(row):
                _write(session, number, "", poll_at=None)
                return None
            mine = update(ChannelHook).where(col(ChannelHook.account_id) == number, _due(now))
            taken = mine.values(poll_owner=owner, poll_until=now + LEASE)
            if session.connection().execute(taken).rowcount != 1:
                return None
            source = Source.of(session, row)
        return _Round(row, self._opener.account(row), source, owner)

    def _asks(self, row: ChannelAccount) -> bool:
        channel = self._channels.get(row.channel)
        return row.channel == "email" or isinstance(channel, AsksDoubts | Pulls | AsksCalls)

    def _ask(self, one: _Round) -> None:
        """Ask, and let the row go with what went wrong."""
        fault = ""
        try:
            self._all(one)
        except DeliveryError as error:
            fault = error.message
        except Exception:
            log.exception("asking for receipts failed; it is tried again", account=one.row.id)
            fault = _LOST
        now = self._clock()
        values = {"poll_owner": "", "poll_until": None, "poll_at": now + EVERY, "polled_at": now}
        with self._database.transaction() as session:
            _write(session, one.row.id or 0, one.owner, fault=fault[:500], **values)

    def _all(self, one: _Round) -> None:
        channel = self._channels.get(one.row.channel)
        if one.row.channel == "email":
            bounces.poll(one.account, lambda told: self._take(one, told, "mailbox"))
        if isinstance(channel, Pulls) and one.account.options.get("pull", "").lower() == "yes":
            channel.pull(one.account, lambda told: self._take(one, told, "pull"))
        if isinstance(channel, AsksDoubts):
            doubts = self._doubts(one)
            if doubts:
                self._take(one, channel.poll(one.account, doubts), "poll")
        if isinstance(channel, AsksCalls):
            asked = self._calls(one)
            if asked:
                self._take(one, channel.ask(one.account, asked), "poll")

    def _take(self, one: _Round, told: Sequence[Receipt | Tally], via: str) -> None:
        """Put what was said to its rows at once: what was fetched is not given again."""
        now = self._clock()
        with self._database.transaction() as session:
            said = [each for each in told if isinstance(each, Receipt)]
            receipts.take(session, self._vault, one.source, said, via=via, now=now)
            receipts.tally(session, one.source, [each for each in told if isinstance(each, Tally)], now)

    def _doubts(self, one: _Round) -> list[Doubt]:
        """The next rows in doubt of an account; after the last it begins again."""
        now, number = self._clock(), one.row.id or 0
        account = func.coalesce(Batch.account_id, Push.account_id)
        query = (
            select(Delivery, Batch.key)
            .join(Batch, col(Batch.id) == Delivery.batch_id)
            .join(Push, col(Push.id) == Delivery.push_id)
            .where(account == number, Delivery.state == DeliveryState.uncertain, Delivery.contact_id > 0)
            .where(col(Delivery.settled_at) <= now - _RIPE, col(Delivery.settled_at) > now - _OLD)
            .where(Push.created_at > now - _OLD)
            .order_by(col(Delivery.id))
            .limit(MOST_DOUBTS)
        )
        with self._database.transaction() as session:
            cursor = session.exec(select(ChannelHook.cursor).where(ChannelHook.account_id == number)).one()
            found = session.exec(query.where(col(Delivery.id) > cursor)).all()
            _write(session, number, one.owner, cursor=found[-1][0].id if len(found) == MOST_DOUBTS else 0)
            people = [row.contact_id for row, _key in found]
            known = audience.addresses(session, self._vault, one.row.channel, people, names=False)
        return [
            Doubt(
                row.key, known[row.contact_id].address, row.settled_at or now,
                call_key(batch_key, row.call) if row.call is not None else "",
            )
            for row, batch_key in found
            if row.contact_id in known
        ]  # fmt: skip

    def _calls(self, one: _Round) -> list[str]:
        """References of calls that have had time to end, and of which nothing (new) is known."""
        now = self._clock()
        known = (PushTally.push_id == Delivery.push_id, PushTally.reference == Delivery.reference)
        fresh = select(PushTally.reference).where(*known, PushTally.at > now - _AGAIN).exists()
        query = (
            select(Delivery.reference)
            .join(Batch, col(Batch.id) == Delivery.batch_id)
            .join(Push, col(Push.id) == Delivery.push_id)
            .where(func.coalesce(Batch.account_id, Push.account_id) == one.row.id, Delivery.reference != "")
            .where(col(Push.started_at) > now - _RECENT, col(Batch.settled_at) <= now - _ENDED)
            .where(Delivery.state == DeliveryState.sent, ~fresh)
            .distinct()
            .limit(MOST_CALLS)
        )
        with self._database.reading() as session:
            return list(session.exec(query))


def _write(session: Session, number: int, owner: str, **values: object) -> None:
    """Write onto an account's row while it is ours (or nobody's)."""
    mine = (col(ChannelHook.account_id) == number, col(ChannelHook.poll_owner) == owner)
    session.connection().execute(update(ChannelHook).where(*mine).values(**values))
