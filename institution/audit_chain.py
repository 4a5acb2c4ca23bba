"""Whether the audit log is whole: every record in its place, as it was written, and none missing at the end.

The chain alone does not tell when somebody takes the newest records away and sets the head back, or writes the
whole chain anew. So the newest number and hash are noted every hour outside the database (`anchor`), in a file
that only ever grows; `verify` holds the chain against these notes, or against a copy kept elsewhere.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from core.database import Database
from core.errors import Invalid
from core.i18n import gettext, mark
from institution.audit import digest
from institution.audit_models import AuditHead, AuditRecord

ANCHORS = "audit-anchors.jsonl"
ANCHOR_EVERY = timedelta(hours=1)
_BATCH = 2_000
_COLUMNS = list(AuditRecord.model_fields)


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong: at which number, what (a msgid with its parameters)."""

    number: int
    rule: str

    def sentence(self) -> str:
        """What is wrong, in the language in force."""
        return gettext(self.rule) % {"number": self.number}


@dataclass(frozen=True, slots=True)
class Anchors:
    """What was noted outside the database: hash by number; and the lines that nobody can read."""

    hashes: dict[int, str] = field(default_factory=dict)
    unreadable: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many records were held against the chain, its end, how many anchors agreed, the first fault if any."""

    count: int
    hash: str
    anchors: int
    fault: Fault | None = None


_REMOVED = mark("第 %(number)s 条记录不见了。")
_INSERTED = mark("第 %(number)s 条记录是塞进来的：链里没有它的位置。")
_CHANGED = mark("第 %(number)s 条记录被改过：内容与它的哈希不符。")
_BROKEN = mark("链在第 %(number)s 条断开：它接的不是前一条，前一条被换过。")
_ENDED = mark("链尾不对：末条应是第 %(number)s 条，哈希与链头不符。")
_REWRITTEN = mark("第 %(number)s 条与当时留下的锚点不符：这一条或更早的记录被重写过。")
_TRUNCATED = mark("锚点记着第 %(number)s 条，链却没有这么长：末尾的记录被删掉了。")
_HEADLESS = mark("链头不见了，无法核对末尾。")


def verify(
    database: Database,
    anchors: Mapping[int, str] | None = None,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Verdict:
    """Walk the whole chain, a batch at a time; stops at the first fault. `progress(done, total)` per batch."""
    noted = dict(anchors or {})
    with database.reading() as session:
        head = session.get(AuditHead, 1)
        if head is None:
            return Verdict(0, "", 0, Fault(0, _HEADLESS))
        number, before, agreed = 0, "", 0
        for fields in _stream(session):
            fault = _fault(fields, number + 1, before, noted)
            if fault:
                return Verdict(number, before, agreed, fault)
            number, before = fields["id"], fields["hash"]
            agreed += number in noted
            if number % _BATCH == 0:
                progress(number, max(head.last, number))
        return Verdict(number, before, agreed, _fault_at_end(session, head, number, before, noted))


def _fault(fields: Mapping[str, Any], expected: int, before: str, noted: Mapping[int, str]) -> Fault | None:
    number = fields["id"]
    if number > expected:
        return Fault(expected, _REMOVED)
    if number < expected:
        return Fault(number, _INSERTED)
    if digest({name: value for name, value in fields.items() if name != "hash"}) != fields["hash"]:
        return Fault(number, _CHANGED)
    if fields["previous"] != before:
        return Fault(number, _BROKEN)
    if noted.get(number, fields["hash"]) != fields["hash"]:
        return Fault(number, _REWRITTEN)
    return None


def _fault_at_end(
    session: Session, head: AuditHead, number: int, before: str, noted: Mapping[int, str]
) -> Fault | None:
    """What was written while the walk went on is not held against it: the head is looked at anew."""
    session.refresh(head)
    longest = max(noted, default=0)
    if number < longest:
        return Fault(longest, _TRUNCATED)
    if number < head.last and not _written(session, number + 1):
        return Fault(number + 1, _REMOVED)
    if number > head.last:
        return Fault(head.last + 1, _INSERTED)
    if number == head.last and before != head.hash:
        return Fault(number, _ENDED)
    return None


def _written(session: Session, number: int) -> bool:
    return session.exec(select(AuditRecord.id).where(AuditRecord.id == number)).first() is not None


def _stream(session: Session) -> Iterator[dict[str, Any]]:
    """All records by number, as plain columns: bounded memory, whatever the length."""
    columns = [getattr(AuditRecord, name) for name in _COLUMNS]
    last: int | None = None
    while True:
        query = select(*columns).order_by(col(AuditRecord.id)).limit(_BATCH)
        if last is not None:
            query = query.where(col(AuditRecord.id) > last)
        rows = session.execute(query).all()
        for row in rows:
            yield dict(zip(_COLUMNS, row, strict=True))
        if len(rows) < _BATCH:
            return
        last = rows[-1][0]


def is_whole(session: Session, one: AuditRecord) -> bool:
    """Whether one record is as it was written and hangs on the one before: a look, not the proof."""
    before = session.exec(select(AuditRecord.hash).where(AuditRecord.id == one.id - 1)).first() or ""
    return digest(one.model_dump(exclude={"hash"})) == one.hash and one.previous == before


def anchor(database: Database, folder: Path, now: datetime) -> bool:
    """Note the newest number and hash outside the database, once an hour if the log grew; whether it did."""
    path = folder / ANCHORS
    last = _last_line(path)
    if last and now - datetime.fromisoformat(last["at"]) < ANCHOR_EVERY:
        return False
    with database.reading() as session:
        head = session.get(AuditHead, 1)
    if head is None or not head.last or last.get("number") == head.last:
        return False
    line = {"at": now.astimezone(UTC).isoformat(), "number": head.last, "hash": head.hash}
    with path.open("ab") as file:
        torn = bool(file.tell()) and not _ends_a_line(path)
        file.write(b"\n" * torn + json.dumps(line).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return True


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _last_line(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 400))
        lines = file.read().splitlines()
    try:
        found = json.loads(lines[-1]) if lines else {}
        return {"number": found["number"], "at": found["at"]} if found else {}
    except (ValueError, KeyError, TypeError):
        return {}  # a torn or foreign line is no reason not to note the next one; `anchors` names it


def anchors(path: Path) -> Anchors:
    """The notes of a file; Invalid when two of them contradict each other."""
    found = Anchors()
    if not path.is_file():
        return found
    for position, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            note = json.loads(line)
            number, noted = int(note["number"]), str(note["hash"])
        except (ValueError, KeyError, TypeError):
            found.unreadable.append(position)  # torn by a crash, or spoilt: the others still count
            continue
        if found.hashes.setdefault(number, noted) != noted:
            raise Invalid(mark("锚点文件第 %(line)s 行与前面的记录矛盾。"), line=position)
    return found
