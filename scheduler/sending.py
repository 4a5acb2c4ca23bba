"""One claimed batch on its way out: no transaction is open while a message is handed over."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlmodel import Session

from campaign import audience
from campaign.audience import Address
from core.errors import DomainError
from core.i18n import mark
from scheduler import failover, outbox, settling
from scheduler.abreast import Addressed, abreast
from scheduler.admitting import CAPPED, ERASED, Admitting, Tools
from scheduler.channels import registry
from scheduler.channels.base import Account, AnyChannel, Closed, DeliveryError, Message
from scheduler.composer import Letter
from scheduler.models import Batch, BatchState, DeliveryState, Push
from scheduler.outbox import LeaseLost
from scheduler.patience import backoff
from scheduler.settling import Settlement, Waiting

__all__ = ["CAPPED", "ERASED", "Sending", "Tools"]

log = structlog.get_logger()

Written = tuple[Waiting, Message | None]
Call = tuple[int, int]
Part = TypeVar("Part")
Ready = TypeVar("Ready")


class Sending(Admitting):
    """A batch whose messages are handed over one by one."""

    def __init__(self, tools: Tools, channel: AnyChannel, batch: Batch, owner: str) -> None:
        super().__init__(tools, channel, batch)
        self._batch_key = batch.key
        self._attempts = batch.attempts
        self._round = batch.rounds + 1  # under which those sent now will be counted
        self._owner = owner
        self._pending: list[Settlement] = []
        self._closing: list[tuple[str, Closed]] = []
        self._tried = {DeliveryState.sent: 0, DeliveryState.failed: 0}
        self._fault: DeliveryError | None = None
        self._stop_reason = ""
        self._retry = False
        self._progress = False
        self._fault_wait = 0.0
        self._running = True

    def run(self) -> None:
        """Send what waits, settle it, let the batch go."""
        try:
            self._send_all()
            self._close()
        except LeaseLost:
            self._settle_late()
        except Exception:
            # What is in flight is unknown: the lease runs out, and take_up decides by what the channel can tell.
            log.exception("sending a batch failed", batch=self._batch_id)

    def _send_all(self) -> None:
        try:
            with self._tools.database.reading() as session:
                push = failover.routed(session, session.get_one(Push, self._push_id), self._by)
                self._account, self._named = push.account_id or 0, push.channel
                self._purpose = push.purpose
                waiting = self._to_do(session)
                letter = self._tools.composer.letter(session, push)
                account = self._tools.opener.open(session, push)
            with self._channel.connect(account) as line:
                self._hand_over(line, account, letter, waiting)
        except DeliveryError as error:
            self._note_fault(error)
        except DomainError as error:
            self._stop_reason = str(error)

    def _to_do(self, session: Session) -> Sequence[Any]:
        """What `_hand_over` is to hand over."""
        return settling.waiting(session, self._batch_id)

    def _hand_over(self, line: Any, account: Account, letter: Letter, waiting: Sequence[Any]) -> None:
        size = self._channel.group
        groups = [waiting[start : start + size] for start in range(0, len(waiting), size)]
        with abreast(self._channel, account, line) as lines:
            for ready in self._ahead(partial(self._written, letter), groups):
                for delivery, said in lines.send(self._begin(ready)):
                    if said is None:
                        self._note(delivery, DeliveryState.queued, tried=False)
                    elif isinstance(said, DeliveryError):
                        self._failed(delivery, said)
                    else:
                        self._sent(delivery, said)
                if not self._may_go_on():
                    break

    def _ahead(self, prepare: Callable[[Part], Ready], parts: Sequence[Part]) -> Iterator[Ready]:
        """What is got ready of each part, the next one while the one before is on its way."""
        if not parts:
            return
        with ThreadPoolExecutor(1, "push-next") as beside:
            following = beside.submit(prepare, parts[0])
            for after in parts[1:]:
                ready = following.result()
                following = beside.submit(prepare, after)
                yield ready
            yield following.result()

    def _may_go_on(self) -> bool:
        return self._running and self._fault is None and not self._full

    def _begin(self, ready: list[Written]) -> list[Addressed]:
        """In one transaction: settle the group before, prove the lease, hold back who said no, mark the rest.

        The messages are written before it, so that a fault in writing leaves nobody marked.
        """
        begun: list[Addressed] = []
        with self._tools.database.transaction() as session:
            if self._prove(session):
                gone = [one for one, message in ready if message is None]
                settling.withhold(session, gone, self._tools.clock(), DeliveryState.failed, ERASED)
                found = {one.id: message for one, message in ready if message is not None}
                willing = self._willing(session, [one for one, message in ready if message is not None])
                room = self._room(session, willing, in_calls=False)
                begun = [(one, found[one.id]) for one in settling.begin(session, room)]
        self._kept()
        return begun

    def _prove(self, session: Session) -> bool:
        """Lock the batch by its lease, settle what is known; whether the push still runs."""
        now = self._tools.clock()
        runs = outbox.renew(session, self._batch_id, owner=self._owner, now=now, limits=self._tools.limits)
        self._settle(session, now)
        self._running = runs and not self._tools.stopping.is_set()
        return self._running

    def _settle(self, session: Session, now: datetime) -> None:
        settling.settle(session, self._pending, now, self._round)
        self._close_addresses(session, now)

    def _close_addresses(self, session: Session, now: datetime) -> None:
        for index, reason in self._closing:
            audience.close_address(session, self._channel.name, index, reason, via="channel", now=now)

    def _kept(self) -> None:
        """What was noted is committed."""
        self._pending, self._closing = [], []

    def _written(self, letter: Letter, group: list[Waiting]) -> list[Written]:
        """Each delivery with its message, written outside of any transaction that writes; None for a contact who was
        erased."""
        if registry.to_group(self._channel.name):
            return [(one, self._message(letter, one, Address(0, "", ""))) for one in group]
        contacts = [one.contact_id for one in group]
        with self._tools.database.reading() as session:
            found = audience.addresses(session, self._tools.vault, self._channel.name, contacts)
        return [(one, self._message(letter, one, found.get(one.contact_id))) for one in group]

    def _message(
        self, letter: Letter, delivery: Waiting, address: Address | None, outlet: str | None = None
    ) -> Message | None:
        if address is None:
            return None
        return self._tools.composer.message(
            letter,
            key=delivery.key,
            address=address,
            address_index=delivery.address_index,
            outlet=delivery.outlet_code if outlet is None else outlet,
        )

    def _sent(self, delivery: Waiting, reference: str, call: Call | None = None) -> None:
        self._progress = True
        self._note(delivery, DeliveryState.sent, reference=reference, call=call)

    def _failed(
        self,
        delivery: Waiting,
        error: DeliveryError,
        *,
        again: bool | None = None,
        call: Call | None = None,
        count: int = 0,
    ) -> None:
        """`again`: whether what is in doubt, by this try or one before, may go out once more under its key (None: as the
        channel says); `count`: of how many it holds, when of all of a call."""
        doubt = error.unknown or (again is None and delivery.call is not None and delivery.attempts > 0)
        again = self._channel.idempotent if again is None else again
        last = delivery.attempts + 1 >= self._tools.limits.most_attempts
        note = partial(self._note, delivery, reason=error.message, call=call, count=count)
        if error.everyone:
            self._note_fault(error)
        if error.closes is not None:
            self._closing.append((delivery.address_index, error.closes))
            note(DeliveryState.refused if error.closes == Closed.withdrawn else DeliveryState.failed)
        elif doubt and (last or not again):
            note(DeliveryState.uncertain)
        elif error.permanent and error.everyone:
            note(DeliveryState.queued, tried=False, again=doubt)
        elif error.permanent or last:
            note(DeliveryState.failed)
        else:
            self._retry = True
            self._fault_wait = max(self._fault_wait, error.retry_after or 0.0)
            note(DeliveryState.queued, again=doubt)

    def _note(
        self,
        delivery: Waiting,
        state: DeliveryState,
        reason: str = "",
        *,
        reference: str = "",
        tried: bool = True,
        again: bool = False,
        call: Call | None = None,
        count: int = 0,
    ) -> None:
        """`count`: so many, all of its call of whom nothing else is said."""
        if state in self._tried:
            self._tried[state] += count or 1
        number = 0 if count else delivery.id
        self._pending.append(Settlement(number, state, reason, reference, tried, again, call))

    def _note_fault(self, error: DeliveryError) -> None:
        self._fault = error
        self._retry = True
        self._fault_wait = max(self._fault_wait, error.retry_after or 0.0)
        if error.permanent:
            self._stop_reason = error.message

    def _close(self) -> None:
        """Settle the rest and let the batch go: done, or queued again after a wait."""
        limits = self._tools.limits
        attempts = (1 if self._progress else self._attempts + 1) if self._retry else 0
        with self._tools.database.transaction() as session:
            now = self._tools.clock()
            outbox.renew(session, self._batch_id, owner=self._owner, now=now, limits=limits)
            self._settle(session, now)
            outbox.note_tries(session, self._push_id, *self._tried.values())
            wait = backoff(attempts - 1, limits, self._fault_wait) if self._retry else self._rest
            reason = self._fault.message if self._fault else ""
            state = outbox.release(
                session, self._batch_id, now=now, wait=wait, attempts=attempts, reason=reason
            )
            if self._full and self._rest is not None:
                outbox.rest(session, self._push_id, now + timedelta(seconds=self._rest))
            self._stop_if_failing(session, attempts if state == BatchState.queued else 0)
            outbox.finish_if_done(session, self._push_id, now)
        self._kept()

    def _stop_if_failing(self, session: Session, attempts: int) -> None:
        limits = self._tools.limits
        if too_many := outbox.failing(session, self._push_id, limits):
            self._stop_reason = mark("失败太多，已自动暂停。请查看失败原因，处理后再继续。")
        elif attempts >= limits.most_attempts and not self._stop_reason:
            self._stop_reason = mark("渠道连续多次不通，已自动暂停。请检查渠道设置后再继续。")
        if not too_many and failover.takes_over(session, self._batch_id, self._fault, attempts, self._tools):
            return
        if self._stop_reason and outbox.stop_push(session, self._push_id, self._stop_reason):
            log.warning("push stopped", push=self._push_id, reason=self._stop_reason)

    def _settle_late(self) -> None:
        """The lease was lost while sending; what is known by now still clears up uncertain rows."""
        log.warning("lease lost while sending", batch=self._batch_id)
        with self._tools.database.transaction() as session:
            now = self._tools.clock()
            settling.settle_late(session, self._pending, now)
            self._close_addresses(session, now)  # what a platform says of an address needs no lease
            outbox.reassess(session, self._batch_id, now)
            outbox.finish_if_done(session, self._push_id, now)
