"""Sends claimed batches: no transaction is open while a message is handed over."""

import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from sqlmodel import Session, col, select

from campaign import audience
from campaign.audience import Address
from core.database import Database
from core.errors import DomainError
from core.i18n import mark
from core.privacy import Vault
from scheduler import outbox
from scheduler.account_secrets import Opener
from scheduler.channels import registry
from scheduler.channels.base import AnyChannel, Connection, DeliveryError, Message
from scheduler.composer import Composer, Letter
from scheduler.models import Batch, BatchState, Delivery, DeliveryState, Push, PushState
from scheduler.outbox import LeaseLost, Settlement
from scheduler.patience import Limits, backoff

log = structlog.get_logger()


class Dispatcher:
    """Claims batches and sends them, in as many threads and processes as call `run`."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, AnyChannel],
        composer: Composer,
        vault: Vault,
        opener: Opener,
        *,
        clock: Callable[[], datetime],
        limits: Limits | None = None,
    ) -> None:
        self.database = database
        self.channels = channels
        self.composer = composer
        self.vault = vault
        self.opener = opener
        self.clock = clock
        self.limits = limits or Limits()
        self.stopping = threading.Event()

    def run(self, channel: str) -> int:
        """Send every batch of a channel that can be claimed now; returns how many were taken."""
        done = 0
        while not self.stopping.is_set():
            owner = uuid.uuid4().hex
            if not self.waiting(channel):  # an idle worker takes no write lock
                break
            with self.database.transaction() as session:
                batch = outbox.claim(
                    session, channel=channel, owner=owner, now=self.clock(), limits=self.limits
                )
            if batch is None:
                continue
            Sending(self, self.channels[channel], batch, owner).run()
            done += 1
        return done

    def waiting(self, channel: str) -> bool:
        """Whether a batch of a channel can be claimed now."""
        return bool(self.database.ask(outbox.CLAIMABLE, {"channel": channel, "now": self.clock()}))

    def take_up(self) -> int:
        """Take batches from workers whose lease ran out; returns how many."""
        with self.database.reading() as session:
            found = outbox.expired(session, self.clock())
        taken = 0
        for batch in found:
            with self.database.transaction() as session:
                now = self.clock()
                idempotent = self.channels[batch.channel].idempotent
                taken += outbox.take_up(session, batch, idempotent=idempotent, now=now)
                outbox.finish_if_done(session, batch.push_id, now)
        if taken:
            log.warning("batches taken up from a worker that stopped", batches=taken)
        return taken


class Sending:
    """One claimed batch on its way out."""

    def __init__(self, dispatcher: Dispatcher, channel: AnyChannel, batch: Batch, owner: str) -> None:
        self._d = dispatcher
        self._channel = channel
        self._batch_id = batch.id or 0
        self._attempts = batch.attempts
        self._push_id = batch.push_id
        self._owner = owner
        self._pending: list[Settlement] = []
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
            with self._d.database.reading() as session:
                push = session.get_one(Push, self._push_id)
                waiting = _waiting(session, self._batch_id)
                letter = self._d.composer.letter(session, push)
                account = self._d.opener.open(session, push)
            with self._channel.connect(account) as line:
                for start in range(0, len(waiting), self._channel.group):
                    if not self._send_group(line, letter, waiting[start : start + self._channel.group]):
                        break
        except DeliveryError as error:
            self._note_fault(error)
        except DomainError as error:
            self._stop_reason = str(error)

    def _send_group(self, line: Connection, letter: Letter, group: list[Delivery]) -> bool:
        """Commit that these go out, send them, remember the results; False when the batch must rest."""
        for delivery, message in self._begin(letter, group):
            if self._fault is not None:
                self._note(delivery, DeliveryState.queued, tried=False)
            elif message is None:
                self._note(delivery, DeliveryState.failed, mark("联系人已按本人要求删除。"))
            else:
                self._send_one(line, delivery, message)
        return self._running and self._fault is None

    def _begin(self, letter: Letter, group: list[Delivery]) -> list[tuple[Delivery, Message | None]]:
        """In one transaction: settle the group before, prove the lease, hold back who said no, mark the rest.

        The messages are written inside it too, so that a fault in writing leaves nobody marked.
        """
        with self._d.database.transaction() as session:
            now = self._d.clock()
            outbox.renew(session, self._batch_id, owner=self._owner, now=now, limits=self._d.limits)
            outbox.settle(session, self._pending, now)
            state = session.exec(select(Push.state).where(Push.id == self._push_id)).one()
            self._running = state == PushState.running and not self._d.stopping.is_set()
            begun: list[tuple[Delivery, Message | None]] = []
            if self._running:
                no = audience.refused_among(session, self._channel.name, [one.address_index for one in group])
                outbox.withhold(session, [one for one in group if one.address_index in no], now)
                marked = outbox.begin(session, [one for one in group if one.address_index not in no])
                begun = self._written(session, letter, marked)
        self._pending = []
        return begun

    def _written(
        self, session: Session, letter: Letter, marked: list[Delivery]
    ) -> list[tuple[Delivery, Message | None]]:
        """Each delivery with its message; None for a contact who was erased."""
        if registry.to_group(self._channel.name):
            return [(one, self._message(letter, one, Address(0, "", ""))) for one in marked]
        contacts = [one.contact_id for one in marked]
        addresses = audience.addresses(session, self._d.vault, self._channel.name, contacts)
        return [(one, self._message(letter, one, addresses.get(one.contact_id))) for one in marked]

    def _message(self, letter: Letter, delivery: Delivery, address: Address | None) -> Message | None:
        if address is None:
            return None
        return self._d.composer.message(
            letter,
            key=delivery.key,
            address=address,
            address_index=delivery.address_index,
            outlet=delivery.outlet_code,
        )

    def _send_one(self, line: Connection, delivery: Delivery, message: Message) -> None:
        try:
            reference = line.send(message)
        except DeliveryError as error:
            self._failed(delivery, error)
        else:
            self._progress = True
            self._note(delivery, DeliveryState.sent, reference=reference)

    def _failed(self, delivery: Delivery, error: DeliveryError) -> None:
        if error.everyone:
            self._note_fault(error)
        if error.unknown and not self._channel.idempotent:
            self._note(delivery, DeliveryState.uncertain, error.message)
        elif error.permanent and error.everyone:
            self._note(delivery, DeliveryState.queued, error.message, tried=False)
        elif error.permanent or delivery.attempts + 1 >= self._d.limits.most_attempts:
            self._note(delivery, DeliveryState.failed, error.message)
        else:
            self._retry = True
            self._fault_wait = max(self._fault_wait, error.retry_after or 0.0)
            self._note(delivery, DeliveryState.queued, error.message)

    def _note(
        self,
        delivery: Delivery,
        state: DeliveryState,
        reason: str = "",
        *,
        reference: str = "",
        tried: bool = True,
    ) -> None:
        self._pending.append(Settlement(delivery.id or 0, state, reason, reference, tried))

    def _note_fault(self, error: DeliveryError) -> None:
        self._fault = error
        self._retry = True
        self._fault_wait = max(self._fault_wait, error.retry_after or 0.0)
        if error.permanent:
            self._stop_reason = error.message

    def _close(self) -> None:
        """Settle the rest and let the batch go: done, or queued again after a wait."""
        limits = self._d.limits
        attempts = (1 if self._progress else self._attempts + 1) if self._retry else 0
        with self._d.database.transaction() as session:
            now = self._d.clock()
            outbox.renew(session, self._batch_id, owner=self._owner, now=now, limits=limits)
            outbox.settle(session, self._pending, now)
            wait = backoff(attempts - 1, limits, self._fault_wait) if self._retry else None
            reason = self._fault.message if self._fault else ""
            state = outbox.release(
                session, self._batch_id, now=now, wait=wait, attempts=attempts, reason=reason
            )
            self._pending = []
            self._stop_if_failing(session, attempts if state == BatchState.queued else 0)
            outbox.finish_if_done(session, self._push_id, now)

    def _stop_if_failing(self, session: Session, attempts: int) -> None:
        too_many = outbox.failing(session, self._push_id, self._d.limits)
        if too_many:
            self._stop_reason = mark("失败太多，已自动暂停。请查看失败原因，处理后再继续。")
        elif attempts >= self._d.limits.most_attempts and not self._stop_reason:
            self._stop_reason = mark("渠道连续多次不通，已自动暂停。请检查渠道设置后再继续。")
        if self._stop_reason and outbox.stop_push(session, self._push_id, self._stop_reason):
            log.warning("push stopped", push=self._push_id, reason=self._stop_reason)

    def _settle_late(self) -> None:
        """The lease was lost while sending; what is known by now still clears up uncertain rows."""
        log.warning("lease lost while sending", batch=self._batch_id)
        with self._d.database.transaction() as session:
            now = self._d.clock()
            outbox.settle_late(session, self._pending, now)
            outbox.reassess(session, self._batch_id, now)
            outbox.finish_if_done(session, self._push_id, now)


def _waiting(session: Session, batch_id: int) -> list[Delivery]:
    """Recipients still to be sent to, those tried least first."""
    query = (
        select(Delivery)
        .where(Delivery.batch_id == batch_id, Delivery.state == DeliveryState.queued)
        .order_by(col(Delivery.attempts), col(Delivery.id))
    )
    return list(session.exec(query))
