"""What a platform allows an account, shared by all workers: counted in the database that all of them share, or in Redis.

In the database a call takes its place in the transaction that marks its recipients, so a call that is begun was
counted and one that is not was not, whoever dies in between; in Redis (the setting `rate_storage`) the library
`limits` counts. Both are moving windows: in no span of so many seconds are there more than so many calls.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import ColumnElement, bindparam, exists, func, or_
from sqlmodel import Field, Session, SQLModel, col, select

from core.database import Prepared
from scheduler import writing
from scheduler.channels.base import Rate
from scheduler.models import Batch, Delivery, DeliveryState, Push

_EXACT = 100  # takings that are remembered one by one; more of them are put together
_Taken = list[tuple[float, int]]


class Quota(SQLModel, table=True):
    """What was taken lately of one rate of one account: pairs of a moment and a number, JSON."""

    __tablename__ = "push_quota"

    name: str = Field(primary_key=True, max_length=80)
    taken: str = Field(default="[]")


class Room(NamedTuple):
    """How many messages may go now, and when not all of them, seconds until more may."""

    messages: int
    wait: float = 0.0


class Quotas(Protocol):
    """Takes what a platform allows; `account` tells accounts of all channels apart."""

    def take(
        self,
        session: Session,
        account: str,
        rates: Sequence[Rate],
        want: int,
        *,
        in_calls: bool,
        now: datetime,
    ) -> Room:
        """Take room for at most `want` messages (in one call, or a call for each), as much as there is."""
        ...


class DatabaseQuotas:
    """Counts in a row for each rate of an account, which whoever takes holds until their transaction ends."""

    def take(
        self,
        session: Session,
        account: str,
        rates: Sequence[Rate],
        want: int,
        *,
        in_calls: bool,
        now: datetime,
    ) -> Room:
        """Take room; nothing of any rate is taken when one of them has none."""
        rates = [rate for rate in rates if rate.per != "address"]
        if not rates or not want:
            return Room(want)
        at, found = now.timestamp(), []
        for rate in sorted(rates, key=_name):
            name = f"{account} {_name(rate)}"
            found.append((name, rate, _Window(rate, self._locked(session, name), at)))
        room = min(window.fits(want, in_calls) for _, _, window in found)
        if room:
            for name, rate, window in found:
                window.take(1 if in_calls and rate.per == "call" else room, at)
                session.get_one(Quota, name).taken = json.dumps(window.taken)
            session.flush()
        return Room(room, max(window.wait(at) for _, _, window in found) if room < want else 0.0)

    def _locked(self, session: Session, name: str) -> _Taken:
        """What was taken, in a row that nobody else can change before our transaction ends."""
        _MAKE.on(session.connection(), {"n": name})
        query = select(Quota).where(Quota.name == name).with_for_update()
        row = session.exec(query.execution_options(populate_existing=True)).one()
        return [(at, number) for at, number in json.loads(row.taken)]


class _Window:
    """The moving window of one rate."""

    def __init__(self, rate: Rate, taken: _Taken, at: float) -> None:
        self._rate = rate
        # Put together to the hundredth part of the window, and then believed to be the latest of them.
        self._step = 0.0 if rate.times <= _EXACT else rate.seconds / _EXACT
        self.taken = [one for one in taken if one[0] + rate.seconds > at]
        self.room = max(0, rate.times - sum(number for _at, number in self.taken))

    def fits(self, want: int, in_calls: bool) -> int:
        """How many of so many messages may go now."""
        if in_calls and self._rate.per == "call":
            return want if self.room else 0
        return min(want, self.room)

    def wait(self, at: float) -> float:
        """Seconds until there is room for one more; 0 when there is now."""
        over = sum(number for _at, number in self.taken) + 1 - self._rate.times
        for then, number in self.taken:
            over -= number
            if over <= 0:
                return max(0.0, then + self._rate.seconds - at)
        return 0.0

    def take(self, number: int, at: float) -> None:
        """Note that so many went."""
        if self._step:
            at = (math.floor(at / self._step) + 1) * self._step
        if self.taken and self.taken[-1][0] == at:
            number += self.taken.pop()[1]
        self.taken.append((at, number))


class SharedQuotas:
    """Counts in Redis by the library `limits`, for many machines; a place once taken is not given back."""

    def __init__(self, uri: str) -> None:
        self._windows = MovingWindowRateLimiter(storage_from_string(uri))

    def take(
        self,
        session: Session,
        account: str,
        rates: Sequence[Rate],
        want: int,
        *,
        in_calls: bool,
        now: datetime,
    ) -> Room:
        """Take room; when two workers see the last place, one of them waits."""
        found = [
            (rate, RateLimitItemPerSecond(rate.times, rate.seconds))
            for rate in rates
            if rate.per != "address"
        ]
        room = want
        for rate, item in found:
            left = self._windows.get_window_stats(item, account, rate.per).remaining
            single = in_calls and rate.per == "call"
            room = min(room, left) if not single else room if left else 0
        for rate, item in found if room else ():
            cost = 1 if in_calls and rate.per == "call" else room
            if not self._windows.hit(item, account, rate.per, cost=cost):
                room = 0
                break
        return Room(room, self._wait(account, found, now) if room < want else 0.0)

    def _wait(self, account: str, found: Sequence[tuple[Rate, RateLimitItem]], now: datetime) -> float:
        """Until there is room for one more; another worker may have taken it by then, and this one waits again."""
        stats = [self._windows.get_window_stats(item, account, rate.per) for rate, item in found]
        full = [one.reset_time for one in stats if not one.remaining]
        return max(0.05, max(full, default=0.0) - now.timestamp())


def quotas(rate_storage: str) -> Quotas:
    """Where the quotas of this installation are counted: Redis when limits are, else in the database."""
    return SharedQuotas(rate_storage) if rate_storage.startswith("redis") else DatabaseQuotas()


def held(
    session: Session,
    account: int,
    channel: str,
    rates: Sequence[Rate],
    *,
    indexes: Iterable[str],
    now: datetime,
) -> Mapping[str, float]:
    """The addresses that must not get another message of this account now, with seconds until they may: by the rows
    of the outbox, which know for each contact when it was sent to, and by which account."""
    found: dict[str, float] = {}
    of_each = [rate for rate in rates if rate.per == "address"]
    wanted = list(indexes) if of_each else []
    for rate in of_each:
        since = now - timedelta(seconds=rate.seconds)
        query = (
            select(Delivery.address_index, func.count(), func.min(Delivery.settled_at))
            .join(Push, col(Push.id) == Delivery.push_id)
            .join(Batch, col(Batch.id) == Delivery.batch_id)
            .where(*writing.to_addresses(session, channel, wanted, since, _by(channel, account)))
            .where(
                Batch.channel == channel,
                func.coalesce(Batch.account_id, Push.account_id, 0) == account,
                or_(
                    col(Delivery.state) == DeliveryState.sending,
                    writing.in_a_call(),
                    col(Delivery.state).in_(
                        (DeliveryState.sent, DeliveryState.failed, DeliveryState.uncertain)
                    )
                    & (col(Delivery.settled_at) > since),
                ),
            )
            .group_by(col(Delivery.address_index))
            .having(func.count() >= rate.times)
        )
        for index, _count, first in session.exec(query):
            wait = ((first or now) - since).total_seconds()
            found[index] = max(found.get(index, 0.0), wait)
    return found


def _name(rate: Rate) -> str:
    return f"{rate.times}/{rate.seconds} {rate.per}"


_MAKE = Prepared(
    lambda insert: insert(Quota).values(name=bindparam("n"), taken="[]").on_conflict_do_nothing()
)


def _by(channel: str, account: int) -> ColumnElement[bool]:
    """Whether a push goes by this account, or some of its batches do because another one failed."""
    own = (col(Push.channel) == channel) & (func.coalesce(Push.account_id, 0) == account)
    return own | exists().where(col(Batch.push_id) == Push.id, col(Batch.account_id) == account)
