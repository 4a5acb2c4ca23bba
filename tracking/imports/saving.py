"""Mappings saved by name: for a source and a part of the tree, so that next month's file needs no clicks."""

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from core.errors import Invalid, NotFound
from core.i18n import mark
from institution import audit
from tracking.imports.mapping import Columns
from tracking.imports.models import ReachMapping

audit.declare(
    {"reach.mapping.save": mark("保存列的对应关系"), "reach.mapping.remove": mark("删除列的对应关系")}
)


def listed(session: Session, within: ColumnElement[bool], source: str = "") -> list[ReachMapping]:
    """The saved mappings that a condition on their node lets through, by name."""
    query = select(ReachMapping).where(within)
    if source:
        query = query.where(ReachMapping.source == source)
    return list(session.exec(query.order_by(ReachMapping.source, ReachMapping.name)))


def get(session: Session, number: int) -> ReachMapping:
    """The saved mapping of this number, or NotFound."""
    found = session.get(ReachMapping, number)
    if found is None:
        raise NotFound(mark("没有找到这份对应关系，可能已被删除。"))
    return found


def save(
    session: Session, columns: Columns, *, source: str, name: str, place: str, by: int | None, now: datetime
) -> ReachMapping:
    """Save a mapping under a name; the same name of the same source and node is replaced."""
    name = name.strip()
    if not name or len(name) > 60:
        raise Invalid(mark("请给对应关系起一个名字，不超过 60 个字。"), field="name")
    query = select(ReachMapping).where(
        ReachMapping.source == source, ReachMapping.outlet_code == place, ReachMapping.name == name
    )
    known = session.exec(query.order_by(col(ReachMapping.id))).first()
    before = known.mapping if known else {}
    one = known or ReachMapping(source=source, outlet_code=place, name=name, mapping={}, updated_at=now)
    one.mapping, one.updated_by, one.updated_at = columns.as_json(), by, now
    session.add(one)
    session.flush()
    audit.record(
        session, "reach.mapping.save", "reach_mapping", one.id, before={"mapping": before},
        after={"mapping": one.mapping, "name": name}, outlet_code=place,
    )  # fmt: skip
    return one


def remove(session: Session, number: int) -> None:
    """Delete a saved mapping; imports made with it keep theirs."""
    one = get(session, number)
    audit.record(
        session, "reach.mapping.remove", "reach_mapping", one.id, before={"name": one.name, "mapping": one.mapping},
        outlet_code=one.outlet_code,
    )  # fmt: skip
    session.delete(one)
    session.flush()
