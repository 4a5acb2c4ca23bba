"""The audit log: every write says who did what to which thing, from where, with before and after.

One flow: an actor is put in force (a request by `access`, a command or a job by `webapp`) → a verb calls
`record` in its own transaction → the record takes the next number and the hash of the one before. So a record
exists exactly when what it tells of was committed.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlmodel import Session, select

from core import clock
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
) -> AuditRecord:
    """Add a record in the caller's transaction; ValueError for an action nobody declared.

    `outlet_code` is the node the thing belongs to. Of `before` and `after` only what differs is kept; the
    caller masks personal data. Call it last: it holds the head of the chain until the transaction ends.
    """
    if action not in ACTIONS:
        raise ValueError(f"undeclared action {action}")
    head = session.exec(select(AuditHead).where(AuditHead.id == 1).with_for_update()).one()
    session.refresh(head)  # another transaction may have moved it since this session saw it
    old, new = _differing(before or {}, after or {})
    made = _signed(
        AuditRecord(
            id=head.last + 1, at=clock.now().replace(microsecond=0), actor="", via="", action=action, kind=kind,
            subject=str(subject)[:120], outlet_code=outlet_code, before=old, after=new,
            note=note.strip()[:2000], previous=head.hash, hash="",
        )
    )  # fmt: skip
    head.last, head.hash = made.id, made.hash
    session.add(made)
    session.add(head)
    session.flush()
    return made


def _signed(one: AuditRecord) -> AuditRecord:
    """The record with who acts, and its hash."""
    who = _actor.get()
    one.actor_id, one.actor, one.via, one.address = who.staff_id, who.name[:120], who.via, who.address[:45]
    one.hash = digest(one)
    return one


def digest(one: AuditRecord) -> str:
    """SHA-256 (hex) over the previous hash and the canonical JSON of the record."""
    fields = one.model_dump(exclude={"hash"})
    fields["at"] = one.at.astimezone(UTC).isoformat()
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    old, new = _plain(before), _plain(after)
    same = {name for name in old.keys() & new.keys() if old[name] == new[name]}
    return (
        {name: value for name, value in old.items() if name not in same},
        {name: value for name, value in new.items() if name not in same},
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON keeps them, so that what is read back hashes the same."""
    found: dict[str, Any] = json.loads(json.dumps(dict(values), ensure_ascii=False, default=_text))
    return found


def _text(value: object) -> object:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)
