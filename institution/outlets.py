"""The tree of outlets as it stands, and what it was: finding, walking, history. Writing: `outlet_changes`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.database import Prepared
from core.errors import NotFound
from core.i18n import mark
from institution.models import Outlet, OutletKind, OutletSpan
from institution.powers import WHOLE, Scope

# Every page that speaks of reach asks this, some several times.
_STATE = Prepared(select(func.count(), func.max(col(Outlet.updated_at))).select_from(Outlet))
EVERYWHERE = Scope(frozenset({WHOLE}))
LEVELS: dict[str, int] = {kind.value: level for level, kind in enumerate(OutletKind)}


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search: `total` outlets on `pages` pages (at least 1), `page` from 1."""

    outlets: Sequence[Outlet]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Filter:
    """What a search is narrowed to; empty means all. `state` open or closed needs `today`."""

    text: str = ""
    province: str = ""
    city: str = ""
    kind: str = ""
    state: str = ""
    today: date | None = None


def find(session: Session, code: str) -> Outlet | None:
    """The outlet with this code, None when there is none."""
    return session.get(Outlet, code)


def get(session: Session, code: str) -> Outlet:
    """The outlet with this code, or NotFound."""
    outlet = find(session, code)
    if outlet is None:
        raise NotFound(mark("没有找到编号为“%(code)s”的网点，请核对后再试。"), field="code", code=code)
    return outlet


def root(session: Session) -> Outlet | None:
    """The head office: the one node without a parent; None while the tree is empty."""
    return session.exec(select(Outlet).where(col(Outlet.parent_code).is_(None))).first()


def everything(session: Session) -> list[Outlet]:
    """All nodes, by code."""
    return list(session.exec(select(Outlet).order_by(Outlet.code)))


def children(session: Session, code: str) -> list[Outlet]:
    """The nodes right under this one, by code."""
    return list(session.exec(select(Outlet).where(Outlet.parent_code == code).order_by(Outlet.code)))


def path(session: Session, code: str) -> list[Outlet]:
    """From the head office down to this node, itself included."""
    steps = [get(session, code)]
    while steps[-1].parent_code and len(steps) <= len(LEVELS):
        steps.append(get(session, steps[-1].parent_code))
    return steps[::-1]


def subtree(session: Session, code: str) -> set[str]:
    """The codes of this node and of everything under it, closed ones included."""
    base = select(Outlet.code).where(Outlet.code == code).cte("below", recursive=True)
    step = select(Outlet.code).join(base, col(Outlet.parent_code) == base.c.code)
    return set(session.execute(select(base.union(step).c.code)).scalars())


def provinces(session: Session) -> list[Outlet]:
    """The provincial branches, by code."""
    return list(session.exec(select(Outlet).where(Outlet.kind == OutletKind.province).order_by(Outlet.code)))


def province_names(session: Session, scope: Scope = EVERYWHERE) -> list[str]:
    """Provinces that outlets of a part of the tree lie in, in the order of their branches' codes."""
    query = select(Outlet.province).where(Outlet.province != "", scope.condition(Outlet.code))
    query = query.group_by(Outlet.province)
    return list(session.exec(query.order_by(func.min(Outlet.code))))


def city_names(session: Session, province: str) -> list[str]:
    """Cities of a province that outlets lie in, in the order of their codes."""
    query = select(Outlet.city).where(Outlet.province == province, Outlet.city != "").group_by(Outlet.city)
    return list(session.exec(query.order_by(func.min(Outlet.code))))


def search(
    session: Session,
    text: str = "",
    province: str = "",
    city: str = "",
    page: int = 1,
    *,
    size: int = 20,
    kind: str = "",
    open_on: date | None = None,
) -> Found:
    """Outlets whose name, code, address, county, city or plaque number holds `text`; `open_on` leaves out
    those closed by that day."""
    wanted = Filter(text, province, city, kind, "open" if open_on else "", open_on)
    return listing(session, wanted, page, size=size)


def listing(session: Session, wanted: Filter, page: int = 1, *, size: int = 20) -> Found:
    """One page of the outlets that the filter wants, by code; a page beyond the last gives the last."""
    query = narrowed(wanted)
    total = session.exec(select(func.count()).select_from(query.subquery())).one()
    pages = max(1, -(-total // size))
    page = min(max(1, page), pages)
    rows = session.exec(query.order_by(Outlet.code).offset((page - 1) * size).limit(size))
    return Found(list(rows), total, page, pages)


def chosen(session: Session, wanted: Filter) -> list[Outlet]:
    """All outlets that the filter wants, by code."""
    return list(session.exec(narrowed(wanted).order_by(Outlet.code)))


def narrowed(wanted: Filter) -> SelectOfScalar[Outlet]:
    """The query behind a filter, without an order."""
    query = select(Outlet)
    exactly = {"province": wanted.province, "city": wanted.city, "kind": wanted.kind}
    for name, value in exactly.items():
        if value:
            query = query.where(getattr(Outlet, name) == value)
    if wanted.state == "closed":
        query = query.where(col(Outlet.closed_on) <= wanted.today)
    elif wanted.state == "open":
        query = query.where(or_(col(Outlet.closed_on).is_(None), col(Outlet.closed_on) > wanted.today))
    for word in wanted.text.split():
        query = query.where(_mentions(word))
    return query


def _mentions(word: str) -> ColumnElement[bool]:
    places = (Outlet.name, Outlet.code, Outlet.address, Outlet.county, Outlet.city, Outlet.plaque_number)
    return or_(*(col(place).icontains(word, autoescape=True) for place in places))


def is_open(outlet: Outlet, day: date) -> bool:
    """Whether the outlet serves people on that day."""
    begun = outlet.open_on is None or outlet.open_on <= day
    return begun and (outlet.closed_on is None or day < outlet.closed_on)


def state(session: Session) -> tuple[int, datetime | None]:
    """Changes whenever the tree does: every change of a node notes its time."""
    session.flush()  # a prepared statement does not see to it
    number, newest = _STATE.on(session.connection())[0]
    return number, newest


def spans(session: Session) -> list[OutletSpan]:
    """The whole history of names and parents, by code and date."""
    return list(session.exec(select(OutletSpan).order_by(OutletSpan.code, col(OutletSpan.valid_from))))


def history(session: Session, code: str) -> list[OutletSpan]:
    """What one outlet was called and where it hung, newest first."""
    query = select(OutletSpan).where(OutletSpan.code == code).order_by(col(OutletSpan.valid_from).desc())
    return list(session.exec(query))


def named_on(session: Session, code: str, day: date) -> OutletSpan | None:
    """The span in force on a day: the name and parent that a report of that day shows."""
    query = select(OutletSpan).where(
        OutletSpan.code == code,
        col(OutletSpan.valid_from) <= day,
        or_(col(OutletSpan.valid_to).is_(None), col(OutletSpan.valid_to) > day),
    )
    return session.exec(query).first()
