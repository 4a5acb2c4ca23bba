"""A batch of a channel that takes many recipients in a call.

A call is a range of recipients with a number, as it was cut; who is in it is fixed in the transaction before it goes
out, and its key follows from the batch and that number. So a call that is in doubt is sent again as it was, where the
platform recognises keys, and elsewhere its recipients become uncertain: of a worker that dies at most the one call that
it had in its hands. While a call is on its way, the next one is read. Where the platform recognises keys, a call is begun before its
turn to be on its way, so that no turn goes by at the disk; if the turn is long in coming, the call is begun anew, for
those who said no meanwhile.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import ceil
from typing import Any, NamedTuple, cast

from sqlmodel import Session

from campaign.audience import Address
from core.i18n import mark
from scheduler import rounds, settling
from scheduler.admitting import Tools
from scheduler.channels.base import Account, AnyChannel, Calls, Copies, DeliveryError, Message
from scheduler.composer import Letter
from scheduler.models import Batch, DeliveryState
from scheduler.rounds import FRESH, Ready, Round
from scheduler.sending import Sending
from scheduler.settling import Waiting

_CHANGED = mark("发送时中断，其间有人退订或被删除，不能原样再发。不知道对方是否收到。")
_AMPLE = 100  # places of a rate, of which one may be taken in vain
_BROKEN = mark("平台的回答读不懂，不知道是否收到。")


class Begun(NamedTuple):
    """A call that is marked as being handed over: its number, its recipients (none: nothing of it goes), and what they
    get."""

    number: int
    rows: list[Waiting]
    messages: Sequence[Message]


class Calling(Sending):
    """A claimed batch on its way out by calls."""

    def __init__(self, tools: Tools, channel: AnyChannel, batch: Batch, owner: str) -> None:
        super().__init__(tools, channel, batch, owner)
        self._quick = True  # whether the platform answered the last call at once
        rates = [rate for rate in channel.rates if rate.per != "address"]
        # whether a call may be begun before its turn: it would be in doubt, and its place taken, for nothing
        self._ample = channel.idempotent and all(rate.times >= _AMPLE for rate in rates)
        if self._ample:  # a place is used a moment after it was taken
            self._rates = tuple(replace(rate, seconds=rate.seconds + ceil(FRESH)) for rate in channel.rates)

    def _to_do(self, session: Session) -> Sequence[Round]:
        return rounds.rounds(session, self._batch_id, self._channel.call_size)

    def _hand_over(self, line: Any, account: Account, letter: Letter, waiting: Sequence[Any]) -> None:
        if not isinstance(line, Calls):
            raise TypeError(f"channel {self._channel.name} says that it takes calls, and does not")
        for ready in self._ahead(partial(self._ready, letter), waiting):
            begun = self._begin_call(letter, ready) if self._ample and self._quick else None
            with self._tools.slots[self._channel.name]:
                self._call(line, self._still_begun(letter, ready, begun))
            if not self._may_go_on():
                break

    def _still_begun(self, letter: Letter, ready: Ready, begun: Begun | None) -> Begun:
        """A call whose turn has come: begun now, unless it was just before."""
        if begun is None:
            return self._begin_call(letter, ready)
        if ready.fresh:
            return begun
        return self._begin_call(letter, self._ready(letter, Round(begun.number, again=ready.round.again)))

    def _ready(self, letter: Letter, one: Round) -> Ready:
        """Read a round and write its messages, outside of any transaction that writes."""
        with self._tools.database.reading() as session:
            found = rounds.ready(
                session, self._tools.vault, self._batch_id, one,
                channel=self._channel.name, purpose=self._purpose, names=bool(letter.parameters),
            )  # fmt: skip
        if not found.silent and None not in found.addresses:
            found.messages = self._messages(letter, found.rows, found)
        return found

    def _begin_call(self, letter: Letter, ready: Ready) -> Begun:
        """Fix who is in the next call and commit it, with its number: one row is written, and one for each exception.

        Who is left of a round gets messages that are written inside the transaction: a fault in writing leaves nobody
        marked.
        """
        number, rows = 0, list[Waiting]()
        written: Sequence[Message] = ()
        with self._tools.database.transaction() as session:
            if self._prove(session):
                number = ready.round.number or settling.numbered(session, self._batch_id, ready.rows)
                choose = self._whole if ready.round.again else self._choose
                rows = choose(session, number, ready)
                whole = ready.messages if rows is ready.rows else None
                written = self._messages(letter, rows, ready) if whole is None else whole
            settling.begin_call(session, self._batch_id, number if rows else None)
        self._kept()
        return Begun(number, rows, written)

    def _choose(self, session: Session, number: int, ready: Ready) -> list[Waiting]:
        """Who of a round goes: not who was erased, refuses or had enough; the account's room is for the others."""
        now, rows = self._tools.clock(), ready.rows
        rows = self._uncapped(session, self._without(session, rows, *self._out(session, number, ready)), now)
        room = self._room(session, self._unheld(session, rows, now), in_calls=True)
        if room and len(room) < len(rows):
            stay = {one.id for one in room}
            settling.left_out(session, [one for one in rows if one.id not in stay])
        return room

    def _whole(self, session: Session, number: int, ready: Ready) -> list[Waiting]:
        """A call in doubt goes out as it was or not at all: who said no meanwhile is in it, and gets nothing."""
        rows = ready.rows
        if any(self._out(session, number, ready)):
            settling.withhold(session, rows, self._tools.clock(), DeliveryState.uncertain, _CHANGED)
            return []
        room = self._room(session, rows, in_calls=True)
        return room if len(room) == len(rows) else []

    def _out(self, session: Session, number: int, ready: Ready) -> tuple[set[int], set[int]]:
        """Those of a call who are erased, and those who take nothing (any more): asked again when it is long ago."""
        if ready.fresh:
            gone, no = set[int](), ready.silent
        else:
            gone, no = self._exceptions(session, ready.rows, number)
        if None in ready.addresses:
            gone |= {one.id for one, at in zip(ready.rows, ready.addresses, strict=True) if at is None}
        return gone, no - gone

    def _messages(self, letter: Letter, rows: list[Waiting], ready: Ready) -> Sequence[Message]:
        """One content for all: links lead to the outlet that all of them share, if they share one."""
        outlets = {one.outlet_code for one in rows}
        outlet = outlets.pop() if len(outlets) == 1 else ""
        if letter.parameters:  # a template is filled for each
            known = {one.id: at for one, at in zip(ready.rows, ready.called(), strict=True)}
            made = [self._message(letter, one, known[one.id], outlet) for one in rows]
            return [one for one in made if one is not None]
        said = self._tools.composer.message(
            letter, key="", address=Address(0, "", ""), address_index="", outlet=outlet
        )
        to = cast(list[str], ready.addresses)  # who has none is not among the rows
        if rows is not ready.rows:
            at = dict(zip((one.id for one in ready.rows), to, strict=True))
            to = [at[one.id] for one in rows]
        return Copies(replace(said, unsubscribe=""), [one.key for one in rows], to)

    def _call(self, line: Calls, begun: Begun) -> None:
        number, rows, messages = begun
        if not rows:
            return
        whole, before = (self._batch_id, number), time.monotonic()
        try:
            results = line.send_many(call_key(self._batch_key, number), messages)
            if len(results) != len(rows):
                raise DeliveryError(_BROKEN, unknown=True, everyone=True)
        except DeliveryError as error:
            self._all_failed(rows, error, whole)
            return
        finally:
            self._quick = time.monotonic() - before < FRESH / 2
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


def call_key(batch_key: str, number: int) -> str:
    """The idempotency key of a call: 32 characters, as many as the strictest platform takes."""
    return hashlib.sha256(f"{batch_key}/{number}".encode()).hexdigest()[:32]
