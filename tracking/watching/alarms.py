"""Alarms as they are kept: raised once while they last, over by themselves, taken care of by people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, true, update
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from core.errors import Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import audit
from institution.powers import WHOLE, Scope
from tracking import dimensions
from tracking.dimensions import Tree
from tracking.watching.looking import Finding, Look
from tracking.watching.models import ReachAlarm, ReachWatch
from tracking.watching.rules import KINDS, SILENCE
from tracking.watching.series import ALL, CHANNEL, OUTLET, PAIR, Subject

REAL, BROKEN, OUTAGE, PLANNED, OTHER = "real", "broken", "outage", "planned", "other"
CAUSES = {
    REAL: mark("确实如此，不用处理"),
    BROKEN: mark("二维码、链接或屏幕坏了，已修"),
    OUTAGE: mark("系统故障"),
    PLANNED: mark("活动、装修或停业"),
    OTHER: mark("其他"),
}
LONGEST_QUIET = timedelta(days=180)
_ENDLESS = timedelta(days=180)  # who was silent so long has left
audit.declare({"alarm.handle": mark("处理触达预警")})


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; "" is everything. `state`: `waiting`, `lasting`, `handled`."""

    state: str = "waiting"
    kind: str = ""


def settle(session: Session, look: Look, now: datetime) -> list[ReachAlarm]:
    """Enter what was found on a day: new alarms are returned, known ones go on, the others are over."""
    known = _by_key(session, col(ReachAlarm.over_on).is_(None))
    quiet = _by_key(session, col(ReachAlarm.quiet_until) >= look.day)
    rows: dict[tuple[Subject, bool], ReachAlarm] = {}
    new: list[tuple[Finding, ReachAlarm]] = []
    for found in look.findings:
        key = found.subject, found.odd.kind
        row = known.pop(key, None)
        if row is None and key in quiet:
            continue
        if row is None:
            row = row_of(found, look.day, now)
            new.append((found, row))
        row.last, row.expected, row.actual = look.day, found.odd.expected, found.odd.actual
        session.add(row)
        rows[found.subject, found.up] = row
    session.flush()  # now they have numbers to stand under
    for found, row in new:
        over = rows.get((found.under, found.up)) if found.under else None
        row.under_id = over.id if over else None
        session.add(row)
    for row in known.values():
        _unfound(row, look)
        session.add(row)
    session.flush()
    return [row for _found, row in new]


def _by_key(session: Session, condition: ColumnElement[bool]) -> dict[tuple[Subject, str], ReachAlarm]:
    return {(subject_of(one), one.kind): one for one in session.exec(select(ReachAlarm).where(condition))}


def row_of(found: Finding, day: date, now: datetime) -> ReachAlarm:
    """A finding of a day as an alarm that nobody has entered yet."""
    subject, odd = found.subject, found.odd
    return ReachAlarm(
        level=subject.level, outlet_code=subject.outlet, channel=subject.channel, kind=odd.kind, first=odd.first,
        last=day, expected=odd.expected, actual=odd.actual, found_at=now,
    )  # fmt: skip


def _unfound(row: ReachAlarm, look: Look) -> None:
    """An alarm that lasted and was not found again is over; a silence only when somebody came, or it closed."""
    if row.last >= look.day:
        return
    subject = subject_of(row)
    silent = row.kind == SILENCE and not look.visits.get(subject) and subject.outlet not in look.closed
    if silent and look.day - row.first < _ENDLESS:
        row.last = look.day
    else:
        row.over_on = look.day


def subject_of(row: ReachAlarm) -> Subject:
    """Whose visits an alarm is about."""
    return Subject(row.level, row.outlet_code, row.channel)


def last_watched(session: Session) -> ReachWatch | None:
    """The newest day that was looked at."""
    return session.exec(select(ReachWatch).order_by(col(ReachWatch.day).desc()).limit(1)).first()


def visible(scope: Scope) -> ColumnElement[bool]:
    """The condition for alarms of a part of the tree; for the whole institution those that explain themselves."""
    if scope.whole:
        return true()
    return and_(col(ReachAlarm.level).in_((OUTLET, PAIR)), scope.condition(ReachAlarm.outlet_code))


def uppermost(scope: Scope) -> ColumnElement[bool]:
    """The condition for alarms that are not explained by another one that the same reader sees."""
    top = col(ReachAlarm.under_id).is_(None)
    if scope.whole:
        return top
    outlets = select(ReachAlarm.id).where(ReachAlarm.level == OUTLET)
    return or_(top, col(ReachAlarm.under_id).not_in(outlets))


def query(scope: Scope, given: Filter) -> SelectOfScalar[ReachAlarm]:
    """The uppermost alarms of a part of the tree."""
    conditions = [visible(scope), uppermost(scope)]
    if given.kind:
        conditions.append(col(ReachAlarm.kind) == given.kind)
    if given.state == "waiting":
        conditions.append(col(ReachAlarm.handled_at).is_(None))
    elif given.state == "lasting":
        conditions.append(col(ReachAlarm.over_on).is_(None))
    elif given.state == "handled":
        conditions.append(col(ReachAlarm.handled_at).is_not(None))
    return select(ReachAlarm).where(*conditions)


def count(session: Session, scope: Scope) -> int:
    """How many wait for somebody."""
    return session.exec(select(func.count()).select_from(query(scope, Filter()).subquery())).one()


def get(session: Session, number: int) -> ReachAlarm:
    """One alarm, or NotFound."""
    row = session.get(ReachAlarm, number)
    if row is None:
        raise NotFound(mark("没有找到这条预警。"))
    return row


def place_of(row: ReachAlarm) -> str:
    """The node that an alarm belongs to."""
    return WHOLE if row.level in (ALL, CHANNEL) else row.outlet_code


def parts(session: Session, row: ReachAlarm, scope: Scope, most: int) -> tuple[list[ReachAlarm], int]:
    """The first alarms that this one explains, the largest differences first; and how many there are."""
    of = select(ReachAlarm).where(ReachAlarm.under_id == row.id, visible(scope))
    far = func.abs(col(ReachAlarm.actual) - col(ReachAlarm.expected))
    total = session.exec(select(func.count()).select_from(of.subquery())).one()
    return list(session.exec(of.order_by(far.desc(), col(ReachAlarm.id)).limit(most))), total


def handle(
    session: Session, row: ReachAlarm, *, cause: str, note: str, quiet_until: date | None, today: date,
    by: int, scope: Scope, now: datetime,
) -> None:  # fmt: skip
    """Say what it was; what it explains within `scope` is taken care of with it. Invalid names the field."""
    if cause not in CAUSES:
        raise Invalid(mark("请选择是什么原因。"), field="cause")
    if not note.strip() or len(note.strip()) > 300:
        raise Invalid(mark("请用一两句话写明情况（最多 300 字）。"), field="note")
    if quiet_until is not None and not today <= quiet_until <= today + LONGEST_QUIET:
        raise Invalid(mark("不再提醒的日期要在今天之后、半年以内。"), field="quiet_until")
    before = {"cause": row.cause, "note": row.note, "quiet_until": str(row.quiet_until or "")}
    said = {"cause": cause, "note": note.strip(), "quiet_until": quiet_until}
    one, level = col(ReachAlarm.id) == row.id, [row.id]
    while level:
        session.execute(update(ReachAlarm).where(one).values(**said, handled_by=by, handled_at=now))
        # what it explains, unless somebody has taken care of it by itself; nothing that is not the person's to say
        below = and_(
            col(ReachAlarm.under_id).in_(level), col(ReachAlarm.handled_at).is_(None), visible(scope)
        )
        level = list(session.exec(select(ReachAlarm.id).where(below)))
        one = below
    session.refresh(row)
    after = {**said, "quiet_until": str(quiet_until or "")}
    audit.record(
        session, "alarm.handle", "reach_alarm", row.id, before=before, after=after, outlet_code=place_of(row)
    )


class Words:
    """What alarms are called: places as they stood, channels by their names."""

    def __init__(self, session: Session, rows: Sequence[ReachAlarm]) -> None:
        self._tree = Tree.read(session)
        days = [one.last for one in rows]
        self._channels = dimensions.names(session, "channel", max(days)) if days else {}

    def who(self, row: ReachAlarm) -> str:
        """Whose visits: `全部访问`, `扫码`, `西湖柜面`, `西湖柜面 · 扫码`."""
        place = self._tree.name(row.outlet_code, row.last) if row.level in (OUTLET, PAIR) else ""
        channel = self._channels.get(row.channel, row.channel) if row.level in (CHANNEL, PAIR) else ""
        return " · ".join(one for one in (place, channel) if one) or _("全部访问")

    def sentence(self, row: ReachAlarm) -> str:
        """What happened, in a sentence."""
        if row.kind == SILENCE:
            days = (row.last - row.first).days + 1
            return _(
                "%(days)s 天没有人访问，平常这些天约有 %(usual)s 次", days=days, usual=f"{row.expected:,}"
            )
        return _(
            "%(day)s 有 %(now)s 次访问，平常约 %(usual)s 次",
            day=row.last, now=f"{row.actual:,}", usual=f"{row.expected:,}",
        )  # fmt: skip

    def line(self, row: ReachAlarm) -> str:
        """The alarm as one line of a letter."""
        return _(
            "%(kind)s：%(who)s，%(what)s",
            kind=_(KINDS[row.kind]), who=self.who(row), what=self.sentence(row),
        )  # fmt: skip
