"""What waits on the desk's first page of events at outlets: registrations, calls to make, activity returns."""

from datetime import datetime

from sqlalchemy import select as columns
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from campaign.events import load
from campaign.events.models import EventSeries, Occurrence
from campaign.registration import words
from campaign.registration.models import PENDING, Notice, Registration
from campaign.registration.notices import BY_HAND
from campaign.returns import filing
from campaign.returns.models import RETURNED, SUBMITTED, ActivityReturn, ReturnVersion
from core.http import service
from core.i18n import gettext as _
from core.settings import Settings
from institution.access import SignedIn
from institution.desk_home import Entry, Panel

_FIRST = 5


def to_approve(session: Session, person: SignedIn, now: datetime) -> Panel | None:
    """Registrations that wait for a yes, by occurrence, the soonest first."""
    waiting = Registration.state == PENDING, col(Occurrence.ends_at) > now
    return _registered(session, person, _("报名等审核"), "who", *waiting)


def to_call(session: Session, person: SignedIn, _now: datetime) -> Panel | None:
    """People who have to be told something by telephone, by occurrence, the soonest first."""
    calls = select(Notice.registration_id).where(Notice.state == BY_HAND)
    return _registered(session, person, _("要打电话告诉的人"), "tell", col(Registration.id).in_(calls))


def _registered(
    session: Session, person: SignedIn, title: str, anchor: str, *conditions: object
) -> Panel | None:
    """How many registrations fit in the person's part of the tree, with the occurrences that have them."""
    if not person.may("registration.edit"):
        return None
    query = (
        columns(Occurrence, EventSeries, func.count(col(Registration.id)))
        .join(Registration, col(Registration.occurrence_id) == col(Occurrence.id))
        .join(EventSeries, col(EventSeries.id) == col(Occurrence.series_id))
        .where(load.within(person.scope("registration.edit")), *conditions)  # type: ignore[arg-type]
        .group_by(col(Occurrence.id), col(EventSeries.id))
        .order_by(col(Occurrence.starts_at), col(Occurrence.id))
    )
    rows = session.execute(query).all()
    zone = service(Settings).zone
    names = load.where(session, [one for one, _series, _count in rows[:_FIRST]])
    entries = [
        Entry(
            " · ".join((words.when(one.starts_at, zone), series.shown("name"), names[one.outlet_code])),
            f"/desk/events/o/{one.id}#{anchor}",
            _("%(count)s 份", count=count),
        )
        for one, series, count in rows[:_FIRST]
    ]  # fmt: skip
    return Panel(title, "/desk/events/occurrences", sum(count for *_rest, count in rows), entries)


def to_verify(session: Session, person: SignedIn, _now: datetime) -> Panel | None:
    """Returns of activities that wait for a second pair of eyes, those with a mark first; never one's own."""
    if not person.may("return.verify"):
        return None
    query = _returns(SUBMITTED).where(
        person.scope("return.verify").condition(ReturnVersion.outlet_code),
        ReturnVersion.submitted_by != person.id,
        ReturnVersion.saved_by != person.id,
    )
    rows = sorted(session.exec(query), key=lambda one: (not one.marks, one.submitted_at))
    entries = [
        Entry(filing.title(session, one), f"/desk/returns/{one.return_id}", *_marked(one))
        for one in rows[:_FIRST]
    ]
    # they are among the requests that wait already: here they inform, and lead to all of them at once
    return Panel(_("活动回执等核实"), "/desk/returns?state=submitted", len(rows), entries, urgent=False)


def _marked(one: ReturnVersion) -> tuple[str, str]:
    if one.marks:
        return _("%(count)s 处请留意", count=len(one.marks)), "warn"
    return _("待核实"), "info"


def to_mend(session: Session, person: SignedIn, _now: datetime) -> Panel | None:
    """Returns that came back to this person, or to their outlet, to be mended."""
    if not person.may("return.file"):
        return None
    mine = person.scope("return.file").condition(ReturnVersion.outlet_code)
    rows = list(session.exec(_returns(RETURNED).where(mine, ReturnVersion.submitted_by == person.id)))
    entries = [
        Entry(filing.title(session, one), f"/desk/returns/{one.return_id}/edit", one.reason[:40])
        for one in rows[:_FIRST]
    ]
    return Panel(_("退回的活动回执"), "/desk/returns?state=returned", len(rows), entries)


def _returns(state: str) -> SelectOfScalar[ReturnVersion]:
    """The latest versions of returns in a state, the oldest first."""
    return (
        select(ReturnVersion)
        .join(ActivityReturn, col(ActivityReturn.id) == col(ReturnVersion.return_id))
        .where(col(ActivityReturn.latest) == col(ReturnVersion.number), ReturnVersion.state == state)
        .order_by(col(ReturnVersion.id))
    )
