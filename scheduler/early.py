"""Receipts that were faster than our own settling: kept, and put to their rows once those are settled."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from core.database import Prepared, UtcDateTime, inserting
from scheduler import matching
from scheduler.channels.base import Closed, Tally
from scheduler.matching import ARRIVED, Row, Source, Word
from scheduler.models import ChannelAccount
from scheduler.receipt_models import KeptReceipt
from scheduler.settling import changed

TALLY = "tally"
WAITING = Prepared(
    select(col(KeptReceipt.id))
    .where(col(KeptReceipt.not_before) <= bindparam("now", type_=UtcDateTime))
    .limit(1)
)
Puts = Callable[[Session, Source, KeptReceipt, Word, list[Row]], None]
_FIRST, _LONGEST, _KEPT = timedelta(seconds=5), timedelta(minutes=10), timedelta(days=1)
_AT_ONCE = 200
_COUNTS = ("total", "filtered", "reached", "failed", "shown", "clicked")


def counts_of(one: Tally) -> dict[str, int]:
    """The heads that were said."""
    return {name: getattr(one, name) for name in _COUNTS if getattr(one, name) is not None}


def keep(session: Session, source: Source, word: Word, index: str, now: datetime) -> int:
    """Keep a word for the row it will belong to; 0 when it is kept already."""
    return _insert(
        session, source, now, reference=word.reference, address_index=index, key=word.key, what=word.what,
        reason=word.reason, closes=word.closes or "", counts={},
    )  # fmt: skip


def keep_tally(session: Session, source: Source, one: Tally, now: datetime) -> None:
    """Keep the heads of a call whose rows are not settled yet; those of strangers go."""
    if matching.early(session, source, Word(one.reference, (), ARRIVED), [], now) is not None:
        _insert(
            session, source, now, reference=one.reference, address_index="", key=None, what=TALLY, reason="",
            closes="", counts=counts_of(one),
        )  # fmt: skip


def settle(session: Session, put: Puts, now: datetime) -> int:
    """Try again what waits; returns how many are done with: put to a row, or given up after a day."""
    query = select(KeptReceipt).where(col(KeptReceipt.not_before) <= now).order_by(col(KeptReceipt.id))
    over = 0
    for kept in session.exec(query.limit(_AT_ONCE)).all():
        account = session.get(ChannelAccount, kept.account_id)
        if account is None or _settled(session, Source.of(session, account), kept, put, now):
            session.delete(kept)
            over += 1
    session.flush()
    return over


def _settled(session: Session, source: Source, kept: KeptReceipt, put: Puts, now: datetime) -> bool:
    word = Word(
        kept.reference, (kept.address_index,) if kept.address_index else (), kept.what, kept.reason,
        Closed(kept.closes) if kept.closes else None, kept.key,
    )  # fmt: skip
    found = matching.rows(session, source, word, now)
    if found and not any(matching.on_its_way(one) for one in found):
        put(session, source, kept, word, found)
        return True
    if now - kept.kept_at > _KEPT:
        return True
    kept.tries += 1
    kept.not_before = now + min(_FIRST * 2 ** min(kept.tries, 10), _LONGEST)
    session.add(kept)
    return False


def _insert(session: Session, source: Source, now: datetime, **values: Any) -> int:
    times = {"tries": 0, "kept_at": now, "not_before": now + _FIRST}
    made = inserting(session.get_bind().dialect)(KeptReceipt)
    made = made.values(account_id=source.account_id, **values, **times)
    return changed(session, made.on_conflict_do_nothing())
