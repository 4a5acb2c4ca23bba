"""What can be asked for: each package declares the kinds of request whose things it owns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from institution.approval_models import Approval

Settled = Callable[[Session, Approval, str, int, datetime, str], None]
Preview = Callable[[Session, Approval], str | None]
Facts = Callable[[Session, Approval], Sequence[tuple[str, str]]]


def _settled(
    _session: Session, _approval: Approval, _outcome: str, _by: int, _now: datetime, _opinion: str
) -> None:
    """Nothing follows from the decision by itself."""


def _no_preview(_session: Session, _approval: Approval) -> str | None:
    return None


def _no_facts(_session: Session, _approval: Approval) -> Sequence[tuple[str, str]]:
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request.

    name: stable key, e.g. `content.publish`; label: msgid; permission: who decides when no path says more.
    settled(session, approval, outcome, by, now, opinion): called in the transaction of the last decision;
    outcome approved, changes or rejected. facts: short lines for the page; preview: a complete HTML document
    (guests see it too) or None; href: the thing's address on the desk. take_back(session, approval, by, now):
    the owner's verb that withdraws the request together with the thing's state; without it the request alone
    is withdrawn. current: the hash of the thing as it is now; a decision on another one is refused.
    """

    name: str
    label: str
    permission: str
    settled: Settled = _settled
    preview: Preview = _no_preview
    facts: Facts = _no_facts
    href: Callable[[Approval], str] | None = None
    take_back: Callable[[Session, Approval, int, datetime], None] | None = None
    current: Callable[[Session, Approval], str | None] | None = None


KINDS: dict[str, Kind] = {}


def declare(kind: Kind) -> None:
    """Add a kind of request; a package does so when imported."""
    KINDS[kind.name] = kind


def of(name: str) -> Kind:
    """The kind; ValueError for one that nobody declared."""
    if name not in KINDS:
        raise ValueError(f"undeclared kind of approval {name}")
    return KINDS[name]
