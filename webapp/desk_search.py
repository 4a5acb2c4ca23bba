"""What the desk's search finds: pages of the desk, outlets, pieces, campaigns, events, returns, pushes, lists, people.

Every provider narrows its query to the part of the tree in which the person may see that kind of thing.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_
from sqlmodel import Session, col, select

from campaign.contacts import ContactList
from campaign.events import load
from campaign.events.models import EventSeries, Occurrence
from campaign.models import Campaign
from campaign.registration import words
from campaign.returns import filing
from campaign.returns.models import STATE_NAMES as RETURN_STATES
from campaign.returns.models import ActivityReturn, ReturnVersion
from content.finding import searching
from content.finding.documents import Documents
from content.finding.question import asked
from content.finding.searching import Narrowed
from content.models import KIND_NAMES, STATE_NAMES, Kind, Piece, Revision, State
from core import clock
from core.http import service
from core.i18n import gettext as _
from core.settings import Settings
from institution import places, search
from institution.access import SignedIn
from institution.models import OUTLET_KIND_NAMES, Grant, Outlet, OutletKind, Staff
from institution.powers import Scope
from institution.search import Hit
from scheduler.models import Plan

_MOST = 20


def plug() -> None:
    """Plug the providers in, in the order in which equally good hits are shown; again: changes nothing."""
    for provider in (outlets, pieces, campaigns, events, returns, people, plans, lists):
        search.plug(provider)


def _holds(text: str, *columns: Any) -> ColumnElement[bool]:
    """Every word of the text stands in one of the columns."""
    words = text.split()
    return and_(
        *(
            or_(*(func.lower(column).contains(word.lower(), autoescape=True) for column in columns))
            for word in words
        )
    )


def outlets(session: Session, person: SignedIn, text: str) -> Sequence[Hit]:
    """Nodes of the tree, by name or code."""
    scope = person.scope("outlet.view")
    query = select(Outlet).where(
        scope.condition(Outlet.code), _holds(text, Outlet.name, Outlet.code, Outlet.plaque_number)
    )
    near = col(Outlet.name).icontains(text, autoescape=True).desc()
    return [
        Hit(
            one.name,
            " · ".join(
                part for part in (one.code, _(OUTLET_KIND_NAMES[OutletKind(one.kind)]), one.city) if part
            ),
            f"/desk/outlets/{one.code}",
            _("网点"),
        )
        for one in session.exec(query.order_by(near, Outlet.code).limit(_MOST))
    ]


def pieces(session: Session, person: SignedIn, text: str) -> Sequence[Hit]:
    """Pieces, by the title of their newest revision or by key; then those on the site whose text speaks of it."""
    scope = person.scope("content.view")
    later = select(Revision.piece_key, Revision.number).subquery()
    newest = not_(exists().where(later.c.piece_key == Revision.piece_key, later.c.number > Revision.number))
    title = col(Revision.meta)["title"].as_string()
    query = (
        select(Revision, Piece.kind)
        .join(Piece, col(Piece.key) == col(Revision.piece_key))
        .where(scope.condition(Piece.outlet_code, above=True), newest, _holds(text, title, Piece.key))
    )
    found = [
        Hit(
            str(one.title),
            " · ".join((one.piece_key, _(KIND_NAMES[Kind(kind)]), _(STATE_NAMES[State(one.state)]))),
            f"/desk/pieces/{one.piece_key}",
            _("内容"),
        )
        for one, kind in session.exec(query.order_by(Revision.piece_key).limit(_MOST))
    ]
    known = {hit.href for hit in found}
    return [*found, *(hit for hit in _in_texts(session, scope, text) if hit.href not in known)]


def _in_texts(session: Session, scope: Scope, text: str) -> list[Hit]:
    zone = service(Settings).zone
    answer = searching.search(session, service(Documents), asked(text), Narrowed(), zone=zone)
    keys = [] if answer.question.is_empty or answer.alike else [hit.piece.key for hit in answer.hits]
    where = (scope.condition(Piece.outlet_code, above=True), col(Piece.key).in_(keys))
    seen = set(session.exec(select(Piece.key).where(*where)))
    return [
        Hit(
            hit.piece.title,
            "".join(words for words, _found in hit.excerpt),
            f"/desk/pieces/{hit.piece.key}",
            _("内容"),
        )
        for hit in answer.hits
        if hit.piece.key in seen
    ]


def campaigns(session: Session, person: SignedIn, text: str) -> Sequence[Hit]:
    """Campaigns, by name in either language or by code; the latest first."""
    scope = person.scope("campaign.view")
    query = select(Campaign).where(
        scope.condition(Campaign.outlet_code, above=True),
        _holds(text, Campaign.name, Campaign.name_en, Campaign.code),
    )
    return [
        Hit(
            one.shown("name"),
            f"{one.code} · {one.starts_on.year}",
            f"/desk/campaigns/{one.code}",
            _("活动期"),
        )
        for one in session.exec(query.order_by(col(Campaign.starts_on).desc()).limit(_MOST))
    ]


def events(session: Session, person: SignedIn, text: str) -> Sequence[Hit]:
    """Occurrences, by the name of their series, theme, outlet or code: what is to come first, the soonest of it."""
    scope, now = person.scope("event.view"), clock.now()
    query = (
        select(Occurrence, EventSeries)
        .join(EventSeries, col(EventSeries.id) == col(Occurrence.series_id))
        .join(Outlet, col(Outlet.code) == col(Occurrence.outlet_code), isouter=True)
        .where(
            load.within(scope),
            _holds(
                text, EventSeries.name, EventSeries.name_en, Occurrence.topic, Outlet.name, Occurrence.code
            ),
        )
    )
    coming, held = col(Occurrence.ends_at) >= now, col(Occurrence.ends_at) < now
    found = list(session.exec(query.where(coming).order_by(col(Occurrence.starts_at)).limit(_MOST)))
    found += session.exec(query.where(held).order_by(col(Occurrence.starts_at).desc()).limit(_MOST))
    where, zone = load.where(session, [one for one, _series in found]), service(Settings).zone
    return [
        Hit(
            " · ".join(filter(None, (series.shown("name"), one.shown("topic")))),
            f"{words.when(one.starts_at, zone)} · {where[one.outlet_code]}",
            f"/desk/events/o/{one.id}",
            _("活动场次"),
        )
        for one, series in found[:_MOST]
    ]


def returns(session: Session, person: SignedIn, text: str) -> Sequence[Hit]:
    """Activity returns, by theme, outlet or number; the latest first."""
    scope = person.scope("return.view")
    named = _holds(text, ReturnVersion.theme, Outlet.name, Outlet.code)
    if text.isdigit() and len(text) < 10:
        named = named | (col(ReturnVersion.return_id) == int(text))
    query = (
        select(ReturnVersion)
        .join(ActivityReturn, col(ActivityReturn.id) == col(ReturnVersion.return_id))
        .join(Outlet, col(Outlet.code) == col(ReturnVersion.outlet_code))
        .where(
            col(ActivityReturn.latest) == ReturnVersion.number,
            scope.condition(ReturnVersion.outlet_code),
            named,
        )
    )
    return [
        Hit(
            filing.title(session, one),
            " · ".join(filter(None, (one.theme, _(RETURN_STATES[one.state])))),
            f"/desk/returns/{one.return_id}",
            _("活动回执"),
        )
        for one in session.exec(query.order_by(col(ReturnVersion.return_id).desc()).limit(_MOST))
    ]


def people(session: Session, person: SignedIn, text: str) -> Sequence[Hit]:
    """Accounts whose every grant lies where the person manages accounts."""
    scope = person.scope("staff.edit")
    mine = exists().where(col(Grant.staff_id) == col(Staff.id), scope.condition(Grant.outlet_code))
    foreign = exists().where(col(Grant.staff_id) == col(Staff.id), not_(scope.condition(Grant.outlet_code)))
    query = select(Staff).where(col(Staff.system).is_(False), _holds(text, Staff.name, Staff.login))
    if not scope.whole:
        query = query.where(mine, not_(foreign))
    return [
        Hit(
            one.name,
            one.login if one.active else f"{one.login} · {_('已停用')}",
            f"/desk/staff/{one.id}",
            _("人员"),
        )
        for one in session.exec(query.order_by(Staff.login).limit(_MOST if person.may("staff.edit") else 0))
    ]


def plans(session: Session, person: SignedIn, text: str) -> Sequence[Hit]:
    """Push plans, by name or number."""
    scope = person.scope("push.view")
    named = _holds(text, Plan.name, Plan.subject)
    if text.isdigit() and len(text) < 10:
        named = named | (col(Plan.id) == int(text))
    query = select(Plan).where(scope.condition(Plan.outlet_code), named)
    found = list(session.exec(query.order_by(col(Plan.id).desc()).limit(_MOST)))
    where = places.names(session, [one.outlet_code for one in found])
    return [
        Hit(one.name, f"{one.id} · {where[one.outlet_code]}", f"/desk/plans/{one.id}", _("推送"))
        for one in found
    ]


def lists(session: Session, person: SignedIn, text: str) -> Sequence[Hit]:
    """Contact lists, by name: never the people on them."""
    scope = person.scope("audience.view")
    query = select(ContactList).where(
        scope.condition(ContactList.outlet_code), _holds(text, ContactList.name)
    )
    found = list(session.exec(query.order_by(ContactList.name).limit(_MOST)))
    where = places.names(session, [one.outlet_code for one in found])
    return [Hit(one.name, where[one.outlet_code], f"/desk/audience/{one.id}", _("名单")) for one in found]
