"""Segments: saved filters over the contacts that a node of the tree holds, counted live.

A segment never reaches beyond its node: what a filter leaves open is still limited to the node's own contacts.
"""

import json
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_
from sqlmodel import Session, col, select

from campaign import segment_count, segment_events
from campaign.addresses import KINDS
from campaign.audience_models import ContactGroup, Segment
from campaign.contacts import EDUCATION, PURPOSE_NAMES, Consent, ContactMember
from campaign.groups import GROUPS
from campaign.recipients import Audience, alias, may_write
from campaign.segment_handed import handed
from core import clock
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from institution import audit
from institution.models import Outlet
from institution.powers import Scope

audit.declare(
    {
        "segment.make": mark("新建人群"),
        "segment.change": mark("修改人群"),
        "segment.remove": mark("删除人群"),
    }
)


@dataclass(frozen=True, slots=True)
class Filters:
    """Who belongs: all that is set must hold; of groups, languages and lists one is enough.

    `part` is a node of the tree (whoever is served by an outlet in it), `channel` a kind of address that the person
    agreed to for `purpose` and did not refuse; `since` (a moment, ISO) asks for consent given from then on. `event_did`
    and `event_of` are a question of `segment_events`, `push_did` and `push_id` one of what is handed in.
    """

    part: str = ""
    province: str = ""
    groups: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    channel: str = ""
    purpose: str = EDUCATION
    lists: tuple[int, ...] = ()
    since: str = ""
    event_did: str = ""
    event_of: str = ""
    push_did: str = ""
    push_id: int = 0


def make(session: Session, name: str, filters: Filters, *, outlet_code: str, now: datetime) -> Segment:
    """A new segment of a node; Invalid, Conflict."""
    name = _checked(session, name, filters, outlet_code, None)
    row = Segment(
        name=name, outlet_code=outlet_code, filters=_written(filters), created_at=now, updated_at=now
    )
    session.add(row)
    session.flush()
    audit.record(session, "segment.make", "segment", row.id, after=_shown(row), outlet_code=outlet_code)
    return row


def change(session: Session, segment_id: int, name: str, filters: Filters, *, now: datetime) -> Segment:
    """Another name or other filters for a segment."""
    row = get(session, segment_id)
    before = _shown(row)
    row.name = _checked(session, name, filters, row.outlet_code, row.id)
    row.filters, row.updated_at = _written(filters), now
    session.add(row)
    session.flush()
    audit.record(
        session, "segment.change", "segment", row.id, before=before, after=_shown(row),
        outlet_code=row.outlet_code,
    )  # fmt: skip
    return row


def remove(session: Session, segment_id: int) -> None:
    """Delete a segment; nobody in it is touched, and a push to it finds nobody any more."""
    row = get(session, segment_id)
    audit.record(
        session, "segment.remove", "segment", row.id, before=_shown(row), outlet_code=row.outlet_code
    )
    session.delete(row)


def get(session: Session, segment_id: int) -> Segment:
    """The segment, or NotFound."""
    found = session.get(Segment, segment_id)
    if found is None:
        raise NotFound(mark("没有找到这个人群。"))
    return found


def segments(session: Session, *where: ColumnElement[bool]) -> list[Segment]:
    """The segments for which the conditions hold, by name."""
    return list(session.exec(select(Segment).where(*where).order_by(Segment.name, col(Segment.id))))


def read(row: Segment) -> Filters:
    """The filters as they were saved."""
    return _read(json.loads(row.filters))


def definition(row: Segment) -> str:
    """What a segment means, exactly: its node and all filters that are set. What it will learn to ask later leaves it
    the same, so that what was approved stays approved."""
    usual = asdict(Filters())
    kept = {name: value for name, value in asdict(read(row)).items() if value != usual[name]}
    return json.dumps({"node": row.outlet_code, **kept}, ensure_ascii=False, sort_keys=True)


def defined(text: str, as_of: datetime) -> Audience:
    """Whom a definition stands for, whatever became of its segment; events as they stood at a moment."""
    kept = json.loads(text)
    return audience(_read(kept), kept["node"], as_of)


def audience_of(session: Session, segment_id: int) -> Audience:
    """Whom a segment stands for now."""
    row = get(session, segment_id)
    return audience(read(row), row.outlet_code)


def audience(filters: Filters, outlet_code: str, as_of: datetime | None = None) -> Audience:
    """Whom filters stand for among the contacts of a node, now or as events stood at a moment."""
    at = as_of or clock.now()
    return Audience(where=lambda contact: _where(filters, outlet_code, contact, at))


def count(session: Session, filters: Filters, outlet_code: str) -> int:
    """How many people that is now."""
    held = audience(replace(filters, channel=""), outlet_code)
    return segment_count.count(session, held.holds, filters.channel, filters.purpose)


def _where(filters: Filters, outlet_code: str, contact: Any, at: datetime) -> ColumnElement[bool]:
    found = [contact.holder_code == outlet_code]
    if filters.part:
        inside = Scope(frozenset({filters.part})).condition(Outlet.code)
        found.append(
            or_(
                contact.outlet_code == filters.part,
                contact.outlet_code.in_(select(Outlet.code).where(inside)),
            )
        )
    if filters.province:
        found.append(contact.province == filters.province)
    if filters.languages:
        found.append(contact.language.in_(filters.languages))
    if filters.groups:
        one = alias(ContactGroup)
        found.append(exists().where(one.contact_id == contact.id, one.name.in_(filters.groups)))
    if filters.lists:
        member = alias(ContactMember)
        found.append(exists().where(member.contact_id == contact.id, member.list_id.in_(filters.lists)))
    if filters.channel:
        found.append(may_write(filters.channel, filters.purpose, contact))
    return and_(*found, *_told(filters, outlet_code, contact, at))


def _told(filters: Filters, outlet_code: str, contact: Any, at: datetime) -> list[ColumnElement[bool]]:
    """What people did: agreed since a day, came to something, opened a push."""
    found: list[ColumnElement[bool]] = []
    if filters.since:
        one, since = alias(Consent), datetime.fromisoformat(filters.since)
        agreed = exists().where(
            one.contact_id == contact.id, one.purpose == filters.purpose, one.given_at >= since
        )
        found.append(agreed.where(one.channel == filters.channel) if filters.channel else agreed)
    if filters.event_did:
        of = (segment_events.place(outlet_code), segment_events.meant(filters.event_of))
        found.append(segment_events.did(filters.event_did, of, contact, purpose=filters.purpose, as_of=at))
    asks = handed()
    if filters.push_did:  # where nobody can answer, nobody belongs
        found.append(asks.where(filters.push_did, filters.push_id, contact) if asks else false())
    return found


def _read(kept: dict[str, Any]) -> Filters:
    known = {one.name for one in fields(Filters)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in kept.items()
        if name in known
    }
    return Filters(**values)


def _checked(session: Session, name: str, filters: Filters, outlet_code: str, known: int | None) -> str:
    name = name.strip()
    if not name or len(name) > 80:
        raise Invalid(mark("请给人群起一个名字（不超过 80 个字）。"), field="name")
    query = select(Segment.id).where(Segment.name == name, Segment.outlet_code == outlet_code)
    if session.exec(query).first() not in (None, known):
        raise Conflict(mark("已有名为“%(name)s”的人群，请换一个名字。"), field="name", name=name)
    check(session, filters, outlet_code)
    return name


def check(session: Session, filters: Filters, outlet_code: str) -> None:
    """Invalid for a filter that means nothing here; what lies outside of the node is like what does not exist."""
    inside = Scope(frozenset({outlet_code})).condition(Outlet.code)
    if filters.part and (
        session.exec(select(Outlet.code).where(Outlet.code == filters.part, inside)).first() is None
    ):
        raise Invalid(mark("没有编号为“%(code)s”的网点。"), field="part", code=filters.part)
    if set(filters.groups) - set(GROUPS):
        raise Invalid(mark("没有这个人群类别。"), field="groups")
    if filters.channel and filters.channel not in KINDS:
        raise Invalid(mark("没有这个渠道。"), field="channel")
    if filters.purpose not in PURPOSE_NAMES:
        raise Invalid(mark("没有这个用途。"), field="purpose")
    segment_events.check(session, filters.event_did, filters.event_of, outlet_code)
    asks = handed()
    if filters.push_did and asks:
        asks.check(session, filters.push_did, filters.push_id, outlet_code)
    if filters.since:
        _check_moment(filters.since)


def _check_moment(text: str) -> None:
    try:
        aware = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise Invalid(mark("请写一个日期，例如 2026-03-01。"), field="since")


def _written(filters: Filters) -> str:
    return json.dumps(asdict(filters), ensure_ascii=False, sort_keys=True)


def _shown(row: Segment) -> dict[str, str]:
    return {"name": row.name, "filters": row.filters}
