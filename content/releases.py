"""Publishing at a time: an approved revision gets a moment, a job publishes it then, once.

After an outage it is published as soon as the job runs again. What a newer revision, a withdrawal or a published
revision overtook is not published, and the release says why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, update
from sqlmodel import Session, col, select

from content import history, lifecycle
from content.models import Piece, Revision, RevisionStep, State
from content.moves import hold
from content.release_models import Release, ReleaseState
from core.database import Database, Prepared, UtcDateTime
from core.errors import Conflict, DomainError, Invalid, NotFound
from core.i18n import gettext, mark
from institution import audit

EVERY_SECONDS = 1.0
LONGEST = timedelta(days=366)
audit.declare(
    {
        "piece.schedule": mark("排定发布时间"),
        "piece.reschedule": mark("更改发布时间"),
        "piece.unschedule": mark("取消定时发布"),
        "piece.not_released": mark("定时发布没有进行"),
    }
)
_DUE = Prepared(
    select(col(Release.id)).where(
        Release.state == ReleaseState.waiting, col(Release.due_at) <= bindparam("now", type_=UtcDateTime)
    )
)


@dataclass(frozen=True)
class Coming:
    """A release as lists show it."""

    release: Release
    title: str
    number: int
    kind: str
    outlet_code: str


def schedule(session: Session, revision_id: int, at: datetime, *, by: int, now: datetime) -> Release:
    """Have an approved revision published at a moment; Conflict while another of the piece waits."""
    revision = history.get(session, revision_id)
    hold(session, revision.piece_key)
    session.refresh(revision)
    if revision.state != State.approved:
        raise Conflict(mark("只有审查通过、还没有发布的版本才能定时发布。"), field="at")
    _check(at, now)
    if waiting(session, revision.piece_key) is not None:
        raise Conflict(mark("这篇内容已经排定了发布时间，请在原来的安排上更改。"), field="at")
    release = Release(piece_key=revision.piece_key, revision_id=revision_id, due_at=at, by=by, made_at=now)
    session.add(release)
    session.flush()
    _record(session, "piece.schedule", release)
    return release


def move(session: Session, release_id: int, at: datetime, *, by: int, now: datetime) -> Release:
    """Another moment for a release that waits; who moved it answers for it from now on."""
    release = get(session, release_id)
    _check(at, now)
    before = release.due_at
    _settle(session, release, due_at=at, by=by)
    _record(session, "piece.reschedule", release, before=before)
    return release


def cancel(session: Session, release_id: int, *, now: datetime) -> Release:
    """Not at that moment; the revision stays approved."""
    release = get(session, release_id)
    _settle(session, release, state=ReleaseState.cancelled.value, settled_at=now)
    _record(session, "piece.unschedule", release)
    return release


def carry_out(session: Session, release_id: int, now: datetime) -> Release | None:
    """Publish what is due, or write down what came between; None when somebody else was faster."""
    release = get(session, release_id)
    hold(session, release.piece_key)
    session.refresh(release)
    if release.due_at > now:
        return None
    try:
        _settle(session, release, state=ReleaseState.done.value, settled_at=now)
    except Conflict:
        return None
    why = _overtaken(session, release)
    if not why:
        try:
            with session.begin_nested():
                lifecycle.publish(session, release.revision_id, by=release.by, now=now)
        except DomainError as error:
            why = str(error)
    if why:
        release.state, release.note = ReleaseState.stopped.value, why[:400]
        session.add(release)
        session.flush()
        _record(session, "piece.not_released", release)
    return release


def get(session: Session, release_id: int) -> Release:
    """The release, or NotFound."""
    release = session.get(Release, release_id)
    if release is None:
        raise NotFound(mark("没有找到这个发布安排。"))
    return release


def waiting(session: Session, key: str) -> Release | None:
    """The release of a piece that waits."""
    query = select(Release).where(Release.piece_key == key, Release.state == ReleaseState.waiting)
    return session.exec(query).first()


def last(session: Session, key: str) -> Release | None:
    """The newest release of a piece, however it ended."""
    query = select(Release).where(Release.piece_key == key).order_by(col(Release.id).desc())
    return session.exec(query).first()


def listed(
    session: Session, states: Sequence[ReleaseState], *where: ColumnElement[bool], most: int = 200
) -> list[Coming]:
    """Releases in these states whose piece fits, the earliest first; of settled ones the latest first."""
    order = col(Release.due_at) if ReleaseState.waiting in states else col(Release.due_at).desc()
    query = (
        select(Release, Revision, Piece)
        .join(Revision, col(Revision.id) == Release.revision_id)
        .join(Piece, col(Piece.key) == Release.piece_key)
        .where(col(Release.state).in_([one.value for one in states]), *where)
        .order_by(order, col(Release.id))
        .limit(most)
    )
    return [
        Coming(release, revision.title, revision.number, piece.kind, piece.outlet_code)
        for release, revision, piece in session.exec(query)
    ]


class Releaser:
    """The job: looks for what is due and publishes each in a transaction of its own."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def run_once(self) -> int:
        """How many were settled."""
        now = self._clock()
        done = 0
        for (release_id,) in self._database.ask(_DUE, {"now": now}):
            with self._database.transaction() as session:
                done += carry_out(session, release_id, now) is not None
        return done


def _check(at: datetime, now: datetime) -> None:
    if at <= now:
        raise Invalid(mark("发布时间要在现在之后。"), field="at")
    if at > now + LONGEST:
        raise Invalid(mark("发布时间请排在一年以内。"), field="at")


def _overtaken(session: Session, release: Release) -> str:
    """What came between the plan and its moment, in a sentence; empty when nothing did."""
    revision = history.get(session, release.revision_id)
    session.refresh(revision)
    newest = history.newest(session, release.piece_key)
    if revision.state in (State.published, State.superseded):
        return gettext("这一版已经由人发布过了。")
    if newest is not None and newest.number != revision.number:
        return gettext("排定之后又有了新的第 %(number)s 版，旧的一版没有发布。") % {"number": newest.number}
    withdrawn = (
        select(RevisionStep.id)
        .join(Revision, col(Revision.id) == RevisionStep.revision_id)
        .where(
            Revision.piece_key == release.piece_key,
            RevisionStep.action == "withdrawn",
            col(RevisionStep.at) >= release.made_at,
        )
    )
    if session.exec(withdrawn.limit(1)).first() is not None:
        return gettext("排定之后这篇内容被撤下过，没有自动发布；要发布请再排一次。")
    if revision.state != State.approved:
        return gettext("这一版现在不是“已通过”，没有发布。")
    return ""


def _settle(session: Session, release: Release, **values: object) -> None:
    """Change a release that waits, so that of two only one succeeds."""
    own = (
        update(Release)
        .where(col(Release.id) == release.id, col(Release.state) == ReleaseState.waiting.value)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    done = session.execute(own).rowcount == 1  # type: ignore[attr-defined]
    session.refresh(release)
    if not done:
        raise Conflict(mark("这个安排刚刚有了结果，请刷新页面。"))


def _record(session: Session, action: str, release: Release, before: datetime | None = None) -> None:
    piece = history.get_piece(session, release.piece_key)
    number = history.get(session, release.revision_id).number
    after = {"number": number, "at": release.due_at.isoformat(timespec="minutes")}
    audit.record(
        session, action, "piece", release.piece_key,
        before={"at": before.isoformat(timespec="minutes")} if before else {}, after=after,
        outlet_code=piece.outlet_code, note=release.note,
    )  # fmt: skip
