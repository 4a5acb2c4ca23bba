"""Every morning the day before is looked at, by one process of all, and who asked for it is written to."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.database import Database
from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import using_locale
from core.privacy import Vault
from core.settings import Settings
from institution import letters, sessions
from institution.models import Staff
from tracking import keeping
from tracking.store import ReachStore
from tracking.watching import alarms
from tracking.watching.alarms import Words
from tracking.watching.looking import look
from tracking.watching.models import ReachAlarm, ReachAlarmReader, ReachWatch

EVERY_SECONDS = 300.0
# What was missed while nothing ran is made up for, but nobody needs alarms of last month.
_MOST_DAYS = 7
# A spool that waits so long holds visits of the day before: to look now would find silence that is none.
_WAITS_TOO_LONG = 1800.0
_SHOWN = 30


class Watch:
    """Looks at each day once, after it is over."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        store: ReachStore,
        vault: Vault,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings, self._database, self._store = settings, database, store
        self._vault, self._clock = vault, clock

    def run_once(self) -> int:
        """Look at the days that are due; returns how many alarms were raised."""
        now = self._clock()
        local = now.astimezone(self._settings.zone)
        if local.hour < self._settings.alarm_hour:
            return 0
        due = self._due(local.date() - timedelta(days=1))
        if not due or keeping.spooled(self._settings.spool_dir, now.timestamp()).oldest > _WAITS_TOO_LONG:
            return 0
        return sum(self._watch(day, now) for day in due)

    def _due(self, yesterday: date) -> list[date]:
        with self._database.reading() as session:
            last = alarms.last_watched(session)
        first = (
            yesterday
            if last is None
            else max(last.day + timedelta(days=1), yesterday - timedelta(days=_MOST_DAYS - 1))
        )
        return [first + timedelta(days=number) for number in range((yesterday - first).days + 1)]

    def _watch(self, day: date, now: datetime) -> int:
        with self._database.reading() as session:
            found = look(self._store, session, self._settings, day)
        try:
            with self._database.transaction() as session:
                watched = ReachWatch(day=day, watched_at=now)
                session.add(watched)
                session.flush()
                new = alarms.settle(session, found, now)
                watched.raised = len(new)
                session.add(watched)
                if new:
                    self._tell(session, day, now)
        except IntegrityError:  # another process has done this day meanwhile
            return 0
        return len(new)

    def _tell(self, session: Session, day: date, now: datetime) -> None:
        """Put a letter to every reader into the outbox: what is new in their part of the tree."""
        if not letters.possible(self._settings):
            return
        readers = (
            select(Staff)
            .join(ReachAlarmReader, col(ReachAlarmReader.staff_id) == col(Staff.id))
            .where(col(Staff.active).is_(True), col(Staff.email).is_not(None))
        )
        with using_locale(self._settings.locale):
            for person in session.exec(readers):
                subject, text = self._letter(session, person, day, now)
                if not text:
                    continue
                try:
                    to = self._vault.decrypt(person.email or "")
                    letters.post(session, vault=self._vault, to=to, subject=subject, text=text, now=now)
                except Invalid:  # an address that cannot be written to must not keep the others waiting
                    continue

    def _letter(self, session: Session, person: Staff, day: date, now: datetime) -> tuple[str, str]:
        scope = sessions.powers_of(session, person.id or 0).scope("reach.view")
        if not scope.tops:
            return "", ""
        query = alarms.query(scope, alarms.Filter(state="")).where(ReachAlarm.found_at == now)
        rows = list(session.exec(query.order_by(col(ReachAlarm.id))))
        if not rows:
            return "", ""
        words = Words(session, rows)
        lines = [f"· {words.line(one)}" for one in rows[:_SHOWN]]
        if len(rows) > _SHOWN:
            lines.append(_("……还有 %(count)s 条", count=len(rows) - _SHOWN))
        settings = self._settings
        return _("触达预警：%(day)s 有 %(count)s 条新的", day=day, count=len(rows)), _(
            "您好：\n\n%(lines)s\n\n查看和处理：\n%(link)s\n\n不想再收到：在同一页点“不再寄给我”。\n\n%(institution)s",
            lines="\n".join(lines),
            link=f"{settings.public_url.rstrip('/')}/desk/reach/alarms",
            institution=settings.institution_name,
        )


def is_reader(session: Session, staff_id: int) -> bool:
    """Whether somebody gets new alarms by mail."""
    return session.get(ReachAlarmReader, staff_id) is not None


def subscribe(session: Session, staff_id: int, *, wanted: bool, now: datetime) -> None:
    """Write to somebody, or no longer; again: changes nothing."""
    row = session.get(ReachAlarmReader, staff_id)
    if wanted and row is None:
        session.add(ReachAlarmReader(staff_id=staff_id, since=now))
    elif row is not None and not wanted:
        session.delete(row)
