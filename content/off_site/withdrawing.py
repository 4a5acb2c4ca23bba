"""Taking a piece off the site at once: one person suffices, a second one is told afterwards and acknowledges."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from content import pages
from content.history import get_piece, published_revision
from content.models import Piece, Revision, State
from content.moves import hold, move
from content.off_site.models import Withdrawal
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.i18n import mark
from institution import audit

URGENT, EXPIRED = "urgent", "expired"
CAUSE_NAMES = {URGENT: mark("人工撤下"), EXPIRED: mark("到期撤下")}
LONGEST_PUBLIC = 200
_RECENT = timedelta(days=30)

audit.declare({"piece.withdraw": mark("撤下内容"), "piece.withdrawal_seen": mark("知悉内容撤下")})


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that refers to a piece: its name, what the withdrawal does to it, and its page."""

    name: str
    what: str
    href: str = ""


Stop = Callable[[Session, str, datetime], None]
Concerned = Callable[[Session, str, datetime], Sequence[Concern]]
_stops: list[Stop] = []
_concerned: list[Concerned] = []


def on_withdraw(stop: Stop | None, concerned: Concerned) -> None:
    """Plug in who refers to pieces: `concerned` says what would be affected, `stop` does it, in the transaction
    of the withdrawal; both take (session, key, now). Plugged in by `webapp`; again: changes nothing."""
    if stop is not None and stop not in _stops:
        _stops.append(stop)
    if concerned not in _concerned:
        _concerned.append(concerned)


def concerns(session: Session, key: str, now: datetime) -> list[Concern]:
    """All that refers to a piece and is affected when it is taken down."""
    return [one for ask in _concerned for one in ask(session, key, now)]


def withdraw(
    session: Session,
    key: str,
    *,
    by: int,
    now: datetime,
    reason: str,
    public_reason: str = "",
    cause: str = URGENT,
) -> Revision:
    """Take the published revision off every page, list, feed and running push, in this transaction.

    Every process renders anew within a second of the commit. `reason` is for the record, `public_reason` for
    visitors who hold a link. It comes back only by another review.
    """
    reason, public_reason = reason.strip(), " ".join(public_reason.split())
    hold(session, key)
    revision = _may_go(session, key, reason, public_reason)
    move(session, revision, State.published, State.withdrawn, "withdrawn", by=by, now=now, note=reason[:2000])
    session.add(
        Withdrawal(
            piece_key=key, revision_id=revision.id or 0, cause=cause, reason=reason[:2000],
            public_reason=public_reason, by=by, at=now,
        )
    )  # fmt: skip
    session.flush()
    for stop in _stops:
        stop(session, key, now)
    pages.bump(session)
    after: dict[str, object] = {
        "number": revision.number,
        "title": revision.title,
        "hash": revision.hash,
        "cause": cause,
    }
    _record(session, "piece.withdraw", key, after, reason)
    return revision


def _may_go(session: Session, key: str, reason: str, public_reason: str) -> Revision:
    """The revision that is on the site; Conflict when there is none, Invalid for a reason that will not do."""
    revision = published_revision(session, key)
    if revision is None:
        raise Conflict(mark("这篇内容现在没有发布，不需要撤下。"))
    if not reason:
        raise Invalid(mark("请写明撤下的原因。"), field="reason")
    if len(public_reason) > LONGEST_PUBLIC:
        raise Invalid(
            mark("给访客看的说明不超过 %(most)s 个字。"), field="public_reason", most=LONGEST_PUBLIC
        )
    return revision


def last(session: Session, key: str) -> Withdrawal | None:
    """The last withdrawal of a piece that is not on the site any more; None while it is, or if it never was."""
    if published_revision(session, key) is not None:
        return None
    query = select(Withdrawal).where(Withdrawal.piece_key == key).order_by(col(Withdrawal.id).desc())
    return session.exec(query).first()


def was_published(session: Session, key: str) -> bool:
    """Whether a piece was on the site at some time."""
    piece = session.get(Piece, key)
    return piece is not None and piece.first_published_at is not None


def get(session: Session, number: int) -> Withdrawal:
    """A withdrawal, or NotFound."""
    found = session.get(Withdrawal, number)
    if found is None:
        raise NotFound(mark("没有找到这次撤下。"))
    return found


def unseen(session: Session, me: int, now: datetime, *where: ColumnElement[bool]) -> list[Withdrawal]:
    """Withdrawals of the last month by somebody else that no second person has acknowledged, the latest first.

    `where`: conditions on `Piece`.
    """
    query = (
        select(Withdrawal)
        .join(Piece, col(Piece.key) == col(Withdrawal.piece_key))
        .where(
            col(Withdrawal.seen_at).is_(None), Withdrawal.by != me, col(Withdrawal.at) > now - _RECENT, *where
        )
    )
    return list(session.exec(query.order_by(col(Withdrawal.id).desc())))


def acknowledge(session: Session, number: int, *, by: int, now: datetime) -> Withdrawal:
    """The second person has looked at it; never who did it (NotAllowed). Again: changes nothing."""
    found = get(session, number)
    if found.by == by:
        raise NotAllowed(mark("撤下是您自己做的，要由另一位同事知悉。"))
    if found.seen_at is None:
        found.seen_by, found.seen_at = by, now
        session.add(found)
        session.flush()
        _record(session, "piece.withdrawal_seen", found.piece_key, {"withdrawal": found.id})
    return found


def _record(session: Session, action: str, key: str, after: dict[str, object], note: str = "") -> None:
    place = get_piece(session, key).outlet_code
    audit.record(session, action, "piece", key, after=after, outlet_code=place, note=note)
