"""The audit log: every write says who did what to which thing, from where, with before and after.

One flow: an actor is put in force (a request by `access`, a command or a job by `webapp`) → a verb calls
`record` in its own transaction → just before that transaction commits, its records take the next numbers and
the hash of the one before (`settle`). So a record exists exactly when what it tells of was committed, and the
head of the chain is held only for the moment of the commit: who writes long keeps nobody waiting, and a verb
that writes on after its record cannot lock itself up with another.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, event, insert, select, update
from sqlalchemy.orm import Session as AnySession
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session

from core import clock
from core.database import Prepared
from core.i18n import mark
from institution.audit_models import AuditHead, AuditRecord


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `via`: desk, command, job, link (a personal link without account) or visitor."""

    staff_id: int | None
    name: str
    via: str
    address: str = ""


SYSTEM = Actor(None, "signpost", "job")
_WAITING = "audit_waiting"
_Waiting = tuple[SessionTransaction | None, dict[str, Any]]
# Plain rows, not mapped objects: every write of the desk comes through here, and this takes half the time.
_RECORDS, _HEAD = cast(Table, AuditRecord.__table__), cast(Table, AuditHead.__table__)  # type: ignore[attr-defined]
_HEAD_HELD = Prepared(select(_HEAD.c.last, _HEAD.c.hash).where(_HEAD.c.id == 1).with_for_update())
_ADD = Prepared(insert(_RECORDS).values({one.name: bindparam(one.name) for one in _RECORDS.c}))
_MOVE_HEAD = Prepared(
    update(_HEAD).where(_HEAD.c.id == 1).values(last=bindparam("newest"), hash=bindparam("its_hash"))
)
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_SAME_IN_JSON = frozenset({str, int, bool, type(None)})
_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)
VIA_NAMES = {
    "desk": mark("工作台"),
    "command": mark("命令行"),
    "job": mark("系统"),
    "link": mark("专属链接"),
    "visitor": mark("访客"),
}
ACTIONS: dict[str, str] = {}


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Put an actor in force for a block."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def actor() -> Actor:
    """Who acts now."""
    return _actor.get()


def declare(words: Mapping[str, str]) -> None:
    """Name actions for the desk (`{"piece.submit": mark("提交审查")}`); a package does so when imported."""
    ACTIONS.update(words)


def record(
    session: Session,
    action: str,
    kind: str,
    subject: object,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    outlet_code: str = "",
    note: str = "",
) -> dict[str, Any]:
    """Add a record to the caller's transaction; ValueError for an action nobody declared.

    `outlet_code` is the node the thing belongs to. Of `before` and `after` only what differs is kept; the
    caller masks personal data. Returns the row, which is numbered and written when the transaction commits.
    """
    if action not in ACTIONS:
        raise ValueError(f"undeclared action {action}")
    old, new = _differing(before or {}, after or {})
    who = _actor.get()
    made: dict[str, Any] = {
        "id": 0, "at": clock.now().replace(microsecond=0), "actor_id": who.staff_id,
        "actor": _clean(who.name, 120), "via": who.via, "address": who.address[:45], "action": action,
        "kind": kind, "subject": _clean(str(subject), 120), "outlet_code": outlet_code, "before": old,
        "after": new, "note": _clean(note.strip(), 2000), "previous": "",
    }  # fmt: skip
    session.info.setdefault(_WAITING, []).append((session.get_nested_transaction(), made))
    return made


def settle(session: AnySession) -> None:
    """Write the records that wait in this transaction; every commit does so, tests may do so earlier."""
    waiting: list[_Waiting] = session.info.get(_WAITING, [])
    if not waiting or session.in_nested_transaction():
        return
    session.flush()  # what else waits to be written comes first: who holds the head waits for nobody
    connection = session.connection()
    ((last, previous),) = _HEAD_HELD.on(connection)
    for number, (_within, made) in enumerate(waiting, last + 1):
        made.update(id=number, previous=previous)
        made["hash"] = previous = digest(made)
    _ADD.on(connection, *(made for _within, made in waiting))
    _MOVE_HEAD.on(connection, {"newest": last + len(waiting), "its_hash": previous})
    del session.info[_WAITING]


def _forget(session: AnySession, ended: SessionTransaction) -> None:
    """Drop what was recorded within a transaction or savepoint that was rolled back."""
    waiting: list[_Waiting] = session.info.pop(_WAITING, [])
    kept = [one for one in waiting if ended.nested and not _is_within(one[0], ended)]
    if kept:
        session.info[_WAITING] = kept


def _is_within(inner: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while inner is not None and inner is not outer:
        inner = inner.parent
    return inner is outer


event.listen(AnySession, "before_commit", settle)
event.listen(AnySession, "after_soft_rollback", _forget)


def digest(fields: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over the canonical JSON of a record's fields, all but `hash`."""
    text = _CANONICAL.encode({**fields, "at": fields["at"].astimezone(UTC).isoformat()})
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _clean(text: str, most: int) -> str:
    """The text as every database and every file takes it."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:most]


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    old, new = _plain(before), _plain(after)
    same = {name for name in old.keys() & new.keys() if old[name] == new[name]}
    return (
        {name: value for name, value in old.items() if name not in same},
        {name: value for name, value in new.items() if name not in same},
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON keeps them, so that what is read back hashes the same."""
    if all(type(value) in _SAME_IN_JSON for value in values.values()):
        return dict(values)
    found: dict[str, Any] = json.loads(json.dumps(dict(values), ensure_ascii=False, default=_text))
    return found


def _text(value: object) -> object:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)
