"""How much is planned, taken and attended: below a node child by child, and day by day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, case, literal
from sqlalchemy import select as columns
from sqlmodel import Session, col, func

from campaign.events.models import OPEN, EventSeries, Occurrence
from campaign.registration.models import WAITING, RegisteredPerson, Registration
from core.i18n import gettext
from institution import outlets, places
from institution.models import OUTLET_KIND_NAMES, Outlet, OutletKind
from institution.powers import WHOLE, Scope


@dataclass(frozen=True, slots=True)
class Load:
    """A node with what is below it in a span. `code` is empty for what is online and belongs to no outlet."""

    code: str
    name: str
    kind: str
    occurrences: int
    off: int
    seats: int
    taken: int
    waiting: int
    came: int

    @property
    def fullness(self) -> float | None:
        """The taken part of the seats, 0 to 1; None where there are none."""
        return self.taken / self.seats if self.seats else None

    @property
    def kind_name(self) -> str:
        """The msgid of its level."""
        return OUTLET_KIND_NAMES[OutletKind(self.kind)] if self.kind else ""

    @property
    def opens(self) -> bool:
        """Whether there is something below it to drill into."""
        return self.kind not in ("", "outlet")


@dataclass(frozen=True, slots=True)
class DayLoad:
    """A day: how many occurrences, how many called off, seats, taken."""

    occurrences: int
    off: int
    seats: int
    taken: int


def where(session: Session, found: Iterable[Occurrence]) -> dict[str, str]:
    """The name of the outlet at which each of these is held, by its code; "" is online."""
    return {
        **places.names(session, {one.outlet_code for one in found if one.outlet_code}),
        "": gettext("线上"),
    }


def within(scope: Scope) -> ColumnElement[bool]:
    """Condition: the occurrences at the outlets of a part of the tree; online those whose series belong to it."""
    place = col(Occurrence.outlet_code)
    mine = columns(col(EventSeries.id)).where(scope.condition(EventSeries.outlet_code))
    return (scope.condition(place) & (place != "")) | ((place == "") & col(Occurrence.series_id).in_(mine))


def tops(session: Session, node: str) -> dict[str, str]:
    """Each node at or below a child of `node` → that child; a node without children is its own."""
    below = _below(session, node)
    return {code: top for top, code in session.execute(columns(below.c.top, below.c.code))}


def below(session: Session, node: str, first: date, last: date) -> list[str]:
    """The outlets at or below a node ("" the whole institution) that serve people some day of a span, by code."""
    mine = _below(session, node)
    query = (
        columns(col(Outlet.code))
        .join(mine, mine.c.code == col(Outlet.code))
        .where(
            col(Outlet.kind) == OutletKind.outlet,
            col(Outlet.closed_on).is_(None) | (col(Outlet.closed_on) > first),
            col(Outlet.open_on).is_(None) | (col(Outlet.open_on) <= last),
        )
        .order_by(col(Outlet.code))
    )
    return list(session.scalars(query))


def inside(session: Session, node: str) -> Select[Any]:
    """The codes at or below the children of a node, as a part of another question."""
    return columns(_below(session, node).c.code)


def by_child(
    session: Session, node: str, first: date, last: date, *, series_id: int | None = None
) -> list[Load]:
    """What is planned below each child of a node, by code; online occurrences of the whole institution last."""
    mine = _below(session, node)
    span = _span(first, last, series_id)
    planned = _sums(session, mine, span)
    waiting = _counts(session, mine, span, col(Registration.state) == WAITING)
    came = _came(session, mine, span)
    names = {one.code: (one.name, one.kind) for one in children(session, node)}
    if "" in planned:
        names[""] = ("", "")
    zero = (0, 0, 0, 0)
    return [
        Load(code, *named, *planned.get(code, zero), waiting.get(code, 0), came.get(code, 0))
        for code, named in names.items()
    ]


def by_day(
    session: Session, node: str, first: date, last: date, *, series_id: int | None = None
) -> dict[date, DayLoad]:
    """What is planned below a node, by day."""
    mine = _below(session, node)
    query = (
        columns(col(Occurrence.day), *_figures())
        .join(mine, mine.c.code == col(Occurrence.outlet_code))
        .where(*_span(first, last, series_id))
        .group_by(col(Occurrence.day))
    )
    return {day: DayLoad(*figures) for day, *figures in session.execute(query)}


def _span(first: date, last: date, series_id: int | None) -> list[ColumnElement[bool]]:
    span = [col(Occurrence.day) >= first, col(Occurrence.day) <= last]
    return span if series_id is None else [*span, col(Occurrence.series_id) == series_id]


def summed(rows: Sequence[Load], name: str) -> Load:
    """All rows as one."""
    figures = [
        sum(getattr(one, each) for one in rows)
        for each in ("occurrences", "off", "seats", "taken", "waiting", "came")
    ]
    return Load("", name, "", *figures)


def children(session: Session, node: str) -> list[Outlet]:
    """The nodes by which the load is told: the children, or the node itself where it has none."""
    at = node or _root_code(session)
    if not at:
        return []
    return outlets.children(session, at) or [outlets.get(session, at)]


def _root_code(session: Session) -> str:
    root = outlets.root(session)
    return root.code if root else ""


def _below(session: Session, node: str) -> CTE:
    """Pairs (top, code): every node under a child of `node`; with the whole institution also ("", "")."""
    codes = [one.code for one in children(session, node)]
    base = (
        columns(col(Outlet.code).label("top"), col(Outlet.code).label("code"))
        .where(col(Outlet.code).in_(codes))
        .cte("tops", recursive=True)
    )
    step = columns(base.c.top, col(Outlet.code)).join(base, col(Outlet.parent_code) == base.c.code)
    found = base.union(step)
    if node != WHOLE:
        return found
    online = columns(literal(""), literal(""))
    return columns(found.c.top, found.c.code).union(online).cte("tops_and_online")


def _figures() -> list[ColumnElement[Any]]:
    is_open = col(Occurrence.state) == OPEN
    return [
        func.sum(case((is_open, 1), else_=0)),
        func.sum(case((is_open, 0), else_=1)),
        func.sum(case((is_open, col(Occurrence.capacity)), else_=0)),
        func.sum(case((is_open, col(Occurrence.taken)), else_=0)),
    ]


def _sums(
    session: Session, mine: CTE, span: Sequence[ColumnElement[bool]]
) -> Mapping[str, tuple[int, int, int, int]]:
    query = (
        columns(mine.c.top, *_figures())
        .join(Occurrence, col(Occurrence.outlet_code) == mine.c.code)
        .where(*span)
        .group_by(mine.c.top)
    )
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in session.execute(query)}


def _counts(
    session: Session, mine: CTE, span: Sequence[ColumnElement[bool]], *where: ColumnElement[bool]
) -> dict[str, int]:
    query = _parties(columns(mine.c.top, func.sum(col(Registration.size))), mine).where(*span, *where)
    return {top: int(count) for top, count in session.execute(query.group_by(mine.c.top))}


def _came(session: Session, mine: CTE, span: Sequence[ColumnElement[bool]]) -> dict[str, int]:
    query = _parties(columns(mine.c.top, func.count(col(RegisteredPerson.id))), mine).join(
        RegisteredPerson, col(RegisteredPerson.registration_id) == col(Registration.id)
    )
    query = query.where(*span, col(RegisteredPerson.arrived_at).is_not(None))
    return {top: count for top, count in session.execute(query.group_by(mine.c.top))}


def _parties(query: Select[Any], mine: CTE) -> Select[Any]:
    return query.join(Occurrence, col(Occurrence.outlet_code) == mine.c.code).join(
        Registration, col(Registration.occurrence_id) == col(Occurrence.id)
    )


def series_seen(session: Session, *where: ColumnElement[bool]) -> list[tuple[str, str]]:
    """Series to choose from: (code, name), by name."""
    query = (
        columns(col(EventSeries.code), col(EventSeries.name)).where(*where).order_by(col(EventSeries.name))
    )
    return [(code, name) for code, name in session.execute(query)]
