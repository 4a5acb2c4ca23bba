"""What can be asked for: each package declares the kinds of request whose things it owns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from institution.approval_models import Approval, ApprovalStep

Said = Mapping[str, str]
Settled = Callable[[Session, Approval, str, int, datetime, str], None]
Preview = Callable[[Session, Approval], str | None]
Facts = Callable[[Session, Approval], Sequence[tuple[str, str]]]
Form = Callable[[Session, Sequence[Approval], Said], str]
Answered = Callable[[Session, Approval, ApprovalStep, Said, int, datetime], None]
Ready = Callable[[Session, Approval, ApprovalStep], None]
Aside = Callable[[Session, Approval], str]


def _settled(
    _session: Session, _approval: Approval, _outcome: str, _by: int, _now: datetime, _opinion: str
) -> None:
    """Nothing follows from the decision by itself."""


def _no_preview(_session: Session, _approval: Approval) -> str | None:
    return None


def _no_facts(_session: Session, _approval: Approval) -> Sequence[tuple[str, str]]:
    return ()


def _no_form(_session: Session, _approvals: Sequence[Approval], _said: Said) -> str:
    return ""


def _not_answered(
    _session: Session, _approval: Approval, _step: ApprovalStep, _said: Said, _by: int, _now: datetime
) -> None:
    """Nothing more is asked than the decision."""


def _ready(_session: Session, _approval: Approval, _step: ApprovalStep) -> None:
    """Nothing else has to be done before a step passes."""


def _no_aside(_session: Session, _approval: Approval) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request.

    name: stable key, e.g. `content.publish`; label: msgid; permission: who decides when no path says more.
    settled(session, approval, outcome, by, now, opinion): called in the transaction of the last decision;
    outcome approved, changes or rejected. facts: short lines for the page; preview: a complete HTML document
    (guests see it too) or None; href: the thing's address on the desk. take_back(session, approval, by, now):
    the owner's verb that withdraws the request together with the thing's state; without it the request alone
    is withdrawn. current: the hash of the thing as it is now; a decision on another one is refused.

    form: HTML that stands in the form of the decision, for one request or for several decided at once, with what was
    typed; answered(session, approval, step, said, by, now) keeps what it says; ready raises Invalid while a step may not
    pass yet. aside: HTML beside the request on the desk. sorts: kinds of thing that may have paths of their own.
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
    form: Form = _no_form
    answered: Answered = _not_answered
    ready: Ready = _ready
    aside: Aside = _no_aside
    sorts: Mapping[str, str] = field(default_factory=dict)


KINDS: dict[str, Kind] = {}


def declare(kind: Kind) -> None:
    """Add a kind of request; a package does so when imported."""
    KINDS[kind.name] = kind


def of(name: str) -> Kind:
    """The kind; ValueError for one that nobody declared."""
    if name not in KINDS:
        raise ValueError(f"undeclared kind of approval {name}")
    return KINDS[name]
