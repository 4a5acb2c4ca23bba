"""A batch of a channel that takes many recipients in a call.

A call is a range of recipients with a number, as it was cut; who is in it is fixed in the transaction before it goes
out, and its key follows from the batch and that number. So a call that is in doubt is sent again as it was, where the
platform recognises keys, and elsewhere its recipients become uncertain: of a worker that dies at most the one call that
it had in its hands. While a call is on its way, the addresses of the next one are got ready beside it.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlmodel import Session

from campaign import audience
from campaign.audience import Address
from core.i18n import mark
from scheduler import settling
from scheduler.channels.base import Account, Calls, Copies, DeliveryError, Message
from scheduler.composer import Letter
from scheduler.models import DeliveryState
from scheduler.sending import Sending
from scheduler.settling import Waiting

_CHANGED = mark("发送时中断，其间有人退订或被删除，不能原样再发。不知道对方是否收到。")
_BY_CALL: Callable[[Waiting], int] = attrgetter("call")
_BROKEN = mark("平台的回答读不懂，不知道是否收到。")


@dataclass(frozen=True, slots=True)
class Round:
    """Recipients who go in one call: known since the batch was cut, in doubt (`again`), or new (`number` None)."""

    number: int | None
    rows: list[Waiting]
    again: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A round with what can be got ready while the one before is on its way: addresses in clear, in their order."""

    round: Round
    addresses: list[Address | None]


class Calling(Sending):
    """A claimed batch on its way out by calls."""

    def _hand_over(self, line: Any, account: Account, letter: Letter, waiting: list[Waiting]) -> None:
        if not isinstance(line, Calls):
            raise TypeError(f"channel {self._channel.name} says that it takes calls, and does not")
        rounds = _rounds(waiting, self._channel.call_size)
        for ready in self._ahead(partial(self._prepare, letter), rounds):
            self._call(line, *self._begin_call(letter, ready))
            if not self._may_go_on():
                break

    def _prepare(self, letter: Letter, one: Round) -> Prepared:
        """Read and open the addresses of a round, outside of any transaction that writes."""
        contacts = [row.contact_id for row in one.rows]
        with self._tools.database.reading() as session:
            found = audience.addresses(
                session, self._tools.vault, self._channel.name, contacts, names=bool(letter.parameters)
            )
        return Prepared(one, [found.get(number) for number in contacts])

    def _begin_call(self, letter: Letter, ready: Prepared) -> tuple[int, list[Waiting], Sequence[Message]]:
        """Fix who is in the next call and commit it, with its number: one row is written, and one for each exception.

        The messages are written inside the transaction, so that a fault in writing leaves nobody marked.
        """
        number, rows = 0, list[Waiting]()
        written: Sequence[Message] = ()
        with self._tools.database.transaction() as session:
            if self._prove(session):
                number = ready.round.number or settling.numbered(session, self._batch_id, ready.round.rows)
                choose = self._whole if ready.round.again else self._choose
                rows = choose(session, number, ready)
                if rows:
                    written = self._messages(letter, rows, ready)
                    settling.begin_call(session, self._batch_id, number)
        self._pending = []
        return number, rows, written

    def _choose(self, session: Session, number: int, ready: Prepared) -> list[Waiting]:
        """Who of a round goes: not who was erased, refuses or had enough; the account's room is for the others."""
        now, rows = self._tools.clock(), ready.round.rows
        rows = self._uncapped(session, self._without(session, rows, *self._out(session, number, ready)), now)
        room = self._room(session, self._unheld(session, rows, now), in_calls=True)
        if room and len(room) < len(rows):
            stay = {one.id for one in room}
            settling.left_out(session, [one for one in rows if one.id not in stay])
        return room

    def _whole(self, session: Session, number: int, ready: Prepared) -> list[Waiting]:
        """A call in doubt goes out as it was or not at all: who said no meanwhile is in it, and gets nothing."""
        rows = ready.round.rows
        if any(self._out(session, number, ready)):
            settling.withhold(session, rows, self._tools.clock(), DeliveryState.uncertain, _CHANGED)
            return []
        room = self._room(session, rows, in_calls=True)
        return room if len(room) == len(rows) else []

    def _out(self, session: Session, number: int, ready: Prepared) -> tuple[set[int], set[int]]:
        """Those of a call who are erased, and those who take nothing (any more)."""
        rows = ready.round.rows
        gone, no = self._exceptions(session, rows, number)
        if None in ready.addresses:
            gone |= {one.id for one, at in zip(rows, ready.addresses, strict=True) if at is None}
        return gone, no - gone

    def _messages(self, letter: Letter, rows: list[Waiting], ready: Prepared) -> Sequence[Message]:
        """One content for all: links lead to the outlet that all of them share, if they share one."""
        pairs: Iterable[tuple[Waiting, Address | None]] = zip(ready.round.rows, ready.addresses, strict=True)
        if rows is not ready.round.rows:
            kept = {one.id for one in rows}
            pairs = [pair for pair in pairs if pair[0].id in kept]
        outlets = {one.outlet_code for one in rows}
        outlet = outlets.pop() if len(outlets) == 1 else ""
        reached = [(one, at) for one, at in pairs if at is not None]
        if letter.parameters:  # a template is filled for each
            made = [self._message(letter, one, at, outlet) for one, at in reached]
            return [one for one in made if one is not None]
        said = self._tools.composer.message(
            letter, key="", address=Address(0, "", ""), address_index="", outlet=outlet
        )
        keys, to = [one.key for one, _at in reached], [at.address for _one, at in reached]
        return Copies(replace(said, unsubscribe=""), keys, to)

    def _call(self, line: Calls, number: int, rows: list[Waiting], messages: Sequence[Message]) -> None:
        if not rows:
            return
        whole = (self._batch_id, number)
        try:
            results = line.send_many(call_key(self._batch_key, number), messages)
            if len(results) != len(rows):
                raise DeliveryError(_BROKEN, unknown=True, everyone=True)
        except DeliveryError as error:
            self._all_failed(rows, error, whole)
            return
        first = results[0]
        if isinstance(first, str) and results.count(first) == len(rows):
            self._progress = True
            self._note(rows[0], DeliveryState.sent, reference=first, call=whole, count=len(rows))
            return
        for delivery, result in zip(rows, results, strict=True):
            if isinstance(result, DeliveryError):
                # of one recipient alone a doubt cannot be asked again: the key stands for all of them
                self._failed(delivery, result, again=False, call=whole)
            else:
                self._sent(delivery, result, call=whole)

    def _all_failed(self, rows: list[Waiting], error: DeliveryError, call: tuple[int, int]) -> None:
        """What holds for a whole call, row by row only where it differs: who was tried often enough, whom it closes."""
        for tries in sorted({one.attempts for one in rows}):
            alike = [one for one in rows if one.attempts == tries]
            if error.closes is not None or len(alike) < len(rows):
                for one in alike:
                    self._failed(one, error, call=call)
            else:
                self._failed(alike[0], error, call=call, count=len(alike))


def _rounds(waiting: list[Waiting], size: int) -> list[Round]:
    """Calls in doubt first, then those that were cut, in the order of their numbers; then who is in none (any more)."""
    called = sorted((one for one in waiting if one.call is not None), key=_BY_CALL)
    rounds, loose = list[Round](), [one for one in waiting if one.call is None]
    for number, group in groupby(called, key=_BY_CALL):
        rows = list(group)
        again = any(one.attempts for one in rows)
        if not again and len(rows) > size:  # cut when the platform allowed more
            loose = rows + loose
        else:
            rounds.append(Round(number, rows, again))
    rounds.sort(key=lambda one: not one.again)
    return rounds + [Round(None, loose[start : start + size]) for start in range(0, len(loose), size)]


def call_key(batch_key: str, number: int) -> str:
    """The idempotency key of a call: 32 characters, as many as the strictest platform takes."""
    return hashlib.sha256(f"{batch_key}/{number}".encode()).hexdigest()[:32]
