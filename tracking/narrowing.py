"""Filters of the report page: as chips that can be taken off, and as lists to choose from of what exists."""

from dataclasses import dataclass, replace

from sqlmodel import Session

from core.i18n import gettext as _
from tracking import definition as definitions
from tracking import dimensions, periods, reports
from tracking.branches import Link
from tracking.choices import Choice
from tracking.groupings import AUDIENCE, BY_NAMES, CAMPAIGN, CHANNEL, KEYS, KIND, PIECE, PLACE
from tracking.report_address import Address
from tracking.reports import Ask
from tracking.store import ReachStore

# In the order in which people ask: where from, what, for what, what happened, for whom, where.
OFFERED = (CHANNEL, PIECE, CAMPAIGN, KIND, AUDIENCE, PLACE)
assert set(OFFERED) == set(KEYS)  # noqa: S101  (each can be taken off again only if it is offered)
# A list of more is no list to tick in: the largest, and what is ticked already.
_MOST = 200


@dataclass(frozen=True, slots=True)
class Chip:
    """A value that the report is kept to, and the address without it."""

    dimension: str
    name: str
    href: str


@dataclass(frozen=True, slots=True)
class Option:
    """A value to tick, with its person-times under the other filters."""

    value: str
    name: str
    gross: int
    ticked: bool


@dataclass(frozen=True, slots=True)
class Picking:
    """The open list of one dimension; `kept` are the address's other values, for the form to carry along."""

    dimension: str
    label: str
    options: tuple[Option, ...]
    more: int
    kept: list[tuple[str, str]]
    close: str


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The filters of a page: those in force, the dimensions to filter by, the list that is open."""

    chips: list[Chip]
    links: list[Link]
    picking: Picking | None


def narrowed(
    store: ReachStore,
    session: Session,
    choice: Choice,
    *,
    whole: bool,
    picked: str,
) -> Narrowed:
    """The filters of a page; `picked` is the dimension whose list is open."""
    ask, given = choice.ask, choice.address
    return Narrowed(
        chips(store, session, ask, given, whole=whole),
        links(given, picked, fixed=choice.fixed),
        picking(store, session, ask, given, picked),
    )


def chips(store: ReachStore, session: Session, ask: Ask, given: Address, *, whole: bool) -> list[Chip]:
    """The filters in force. Who does not see the whole institution is told only names that their part has."""
    found = []
    for name in OFFERED:
        values = given.filters.get(name, ())
        called = _names(store, session, ask, name, whole=whole) if values else {}
        for value in sorted(values):
            without = given.filtered(name, (one for one in values if one != value))
            found.append(Chip(_(BY_NAMES[name]), called.get(value) or value or "—", without.href()))
    return found


def links(given: Address, picked: str, *, fixed: str = "") -> list[Link]:
    """The dimensions to filter by; `fixed` is the one that the span has chosen already."""
    return [
        Link(_(BY_NAMES[name]), f"{given.href(pick=name)}#pick", name == picked)
        for name in OFFERED
        if name != fixed
    ]


def picking(store: ReachStore, session: Session, ask: Ask, given: Address, name: str) -> Picking | None:
    """The list of what exists of a dimension in the period, in the part, under the other filters."""
    if name not in OFFERED:
        return None
    report = reports.report(store, session, _listing(ask, name))
    ticked = given.filters.get(name, ())
    some = [line for line in report.rows if line.gross]
    shown = [line for at, line in enumerate(some) if at < _MOST or line.key in ticked]
    options = tuple(Option(line.key, line.name, line.gross, line.key in ticked) for line in shown)
    kept = given.filtered(name, ()).pairs
    return Picking(name, _(BY_NAMES[name]), options, len(some) - len(shown), kept, given.href())


def _listing(ask: Ask, name: str) -> Ask:
    where = tuple((key, values) for key, values in ask.where if key != name)
    compared = periods.compare(ask.compared.period, periods.NONE)
    return replace(ask, compared=compared, by=(name,), where=where, people=False)


def _names(store: ReachStore, session: Session, ask: Ask, name: str, *, whole: bool) -> dict[str, str]:
    if not whole:
        return {line.key: line.name for line in reports.report(store, session, _listing(ask, name)).rows}
    if name == KIND:
        return {key: _(called) for key, called in definitions.KIND_NAMES.items()}
    return dimensions.names(session, name, ask.compared.period.last)
