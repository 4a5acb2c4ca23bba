"""What happens as a date comes: owners are asked ahead, and what nobody confirmed comes down, per kind (`policy`).

That something is still true is said to the public, so it is said by a new revision: with another `review_by`, and through
review like every other. While that is under way nothing comes down, for a time.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date as Day
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from content import drafting, lifecycle
from content.check import due, overruling
from content.check.due import Due
from content.guard import KIND
from content.history import published_revision
from content.media import from_json
from content.models import Piece, Revision, State
from content.off_site import policy, telling, withdrawing
from content.off_site.models import ExpiryNotice
from core import clock as clocks
from core.database import Database
from core.errors import Conflict, Invalid
from core.i18n import gettext as _
from core.i18n import mark, using_locale
from core.privacy import Vault
from core.settings import Settings
from institution import approvals, people
from institution.working_days import WorkingDays

EVERY_SECONDS = 600.0
UNDER_REVIEW = timedelta(days=14)  # so long a confirmation that is being reviewed keeps a piece on the site
LONGEST = timedelta(days=731)
KEEPER = ("content-keeper", mark("路标到期管理"))
_REVIEW_BY = re.compile(r"^review_by:.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Expiring:
    """A published revision with the days that it names; `down_on`: when it comes down, None where it stays."""

    revision: Revision
    piece: Piece
    dues: Sequence[Due]
    review_by: Day | None
    down_on: Day | None
    waiting: bool  # a newer revision is being reviewed

    def comes_down(self, today: Day) -> bool:
        """Whether it has to come down now."""
        if self.down_on is None or today < self.down_on:
            return False
        return not self.waiting or today >= self.down_on + UNDER_REVIEW


def expiring(session: Session, *where: ColumnElement[bool]) -> list[Expiring]:
    """Every published revision that names a day; `where`: conditions on `Piece`."""
    query = (
        select(Revision, Piece)
        .join(Piece, col(Piece.key) == col(Revision.piece_key))
        .where(Revision.state == State.published.value, *where)
        .order_by(col(Revision.piece_key))
    )
    found = [_one(session, revision, piece) for revision, piece in session.exec(query)]
    return [one for one in found if one.dues]


class Keeper:
    """Asks owners and takes down what is due; running it again changes nothing."""

    def __init__(
        self, settings: Settings, database: Database, vault: Vault, clock: Callable[[], datetime]
    ) -> None:
        self._settings, self._database, self._vault, self._clock = settings, database, vault, clock
        self._done: Day | None = None

    def run_once(self) -> int:
        """Once a day: how many letters were posted and pieces taken down."""
        now = self._clock()
        today = clocks.day_of(now, self._settings.zone)
        if self._done == today:
            return 0
        with self._database.reading() as session:
            found = expiring(session)
        done = 0
        for one in found:
            with self._database.transaction() as session, using_locale(self._settings.locale):
                if one.comes_down(today):
                    done += self._take_down(session, one, now)
                else:
                    done += self._ask(session, one, today, now)
        self._done = today
        return done

    def _take_down(self, session: Session, one: Expiring, now: datetime) -> int:
        """Unless somebody was faster: the revision that is on the site now is another one, or none is."""
        current = published_revision(session, one.piece.key)
        if current is None or current.id != one.revision.id:
            return 0
        keeper = people.system_account(session, *KEEPER, now).id or 0
        reason = _("复核日 %(day)s 已过，没有人确认仍然有效。", day=one.review_by)
        revision = withdrawing.withdraw(
            session, one.piece.key, by=keeper, now=now, reason=reason, cause=withdrawing.EXPIRED
        )
        gone = withdrawing.last(session, one.piece.key)
        if gone is not None:
            telling.withdrawn(session, revision, gone, settings=self._settings, vault=self._vault, now=now)
        return 1

    def _ask(self, session: Session, one: Expiring, today: Day, now: datetime) -> int:
        asked = 0
        for on in sorted({each.on for each in one.dues}):
            reached = [days for days in policy.policy().ask_days if (on - today).days <= days]
            if reached and note(session, one.revision, on, min(reached), now):
                subject, text = self._words(one, on)
                owners = telling.owners(session, one.revision)
                asked += telling.post(
                    session, owners, subject, text, settings=self._settings, vault=self._vault, now=now
                )
        return asked

    def _words(self, one: Expiring, on: Day) -> tuple[str, str]:
        what = "\n".join(
            f"- {_(due.DUE_NAMES[each.kind])}：{each.what}" for each in one.dues if each.on == on
        )
        follows = (
            _("如果没有人确认，它会在 %(day)s 自动撤下。", day=one.down_on)
            if one.down_on and on == one.review_by
            else _("它会留在网站上，请尽快核对。")
        )
        title = " ".join(one.revision.title.split())
        text = _(
            "您好：\n\n“%(title)s”有内容在 %(day)s 到期：\n%(what)s\n\n%(follows)s\n\n"
            "仍然有效，请打开下面的页面确认到哪一天；不再有效，请修改后重新提交，或者撤下。\n%(link)s\n\n%(institution)s",
            title=title,
            day=on,
            what=what,
            follows=follows,
            link=f"{self._settings.public_url.rstrip('/')}/desk/due",
            institution=self._settings.institution_name,
        )
        return _("请核对：%(title)s（%(day)s 到期）", title=title, day=on), text


def note(session: Session, revision: Revision, on: Day, days: int, now: datetime) -> bool:
    """Write down that owners are asked now; False when they were: of two processes one asks."""
    query = select(ExpiryNotice.id).where(
        ExpiryNotice.revision_id == revision.id, ExpiryNotice.on == on, col(ExpiryNotice.days) <= days
    )
    if session.exec(query).first() is not None:
        return False
    try:
        with session.begin_nested():
            session.add(ExpiryNotice(revision_id=revision.id or 0, on=on, days=days, at=now))
    except IntegrityError:
        return False
    return True


def confirm(
    session: Session,
    key: str,
    until: Day,
    *,
    by: int,
    now: datetime,
    today: Day,
    working: WorkingDays | None = None,
    files_dir: Path | None = None,
) -> Revision:
    """Say that a published piece is true until another day: a new revision that differs in this alone, put to review.

    Faulty where the check finds something that is not settled (a figure past its day has to be mended first).
    """
    published = published_revision(session, key)
    if published is None:
        raise Conflict(mark("这篇内容现在没有发布，不能确认。"))
    if not today < until <= today + LONGEST:
        raise Invalid(mark("请写今天以后、两年以内的日子。"), field="until")
    draft, faults = drafting.check("", _dated(published.text, until), from_json(published.media))
    if draft is None:
        raise Invalid(
            mark("请在编辑页里改 review_by：%(why)s"), field="until", why="; ".join(map(str, faults))
        )
    revision = lifecycle.save(session, draft, by=by, now=now)
    if revision is None:
        raise Conflict(mark("已经有一版写着这一天，请直接提交那一版。"))
    _carry_reasons(session, published, revision, by, now, today)
    reason = _("内容没有变，确认仍然有效到 %(day)s。", day=until)
    number = revision.id or 0
    lifecycle.submit(session, number, by=by, now=now, reason=reason, working=working, files_dir=files_dir)
    return revision


def _dated(text: str, until: Day) -> str:
    """The same text with another `review_by`."""
    line = f"review_by: {until.isoformat()}"
    head, fence, rest = text.partition("\n---\n") if text.startswith("---") else (text, "", "")
    if _REVIEW_BY.search(head):
        return _REVIEW_BY.sub(line, head, count=1) + fence + rest
    return f"{head}\n{line}{fence}{rest}" if fence else f"{head.rstrip()}\n{line}\n"


def _carry_reasons(  # noqa: PLR0917  (private, and told apart by their types)
    session: Session, before: Revision, after: Revision, by: int, now: datetime, today: Day
) -> None:
    """The words are the same, so that what was said for leaving a warning still holds; the reviewer sees it again."""
    found = {one.mark for one in overruling.findings(session, after, today) if one.is_open}
    for one in overruling.given(session, before):
        if one.mark in found:
            overruling.overrule(session, after, one.mark, reason=one.reason, by=by, now=now, on=today)


def _one(session: Session, revision: Revision, piece: Piece) -> Expiring:
    dues = list(due.of_revision(revision, piece.outlet_code))
    named = next((one.on for one in dues if one.kind == due.REVIEW), None)
    waiting = bool(dues) and approvals.open_request(session, kind=KIND, subject=piece.key) is not None
    down_on = policy.of_kind(piece.kind).down_on(named) if named else None
    return Expiring(revision, piece, dues, named, down_on, waiting)
