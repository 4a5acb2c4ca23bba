"""What platforms say later of what they accepted, put to the rows it speaks of: arrived, failed, opened, wants no more.

Saying it twice changes nothing, and the order does not matter: each step is a conditional UPDATE, a failure outweighs an
arrival. What was faster than our own settling is kept and put to its row afterwards. Whoever calls these commits.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from campaign import audience, closed
from campaign.addresses import kind_of
from campaign.audience_models import ContactAddress
from core.database import inserting
from core.privacy import Vault
from scheduler import early, matching, outbox
from scheduler.channels.base import Closed, Receipt, Tally
from scheduler.matching import ARRIVED, FAILED, OPENED, PERSON, Row, Source, Word
from scheduler.models import Batch, BatchState, Delivery, DeliveryState
from scheduler.receipt_models import KeptReceipt, PushReceived, PushTally, ReachCorrection
from scheduler.settling import changed

_OVER = (BatchState.sent, BatchState.partial, BatchState.failed, BatchState.uncertain, BatchState.cancelled)


@dataclass
class Taken:
    """What came of receipts: rows that changed, receipts kept for later, those that speak of nobody of ours; the
    pushes and batches whose state is to be worked out anew."""

    changed: int = 0
    kept: int = 0
    strange: int = 0
    touched: set[tuple[int, int]] = field(default_factory=set)


def take(
    session: Session, vault: Vault, source: Source, told: Iterable[Receipt], *, via: str, now: datetime
) -> Taken:
    """Put receipts to their rows; `via` is written down with addresses that they close."""
    done = Taken()
    for one in told:
        word = Word.of(vault, source.channel, one)
        if word is not None:
            _take(session, source, word, done, via=via, now=now)
    _reassess(session, done, now)
    return done


def _take(session: Session, source: Source, word: Word, done: Taken, *, via: str, now: datetime) -> None:
    found = matching.rows(session, source, word, now)
    fit = [one for one in found if not matching.on_its_way(one)]
    if fit:
        _apply(session, source, word, fit, done, via=via, now=now)
    held = matching.early(session, source, word, found, now)
    if held is not None:
        done.kept += sum(early.keep(session, source, word, index, now) for index in held)
    elif word.what == PERSON and not word.reference:
        _person(session, source.channel, word, _held(session, source.channel, word), via=via, now=now)
    elif not found:
        done.strange += 1


def settle_early(session: Session, now: datetime) -> int:
    """Put what came too early to its rows, where those are settled by now; returns how many are done with."""
    done = Taken()

    def put(session: Session, source: Source, kept: KeptReceipt, word: Word, found: list[Row]) -> None:
        if kept.what == early.TALLY:
            for push_id in {one.push_id for one in found}:
                _write(session, push_id, Tally(kept.reference, **kept.counts), now)
        else:
            _apply(session, source, word, found, done, via="receipt", now=now)

    over = early.settle(session, put, now)
    _reassess(session, done, now)
    return over


def tally(session: Session, source: Source, told: Iterable[Tally], now: datetime) -> int:
    """Write heads of a call onto its push; of a call nobody knows (yet) nothing. Returns how many are known."""
    known = 0
    for one in told:
        word = Word(one.reference, (), ARRIVED)
        found = {row.push_id for row in matching.rows(session, source, word, now)}
        for push_id in found:
            _write(session, push_id, one, now)
        known += bool(found)
        if not found:
            early.keep_tally(session, source, one, now)
    return known


def _write(session: Session, push_id: int, one: Tally, now: datetime) -> None:
    """What is not said stays as it was said before."""
    counts = early.counts_of(one)
    values = {"push_id": push_id, "reference": one.reference, "at": now, **counts}
    made = inserting(session.get_bind().dialect)(PushTally).values(values)
    session.execute(
        made.on_conflict_do_update(index_elements=["push_id", "reference"], set_=counts | {"at": now})
    )


def _apply(
    session: Session,
    source: Source,
    word: Word,
    found: Sequence[Row],
    done: Taken,
    *,
    via: str,
    now: datetime,
) -> None:
    """Put a word to the rows it speaks of."""
    for push_id, mine in _by_push(found).items():
        counts: Counter[str] = Counter()
        ids = [one.id for one in mine]
        if word.what in (ARRIVED, OPENED) or (word.what == PERSON and word.reference):
            counts += _arrived(session, word, ids, now)
        if word.what == OPENED:
            counts["opened"] += _opened(session, ids, now)
        if word.what == FAILED:
            counts = _failed(session, word, ids, now)
        _count(session, push_id, counts)
        done.changed += counts["arrived"] + counts["opened"] if word.what != FAILED else counts["failed"]
        if counts["cleared"] or counts["failed"]:
            done.touched |= {(push_id, one.batch_id) for one in mine}
    if word.closes is not None or word.what == PERSON:
        _person(session, source.channel, word, {one.address_index for one in found}, via=via, now=now)


def _arrived(session: Session, word: Word, ids: Sequence[int], now: datetime) -> "Counter[str]":
    """Who was in doubt is cleared, who was accepted has it."""
    known = {} if matching.is_key(word.reference) else {"reference": word.reference}
    cleared = _set(
        session, ids, DeliveryState.uncertain, state=DeliveryState.sent, reason="", settled_at=now, **known
    )
    here = (col(Delivery.id).in_(ids), col(Delivery.state) == DeliveryState.sent)
    late = update(Delivery).where(*here, col(Delivery.arrived_at).is_(None))
    return Counter(cleared=cleared, arrived=changed(session, late.values(arrived_at=now)))


def _failed(session: Session, word: Word, ids: Sequence[int], now: datetime) -> "Counter[str]":
    """Accepted and yet not delivered: the row fails after all, and who was counted is counted back."""
    had = select(Delivery.id).where(
        col(Delivery.id).in_(ids), Delivery.state == DeliveryState.sent, col(Delivery.arrived_at).is_not(None)
    )
    arrived = len(session.exec(had.with_for_update()).all())
    lost = {"state": DeliveryState.failed, "reason": word.reason, "arrived_at": None}
    cleared = _set(session, ids, DeliveryState.uncertain, **lost)
    failed = _set(session, ids, DeliveryState.sent, **lost)
    if failed:
        _correct(session, ids, now)
    return Counter(arrived=-arrived, failed=failed + cleared, cleared=cleared)


def _opened(session: Session, ids: Sequence[int], now: datetime) -> int:
    unread = (col(Delivery.id).in_(ids), col(Delivery.state) == DeliveryState.sent)
    first = update(Delivery).where(*unread, col(Delivery.opened_at).is_(None))
    return changed(session, first.values(opened_at=now))


def _person(
    session: Session, channel: str, word: Word, indexes: Iterable[str], *, via: str, now: datetime
) -> None:
    """Close the addresses as what the platform says, or open those of who came back."""
    for index in indexes:
        if word.closes is None:
            closed.came_back(session, channel, index)
            continue
        if word.closes == Closed.complaint:  # who calls it spam has said no, whatever the platform calls it
            audience.refuse(session, channel, index, via=via, now=now)
        audience.close_address(session, channel, index, word.closes, via=via, now=now)


def _held(session: Session, channel: str, word: Word) -> list[str]:
    """The hash under which we hold the address of who is spoken of without a message; else the newest."""
    query = select(ContactAddress.address_index).where(
        ContactAddress.channel == kind_of(channel), col(ContactAddress.address_index).in_(word.indexes)
    )
    return list(session.exec(query.distinct())) or list(word.indexes[:1])


def _correct(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Note who failed after having been counted; once."""
    query = select(Delivery.id).where(
        col(Delivery.id).in_(ids),
        Delivery.state == DeliveryState.failed,
        col(Delivery.count_round).is_not(None),
    )
    found = [{"delivery_id": number, "at": now, "batch": "", "done": False} for number in session.exec(query)]
    if found:
        made = inserting(session.get_bind().dialect)(ReachCorrection).values(found)
        session.execute(made.on_conflict_do_nothing())


def _set(session: Session, ids: Sequence[int], old: str, **values: object) -> int:
    here = update(Delivery).where(col(Delivery.id).in_(ids), col(Delivery.state) == old)
    return changed(session, here.values(**values))


def _by_push(found: Sequence[Row]) -> dict[int, list[Row]]:
    pushes: dict[int, list[Row]] = {}
    for one in found:
        pushes.setdefault(one.push_id, []).append(one)
    return pushes


def _count(session: Session, push_id: int, counts: "Counter[str]") -> None:
    """Add to what the receipts of a push add up to."""
    more = {name: number for name, number in counts.items() if number}
    if not more:
        return
    first = {"push_id": push_id, "arrived": 0, "failed": 0, "opened": 0, "cleared": 0} | more
    made = inserting(session.get_bind().dialect)(PushReceived).values(first)
    added = {name: getattr(PushReceived, name) + number for name, number in more.items()}
    session.execute(made.on_conflict_do_update(index_elements=["push_id"], set_=added))


def _reassess(session: Session, done: Taken, now: datetime) -> None:
    """Work out the states of batches that were over; others work theirs out when they are let go of."""
    for batch_id in sorted({batch_id for _push, batch_id in done.touched}):
        batch = session.get(Batch, batch_id, populate_existing=True, with_for_update=True)
        if batch is not None and batch.state in _OVER:
            outbox.reassess(session, batch_id, now)
