"""A batch of a channel that takes many recipients in a call.

A call is a set of recipients that is fixed, and numbered, in the transaction before it goes out; its key follows from
the batch and that number. So a call that is in doubt is sent again as it was, where the platform recognises keys,
and elsewhere its recipients become uncertain: of a worker that dies at most the one call that it had in its hands.
"""

import hashlib
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlmodel import Session

from campaign import audience
from campaign.audience import Address
from core.i18n import mark
from scheduler import settling
from scheduler.channels.base import Calls, DeliveryError, Message
from scheduler.composer import Letter
from scheduler.models import DeliveryState
from scheduler.sending import ERASED, Sending, Written
from scheduler.settling import Waiting

_CHANGED = mark("发送时中断，其间有人退订或被删除，不能原样再发。不知道对方是否收到。")
_BROKEN = mark("平台的回答读不懂，不知道是否收到。")


class Calling(Sending):
    """A claimed batch on its way out by calls."""

    def _hand_over(self, line: Any, letter: Letter, waiting: list[Waiting]) -> None:
        if not isinstance(line, Calls):
            raise TypeError(f"channel {self._channel.name} says that it takes calls, and does not")
        doubtful = sorted((one for one in waiting if one.call is not None), key=lambda one: one.call or 0)
        for number, rows in groupby(doubtful, key=lambda one: one.call or 0):
            self._call(line, number, self._begin_again(letter, number, list(rows)))
            if not self._may_go_on():
                return
        fresh, size = [one for one in waiting if one.call is None], self._channel.call_size
        for start in range(0, len(fresh), size):
            self._call(line, *self._begin_call(letter, fresh[start : start + size]))
            if not self._may_go_on():
                return

    def _begin_call(self, letter: Letter, group: list[Waiting]) -> tuple[int, list[Written]]:
        """Fix who is in the next call and commit it, with its number."""
        number, begun = 0, list[Written]()
        with self._tools.database.transaction() as session:
            if self._prove(session):
                room = self._room(session, self._willing(session, group), in_calls=True)
                written = self._written(session, letter, room)
                gone = [one for one, message in written if message is None]
                settling.withhold(session, gone, self._tools.clock(), DeliveryState.failed, ERASED)
                marked = [one for one, message in written if message is not None]
                number = settling.next_call(session, self._batch_id) if marked else 0
                still = {one.id for one in settling.begin(session, marked, number)}
                begun = [(one, message) for one, message in written if one.id in still]
        self._pending = []
        return number, begun

    def _begin_again(self, letter: Letter, number: int, rows: list[Waiting]) -> list[Written]:
        """A call in doubt goes out as it was or not at all: who said no meanwhile is in it, and gets nothing."""
        begun: list[Written] = []
        with self._tools.database.transaction() as session:
            if self._prove(session):
                written = self._written(session, letter, rows)
                if self._refused(session, rows) or any(message is None for _one, message in written):
                    settling.withhold(session, rows, self._tools.clock(), DeliveryState.uncertain, _CHANGED)
                elif len(self._whole_room(session, rows)) == len(rows):
                    still = {one.id for one in settling.begin(session, rows, number)}
                    begun = written if len(still) == len(rows) else []
        self._pending = []
        return begun

    def _whole_room(self, session: Session, rows: list[Waiting]) -> list[Waiting]:
        """Room for all of a call, or for nobody of it."""
        room = self._room(session, rows, in_calls=True)
        return room if len(room) == len(rows) else []

    def _call(self, line: Calls, number: int, begun: Sequence[Written]) -> None:
        pairs = [(one, message) for one, message in begun if message is not None]
        if not pairs:
            return
        key = call_key(self._batch_key, number)
        try:
            results = line.send_many(key, [message for _one, message in pairs])
            if len(results) != len(pairs):
                raise DeliveryError(_BROKEN, unknown=True, everyone=True)
        except DeliveryError as error:
            for delivery, _message in pairs:
                self._failed(delivery, error)
            return
        for (delivery, _message), result in zip(pairs, results, strict=True):
            if isinstance(result, DeliveryError):
                # of one recipient alone a doubt cannot be asked again: the key stands for all of them
                self._failed(delivery, result, again=False)
            else:
                self._sent(delivery, result)

    def _written(self, session: Session, letter: Letter, marked: list[Waiting]) -> list[Written]:
        """One content for all: links lead to the outlet that all of them share, if they share one."""
        if not marked:
            return []
        contacts = [one.contact_id for one in marked]
        named = bool(letter.parameters)
        found = audience.addresses(session, self._tools.vault, self._channel.name, contacts, names=named)
        outlets = {one.outlet_code for one in marked}
        outlet = outlets.pop() if len(outlets) == 1 else ""
        if named:  # a template is filled for each
            return [(one, self._message(letter, one, found.get(one.contact_id), outlet)) for one in marked]
        said = self._tools.composer.message(
            letter, key="", address=Address(0, "", ""), address_index="", outlet=outlet
        )
        return [(one, _to(said, one.key, found.get(one.contact_id))) for one in marked]


def call_key(batch_key: str, number: int) -> str:
    """The idempotency key of a call: 32 characters, as many as the strictest platform takes."""
    return hashlib.sha256(f"{batch_key}/{number}".encode()).hexdigest()[:32]


def _to(said: Message, key: str, address: Address | None) -> Message | None:
    """The content of a call to one of its recipients; what would differ from person to person is not in it."""
    if address is None:
        return None
    return Message(
        key, address.address, address.name, said.subject, said.text, said.html, said.link, "", said.locale,
        said.summary, said.picture, said.template, said.parameters,
    )  # fmt: skip
