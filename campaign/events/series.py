"""Series: found, saved, cloned, and the themes and exceptions of their dates. Each change is audited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from campaign import programme
from campaign.events import following, planning, series_form
from campaign.events.following import Followed, Meaning
from campaign.events.models import EventDate, EventSeries
from content import pages
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from institution import audit, outlets

audit.declare(
    {
        "event.create": mark("新建系列活动"),
        "event.change": mark("修改系列活动"),
        "event.dates": mark("安排系列活动的日子"),
    }
)


@dataclass(frozen=True, slots=True)
class Saved:
    """A series that was saved, and what became of its future occurrences."""

    series: EventSeries
    followed: Followed


@dataclass(frozen=True, slots=True)
class DateLine:
    """What is decided of one day of a series; all empty: nothing, the rule says it all."""

    day: date
    theme: str = ""
    theme_en: str = ""
    host: str = ""
    host_en: str = ""
    skipped: bool = False
    moved_to: date | None = None
    reason: str = ""


def find(session: Session, code: str) -> EventSeries | None:
    """The series with this code, None when there is none."""
    return session.exec(select(EventSeries).where(EventSeries.code == code)).first()


def get(session: Session, code: str) -> EventSeries:
    """The series with this code, or NotFound."""
    found = find(session, code)
    if found is None:
        raise NotFound(mark("没有找到这个系列活动，可能已经撤下。"))
    return found


def hold(session: Session, code: str) -> EventSeries:
    """The series, while whoever else wants to change or plan it waits; or NotFound."""
    return planning.hold(session, get(session, code).id or 0)


def listing(session: Session, *where: ColumnElement[bool]) -> list[EventSeries]:
    """All series for which the conditions hold, by name."""
    return list(session.exec(select(EventSeries).where(*where).order_by(EventSeries.name, EventSeries.code)))


def dates(session: Session, series: EventSeries) -> list[EventDate]:
    """What is decided of its days, by day."""
    query = select(EventDate).where(EventDate.series_id == series.id)
    return list(session.exec(query.order_by(col(EventDate.day))))


def create(
    session: Session,
    code: str,
    values: Mapping[str, str],
    *,
    outlet_code: str,
    now: datetime,
    demo: bool = False,
) -> EventSeries:
    """A new series from what a form says; Invalid names the field, Conflict a code that is taken."""
    code = code.strip()
    if not series_form.CODE.fullmatch(code) or code in series_form.TAKEN:
        raise Invalid(mark("代号用小写字母、数字和短横线，2 到 60 个字。"), field="code")
    if find(session, code) is not None:
        raise Conflict(mark("代号“%(code)s”已经被用，请换一个。"), field="code", code=code)
    found = series_form.checked(values)
    _check_places(session, outlet_code, found["campaign_code"])
    made = EventSeries(code=code, outlet_code=outlet_code, demo=demo, created_at=now, updated_at=now, **found)
    session.add(made)
    session.flush()
    _recorded(session, "event.create", made, {})
    return made


def save(
    session: Session,
    code: str,
    values: Mapping[str, str],
    *,
    outlet_code: str,
    follow: bool,
    zone: ZoneInfo,
    country: str,
    now: datetime,
) -> Saved:
    """Change a series; with `follow` its future occurrences change with it where nobody is registered."""
    series = hold(session, code)
    before, old = Meaning.of(session, series), series_form.shown(series)
    found = series_form.checked(values, series)
    _check_places(session, outlet_code, found["campaign_code"])
    if found["form"] != series.form and _has_occurrences(session, series):
        raise Conflict(mark("已经排了场次，不能再换参加方式；请另建一个系列活动。"), field="form")
    for name, value in found.items():
        setattr(series, name, value)
    series.outlet_code, series.updated_at = outlet_code, now
    session.add(series)
    followed = Followed()
    if follow:
        after = Meaning.of(session, series)
        followed = following.follow(session, before, after, zone=zone, country=country, now=now)
    _recorded(session, "event.change", series, old, followed=followed)
    return Saved(series, followed)


def set_dates(
    session: Session, code: str, lines: Sequence[DateLine], *, zone: ZoneInfo, country: str, now: datetime
) -> Saved:
    """Write down what is decided of some days; the occurrences of those days follow where nobody is registered."""
    series = hold(session, code)
    before = Meaning.of(session, series)
    for line in lines:
        _check_line(line)
        row = session.get(EventDate, (series.id, line.day))
        if line == DateLine(line.day):
            if row is not None:
                session.delete(row)
            continue
        row = row or EventDate(series_id=series.id or 0, day=line.day)
        for name in ("theme", "theme_en", "host", "host_en", "skipped", "moved_to", "reason"):
            setattr(row, name, getattr(line, name))
        session.add(row)
    series.updated_at = now
    after = Meaning.of(session, series)
    followed = following.follow(session, before, after, zone=zone, country=country, now=now)
    old = {str(one.day): _words(one) for one in before.dates}
    new = {str(one.day): _words(one) for one in after.dates}
    if old != new:
        pages.bump(session)
        audit.record(
            session,
            "event.dates",
            "event",
            series.code,
            before=old,
            after=new,
            outlet_code=series.outlet_code,
        )
    return Saved(series, followed)


def clone(
    session: Session, code: str, new_code: str, name: str, *, outlet_code: str, now: datetime
) -> EventSeries:
    """Another series like this one, hidden until somebody has looked at it; its dates and occurrences stay behind."""
    one = get(session, code)
    values = {key: _typed(value) for key, value in series_form.shown(one).items()}
    values |= {"name": name.strip() or one.name, "visible": ""}
    return create(session, new_code, values, outlet_code=outlet_code, now=now)


def _typed(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else str(value)


def _check_places(session: Session, outlet_code: str, campaign_code: str) -> None:
    if outlet_code and outlets.find(session, outlet_code) is None:
        raise Invalid(mark("没有这个机构，请重新选。"), field="outlet_code")
    if campaign_code and programme.find(session, campaign_code) is None:
        raise Invalid(mark("没有代号为“%(code)s”的活动期。"), field="campaign_code", code=campaign_code)


def _check_line(line: DateLine) -> None:
    for name, most in (("theme", 120), ("theme_en", 200), ("host", 60), ("host_en", 90), ("reason", 200)):
        series_form.text(getattr(line, name), f"{name}-{line.day}", most)
    if line.skipped and not line.reason.strip():
        raise Invalid(mark("%(day)s 不办，请写明原因。"), field=f"reason-{line.day}", day=line.day)
    if line.skipped and line.moved_to:
        raise Invalid(mark("%(day)s 要么不办，要么改期。"), field=f"moved_to-{line.day}", day=line.day)


def _has_occurrences(session: Session, series: EventSeries) -> bool:
    return planning.newest(session, series) > 0


def _words(one: EventDate) -> str:
    parts = [one.theme, one.host, one.reason, str(one.moved_to or ""), "×" if one.skipped else ""]
    return " · ".join(part for part in parts if part)


def _recorded(
    session: Session,
    action: str,
    series: EventSeries,
    old: Mapping[str, Any],
    *,
    followed: Followed | None = None,
) -> None:
    pages.bump(session)
    after = series_form.shown(series)
    if followed is not None:
        after |= {"changed": followed.changed, "erased": followed.removed, "unchanged": len(followed.left)}
    audit.record(
        session, action, "event", series.code, before=old, after=after, outlet_code=series.outlet_code
    )
