"""Who of a batch may be sent to now: not who was erased, refuses or had enough, and no more than the account may send."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import bindparam, or_, update
from sqlalchemy import select as sa_select
from sqlmodel import Session, col

from campaign import audience
from campaign.among import among_numbers, listed
from campaign.contacts import EDUCATION
from core.database import Database, Prepared
from core.i18n import mark
from core.privacy import Vault
from scheduler import caps, quotas, settling
from scheduler.account_secrets import Opener
from scheduler.channels import registry
from scheduler.channels.base import AnyChannel
from scheduler.composer import Composer
from scheduler.models import Batch, Delivery, DeliveryState, Push
from scheduler.patience import Limits
from scheduler.settling import Waiting

CAPPED = mark("这位收件人近几天收得够多了，这次没有发。")
ERASED = mark("联系人已按本人要求删除。")


@dataclass(frozen=True, slots=True)
class Tools:
    """What every batch is sent with."""

    database: Database
    composer: Composer
    vault: Vault
    opener: Opener
    quotas: quotas.Quotas
    clock: Callable[[], datetime]
    limits: Limits
    stopping: threading.Event
    slots: Mapping[str, threading.Semaphore]  # of each channel, for the calls that are on their way at a time


@lru_cache(64)
def _exceptions(channel: str, purpose: str, whole_call: bool) -> Prepared:
    """Who of waiting rows, or of those of a call, is out of reach, and whether by being erased: made once, because making
    and naming the conditions took longer than asking."""
    erased, silent = audience.out_of_reach(Delivery.contact_id, Delivery.address_index, channel, purpose)
    of_call = (col(Delivery.batch_id) == bindparam("batch"), col(Delivery.call) == bindparam("call"))
    these = of_call if whole_call else (among_numbers(Delivery.id, bindparam("rows")),)
    waiting = col(Delivery.state) == DeliveryState.queued
    return Prepared(sa_select(col(Delivery.id), erased).where(*these, waiting, or_(erased, silent)))


class Admitting:
    """What a batch knows of who may be sent to, asked in the transaction that marks them."""

    def __init__(self, tools: Tools, channel: AnyChannel, batch: Batch) -> None:
        self._tools = tools
        self._channel = channel
        self._rates = channel.rates
        self._push_id, self._batch_id = batch.push_id, batch.id or 0
        self._account = 0
        self._by, self._named = batch.account_id, batch.channel
        self._purpose = EDUCATION
        self._full = False  # the account may send nothing more for now
        self._rest: float | None = None  # seconds until somebody who had to wait may be sent to

    def _willing(self, session: Session, group: list[Waiting]) -> list[Waiting]:
        """Settle who was erased or said no meanwhile, leave waiting whose address was written to just now; the others."""
        now = self._tools.clock()
        gone, no = self._exceptions(session, group)
        return self._unheld(
            session, self._uncapped(session, self._without(session, group, gone, no), now), now
        )

    def _without(self, session: Session, group: list[Waiting], gone: set[int], no: set[int]) -> list[Waiting]:
        """Settle who is erased and who takes nothing; the others."""
        if not gone and not no:
            return group
        now = self._tools.clock()
        lost, refused = ([one for one in group if one.id in some] for some in (gone, no))
        settling.withhold(session, lost, now, DeliveryState.failed, ERASED)
        settling.withhold(session, refused, now)
        return [one for one in group if one.id not in gone and one.id not in no]

    def _exceptions(
        self, session: Session, group: Sequence[Waiting], call: int | None = None
    ) -> tuple[set[int], set[int]]:
        """Those of some rows (all of a call, if it is told) who are erased, and those who take nothing (any more): by one
        question."""
        name = self._channel.name
        if registry.to_group(name):
            no = audience.refused_among(session, name, [one.address_index for one in group], self._purpose)
            return set(), {one.id for one in group if one.address_index in no}
        asked: dict[str, object] = {"batch": self._batch_id, "call": call}
        if call is None:
            asked = {"rows": listed(one.id for one in group)}
        session.flush()
        rows = _exceptions(name, self._purpose, call is not None).on(session.connection(), asked)
        gone = {number for number, is_gone in rows if is_gone}
        return gone, {number for number, _gone in rows} - gone

    def _unheld(self, session: Session, group: list[Waiting], now: datetime) -> list[Waiting]:
        """Those whose address was not written to just now; the others wait."""
        name, indexes = self._channel.name, (one.address_index for one in group)
        held = quotas.held(session, self._account, name, self._rates, indexes=indexes, now=now)
        if not held:
            return group
        self._wait_for(min(held.values()))
        return [one for one in group if one.address_index not in held]

    def _uncapped(self, session: Session, group: list[Waiting], now: datetime) -> list[Waiting]:
        """Settle who had all the messages that the institution allows in so many days; the others."""
        if registry.to_group(self._channel.name):
            return group
        over = caps.over(session, self._named, (one.address_index for one in group), now)
        if not over:
            return group
        capped = [one for one in group if one.address_index in over]
        settling.withhold(session, capped, now, DeliveryState.cancelled, CAPPED)
        more = update(Push).where(col(Push.id) == self._push_id)
        session.connection().execute(more.values(capped=col(Push.capped) + len(capped)))
        return [one for one in group if one.address_index not in over]

    def _room(self, session: Session, group: list[Waiting], *, in_calls: bool) -> list[Waiting]:
        """Those of the group for whom the account has room now."""
        account = f"{self._channel.name} {self._account}"
        room = self._tools.quotas.take(
            session, account, self._rates, len(group), in_calls=in_calls, now=self._tools.clock()
        )
        if room.messages < len(group):
            self._full = True
            self._wait_for(room.wait)
        return group if room.messages >= len(group) else group[: room.messages]

    def _wait_for(self, seconds: float) -> None:
        self._rest = seconds if self._rest is None else min(self._rest, seconds)
