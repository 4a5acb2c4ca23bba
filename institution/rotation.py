"""Rotating the keys of personal data: what stands under an older key is sealed anew under the newest.

Which rows are left can be read off the rows themselves, so a run that died is simply started again, and one
that has nothing to do changes nothing. A row that somebody changes meanwhile keeps their change: it is written
only while it still holds what was read.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, not_, or_, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from core.database import Database
from core.errors import DomainError
from core.i18n import mark
from core.privacy import Vault
from institution import audit, sealed
from institution.audit import declare
from institution.sealed import Move, Sealed

BATCH = 200
declare({"privacy.rotate": mark("更换个人信息密钥")})


@dataclass
class Report:
    """What a rotation did, by table: rows sealed anew; rows that no key of the ring opens; rows of somebody who
    meanwhile got a second row under the newest key, from a process that did not know the other keys."""

    changed: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    clashing: Counter[str] = field(default_factory=Counter)


def rotate(
    database: Database, vault: Vault, *, batch: int = BATCH, told: Callable[[int], None] = lambda _count: None
) -> Report:
    """Seal every row anew that is not under the newest key; `told` hears how many rows are done each time."""
    report = Report()
    for one in sealed.SEALED.values():
        last: Any = None
        while rows := _next(database, vault, one, last, batch):
            _seal_all(database, vault, one, rows, report)
            last = rows[-1][_key(one).name]
            told(len(rows))
    if report.changed:
        with database.transaction() as session:
            audit.record(
                session,
                "privacy.rotate",
                "privacy",
                vault.key_ids[0],
                after={"key": vault.key_ids[0], "rows": dict(report.changed)},
            )
    return report


def stale(session: Session, vault: Vault) -> int:
    """How many rows a rotation has before it."""
    counts = (
        session.scalar(select(func.count()).select_from(_table(one)).where(_stale(one, vault))) or 0
        for one in sealed.SEALED.values()
    )
    return sum(counts)


def held_under(session: Session, vault: Vault) -> dict[str, Counter[str]]:
    """Encrypted values by key and by table. "" stands for ciphertext from before there were key rings."""
    found: dict[str, Counter[str]] = {key: Counter() for key in vault.key_ids}
    for name, one in sealed.SEALED.items():
        for column in _columns(one):
            mark_ = func.substr(column, 1, len(vault.seal_mark))
            query = select(mark_, func.count()).where(_filled(column)).group_by(mark_)
            for text, count in session.execute(query):
                found.setdefault(vault.key_of_seal(text), Counter())[name] += count
    return found


def kept(session: Session, vault: Vault) -> Iterator[tuple[str, str, int]]:
    """Indexes that still need an older key, because nobody knows any more what they stand for."""
    for label, count in sealed.KEPT.items():
        for key, number in count(session, vault).items():
            if number and key != vault.key_ids[0]:
                yield label, key, number


def _next(database: Database, vault: Vault, one: Sealed, last: Any, batch: int) -> list[RowMapping]:
    query = select(_table(one)).where(_stale(one, vault)).order_by(_key(one)).limit(batch)
    if last is not None:
        query = query.where(_key(one) > last)
    with database.reading() as session:
        return list(session.execute(query).mappings())


def _seal_all(
    database: Database, vault: Vault, one: Sealed, rows: Sequence[RowMapping], report: Report
) -> None:
    """The rows in one transaction; where one of them stands in another's way, each in its own."""
    done = Report()
    try:
        with database.transaction() as session:
            _seal(session, vault, one, rows, done)
    except IntegrityError:
        if len(rows) == 1:
            report.clashing[one.label] += 1
            return
        for row in rows:
            _seal_all(database, vault, one, [row], report)
        return
    report.changed += done.changed
    report.unreadable += done.unreadable


def _seal(session: Session, vault: Vault, one: Sealed, rows: Sequence[RowMapping], report: Report) -> None:
    moves: list[Move] = []
    for row in rows:
        try:
            values = _values(vault, one, row)
        except DomainError:
            report.unreadable[one.label] += 1
            continue
        unchanged = (column == row[column.name] for column in _columns(one) if row[column.name])
        statement = update(_table(one)).where(_key(one) == row[_key(one).name], *unchanged).values(**values)
        if session.connection().execute(statement).rowcount == 1:
            report.changed[one.label] += 1
            moves += [
                (row[name], new) for name, new in values.items() if name not in one.columns and row[name]
            ]
    moved = sorted({(old, new) for old, new in moves if old != new})
    for follower in sealed.FOLLOWERS if moved else ():
        follower(session, moved)


def _values(vault: Vault, one: Sealed, row: RowMapping) -> dict[str, str]:
    opened = {name: vault.decrypt(row[name]) for name in one.columns if row[name]}
    values = {name: vault.encrypt(text) for name, text in opened.items()}
    return values | dict(one.indexes(dict(row), opened, vault))


def _table(one: Sealed) -> Table:
    found: Table = one.table.metadata.tables[str(one.table.__tablename__)]
    return found


def _key(one: Sealed) -> Any:
    (column,) = _table(one).primary_key.columns
    return column


def _columns(one: Sealed) -> list[Any]:
    return [_table(one).c[name] for name in one.columns]


def _filled(column: Any) -> ColumnElement[bool]:
    return and_(column.is_not(None), column != "")


def _stale(one: Sealed, vault: Vault) -> ColumnElement[bool]:
    old = (and_(_filled(column), not_(column.startswith(vault.seal_mark))) for column in _columns(one))
    return or_(*old)
