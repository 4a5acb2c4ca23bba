"""Reminders: who may decide a request gets a letter before it is due, and one more when it is overdue."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, update
from sqlmodel import Session, col, select

from core.database import Database
from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import using_locale
from core.privacy import Vault
from core.settings import Settings
from institution import approval_guests, deciders, letters
from institution.approval_models import Approval, ApprovalStep

EVERY_SECONDS = 300.0
_MOST = 50


class Reminders:
    """Looks for requests that are due soon or overdue; each step is reminded of once for either."""

    def __init__(
        self, settings: Settings, database: Database, vault: Vault, clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._database = database
        self._vault = vault
        self._clock = clock

    def run_once(self) -> int:
        """Put the letters that are due into the outbox; returns how many."""
        now = self._clock()
        with self._database.transaction() as session:
            approval_guests.forget(session, now)
        if not letters.possible(self._settings):
            return 0
        with self._database.reading() as session:
            found = due(session, now, timedelta(hours=self._settings.approval_remind_hours))
        posted = 0
        for approval_id, step_id in found:
            with self._database.transaction() as session, using_locale(self._settings.locale):
                posted += self._remind(session, approval_id, step_id, now)
        return posted

    def _remind(self, session: Session, approval_id: int, step_id: int, now: datetime) -> int:
        approval, step = session.get(Approval, approval_id), session.get(ApprovalStep, step_id)
        if (
            approval is None
            or step is None
            or approval.due_at is None
            or not _take(session, approval, step, now)
        ):
            return 0
        subject, text = words(approval, self._settings, now)
        posted = 0
        for person in deciders.candidates(session, approval, step, now):
            if person.email:
                try:
                    to = self._vault.decrypt(person.email)
                    letters.post(session, vault=self._vault, to=to, subject=subject, text=text, now=now)
                except Invalid:  # an address that cannot be written to must not keep the others waiting
                    continue
                posted += 1
        return posted


def due(session: Session, now: datetime, ahead: timedelta) -> list[tuple[int, int]]:
    """Open requests with the step that waits, of which somebody is to be reminded now."""
    soon = and_(col(Approval.due_at) <= now + ahead, col(ApprovalStep.reminded_at).is_(None))
    late = and_(col(Approval.due_at) <= now, col(ApprovalStep.overdue_reminded_at).is_(None))
    query = (
        select(Approval.id, ApprovalStep.id)
        .join(ApprovalStep, col(ApprovalStep.approval_id) == col(Approval.id))
        .where(
            col(Approval.decision).is_(None),
            col(ApprovalStep.number) == col(Approval.current_step),
            or_(soon, late),
        )
        .order_by(col(Approval.due_at))
        .limit(_MOST)
    )
    return [(approval or 0, step or 0) for approval, step in session.exec(query)]


def words(approval: Approval, settings: Settings, now: datetime) -> tuple[str, str]:
    """Subject and text of a reminder."""
    late = approval.due_at is not None and approval.due_at <= now
    title = " ".join(approval.title.split())
    subject = _("审批已超期：%(title)s") if late else _("审批快到期：%(title)s")
    text = _(
        "您好：\n\n“%(title)s”在等您审批，办理期限是 %(due)s。\n\n请登录后处理：\n%(link)s\n\n"
        "如果您不在岗，可以在“审批”里设置代审人。\n\n%(institution)s"
    )
    return subject % {"title": title}, text % {
        "title": title,
        "due": _moment(approval.due_at, settings.zone),
        "link": f"{settings.public_url.rstrip('/')}/desk/approvals/{approval.id}",
        "institution": settings.institution_name,
    }


def _take(session: Session, approval: Approval, step: ApprovalStep, now: datetime) -> bool:
    """Mark the reminder as given by conditional UPDATE: of two processes one writes the letters."""
    late = approval.due_at is not None and approval.due_at <= now
    column = ApprovalStep.overdue_reminded_at if late else ApprovalStep.reminded_at
    values = {"reminded_at": now} | ({"overdue_reminded_at": now} if late else {})
    statement = update(ApprovalStep).where(
        col(ApprovalStep.id) == step.id, col(column).is_(None), col(ApprovalStep.decision).is_(None)
    )
    return bool(session.execute(statement.values(**values)).rowcount == 1)  # type: ignore[attr-defined]


def _moment(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else ""
