"""Reading the audit log: searched and filtered within a part of the tree, page by page, or streamed whole.

A long log has no page numbers: the newest come first, and `older` says where the next page begins. Nothing
here is counted beyond COUNTED, so that a page of a log of millions costs what one of a log of hundreds costs.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Text, cast, or_
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from core.database import Database
from core.errors import NotFound
from core.i18n import mark
from institution.audit_models import AuditHead, AuditRecord
from institution.powers import WHOLE, Scope

COUNTED = 10_000
EVERYTHING = Scope(frozenset({WHOLE}))
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for; empty means all. Days are those of `zone`, both included; `node` with all below it."""

    text: str = ""
    person: str = ""
    staff: int | None = None
    action: str = ""
    kind: str = ""
    subject: str = ""
    node: str = WHOLE
    since: date | None = None
    until: date | None = None
    zone: ZoneInfo = field(default=ZoneInfo("UTC"), compare=False)

    @property
    def narrows(self) -> bool:
        """Whether anything is asked for at all."""
        return self != Filter()

    def named(self) -> dict[str, Any]:
        """What is asked for, by name: how an export says what it holds."""
        names = [name for name in Filter.__slots__ if name != "zone"]
        return {name: value for name in names if (value := getattr(self, name)) not in ("", None)}


@dataclass(frozen=True, slots=True)
class Found:
    """Some records, newest first; `older` is the number before which the next page begins, None at the end."""

    records: Sequence[AuditRecord]
    total: int
    older: int | None

    @property
    def is_more(self) -> bool:
        """Whether there are more than were counted."""
        return self.total > COUNTED


def get(session: Session, number: int) -> AuditRecord:
    """The record of this number, or NotFound."""
    found = session.get(AuditRecord, number) if number < 2**31 else None
    if found is None:
        raise NotFound(mark("没有第 %(number)s 条操作记录。"), number=number)
    return found


def listing(
    session: Session, scope: Scope, wanted: Filter, *, before: int | None = None, size: int = 50
) -> Found:
    """One page of the log, newest first, from below the number `before`."""
    query = narrowed(scope, wanted)
    page = query if before is None else query.where(col(AuditRecord.id) < before)
    rows = list(session.exec(page.order_by(col(AuditRecord.id).desc()).limit(size + 1)))
    older = rows[size - 1].id if len(rows) > size else None
    return Found(rows[:size], _total(session, scope, wanted, query), older)


def _total(session: Session, scope: Scope, wanted: Filter, query: SelectOfScalar[AuditRecord]) -> int:
    """How many there are, counted no further than one past COUNTED; the whole log is as long as its head says."""
    if scope.whole and not wanted.narrows:
        return head(session).last
    some = query.with_only_columns(AuditRecord.id).limit(COUNTED + 1)  # type: ignore[call-overload]
    return session.exec(select(func.count()).select_from(some.subquery())).one()


def head(session: Session) -> AuditHead:
    """The head of the chain: number and hash of the newest record."""
    return session.get(AuditHead, 1) or AuditHead(id=1)


def narrowed(scope: Scope, wanted: Filter) -> SelectOfScalar[AuditRecord]:
    """The query behind a filter within a part of the tree, without an order."""
    query = select(AuditRecord).where(scope.condition(AuditRecord.outlet_code))
    exactly = {
        "actor_id": wanted.staff,
        "action": wanted.action,
        "kind": wanted.kind,
        "subject": wanted.subject,
    }
    for name, value in exactly.items():
        if value not in ("", None):
            query = query.where(getattr(AuditRecord, name) == value)
    if wanted.node != WHOLE:
        query = query.where(Scope(frozenset({wanted.node})).condition(AuditRecord.outlet_code))
    if wanted.person:
        query = query.where(col(AuditRecord.actor).icontains(wanted.person, autoescape=True))
    if wanted.since:
        query = query.where(col(AuditRecord.at) >= _begins(wanted.since, wanted.zone))
    if wanted.until:
        query = query.where(col(AuditRecord.at) < _begins(wanted.until + timedelta(1), wanted.zone))
    for word in wanted.text.split()[:6]:
        query = query.where(_mentions(word))
    return query


def _begins(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def _mentions(word: str) -> ColumnElement[bool]:
    plain = (AuditRecord.subject, AuditRecord.actor, AuditRecord.note, AuditRecord.outlet_code)
    kept = json.dumps(word)[1:-1]  # the values are kept as ASCII JSON: 甲 stands there as \\u7532
    return or_(
        *(col(place).icontains(word, autoescape=True) for place in plain),
        *(
            cast(place, Text).contains(kept, autoescape=True)
            for place in (AuditRecord.before, AuditRecord.after)
        ),
    )


def stream(database: Database, scope: Scope, wanted: Filter) -> Iterator[list[AuditRecord]]:
    """All records that fit, oldest first, a batch at a time: bounded memory, whatever the length."""
    last = 0
    with database.reading() as session:
        query = narrowed(scope, wanted).order_by(col(AuditRecord.id)).limit(_BATCH)
        while rows := list(session.exec(query.where(col(AuditRecord.id) > last))):
            last = rows[-1].id
            yield rows
            session.expunge_all()
            if len(rows) < _BATCH:
                return


def next_after(session: Session, scope: Scope, number: int) -> int | None:
    """The number of the record after this one that lies in the scope, None at the end."""
    query = select(AuditRecord.id).where(scope.condition(AuditRecord.outlet_code))
    return session.exec(
        query.where(col(AuditRecord.id) > number).order_by(col(AuditRecord.id)).limit(1)
    ).first()
