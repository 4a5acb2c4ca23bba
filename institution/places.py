"""Nodes of the tree as people choose and read them: names, and the nodes that a form may offer."""

from collections.abc import Iterable, Mapping

from sqlmodel import Session, col, select

from core.errors import Invalid
from core.i18n import gettext, mark
from institution.models import Outlet
from institution.outlets import LEVELS
from institution.powers import WHOLE, Scope

MOST = 200  # more than this nobody reads through in a list: then only the upper levels, and a field to search
_ORDER = sorted(LEVELS, key=LEVELS.__getitem__)


class Choices(list[tuple[str, str]]):
    """Nodes to choose from, (code, name); `more` says that there are others below them."""

    more: bool = False

    @property
    def first(self) -> str:
        """What a new thing belongs to unless somebody says otherwise: the uppermost node, or the only one."""
        return self[0][0] if self else WHOLE


def whole_name() -> str:
    """What the whole institution is called where a node is named."""
    return gettext("整个机构")


def choices(session: Session, scope: Scope, *, chosen: str = WHOLE, most: int = MOST) -> Choices:
    """The nodes of a part of the tree, from the top down: as many levels as fit into `most` entries.

    `chosen` is among them in any case, so that a form never loses it. Closed nodes are left out.
    """
    found = Choices([(WHOLE, whole_name())] if scope.whole else [])
    levels: dict[str, list[tuple[str, str]]] = {kind: [] for kind in _ORDER}
    query = select(Outlet.code, Outlet.name, Outlet.kind).where(
        scope.condition(Outlet.code), col(Outlet.closed_on).is_(None)
    )
    for code, name, kind in session.exec(query.order_by(Outlet.code)):
        if not (scope.whole and kind == "head_office"):  # the head office over all is the whole institution
            levels[kind].append((code, name))
    for kind in _ORDER:
        if levels[kind] and len(found) + len(levels[kind]) > most and found:
            found.more = True
            break
        found.extend(levels[kind][:most])
        found.more = found.more or len(levels[kind]) > most
    if chosen and chosen not in dict(found):
        found.extend(names(session, [chosen]).items())
    return found


def suggest(session: Session, scope: Scope, text: str, *, most: int = 12) -> list[tuple[str, str]]:
    """Open nodes of a part of the tree whose name or code holds every word of `text`, upper ones first."""
    query = select(Outlet.code, Outlet.name, Outlet.kind).where(
        scope.condition(Outlet.code), col(Outlet.closed_on).is_(None)
    )
    for word in text.split()[:6]:
        held = col(Outlet.name).icontains(word, autoescape=True)
        query = query.where(held | col(Outlet.code).startswith(word, autoescape=True))
    rows = list(session.exec(query.order_by(Outlet.code).limit(200)))
    rows.sort(key=lambda row: (LEVELS.get(row[2], 9), row[0]))
    return [(code, name) for code, name, _kind in rows[:most]]


def names(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """Code → name, of the whole institution too; a code that is not in the tree names itself."""
    wanted = set(codes)
    found = {code: code or whole_name() for code in sorted(wanted)}
    within = sorted(wanted - {WHOLE})
    for start in range(0, len(within), 500):
        part = within[start : start + 500]
        found |= dict(session.exec(select(Outlet.code, Outlet.name).where(col(Outlet.code).in_(part))).all())
    return found


def name(session: Session, code: str) -> str:
    """The name of one node."""
    return names(session, [code])[code]


def typed(session: Session, form: Mapping[str, str], field: str = "outlet_code") -> str:
    """The node that a form names: from its list, or by the code or exact name typed beside it.

    Whether the person may put something there is asked with `signed_in().check(…)`.
    """
    text = form.get(f"{field}_typed", "").strip()
    if not text:
        return form.get(field, "").strip()
    found = list(
        session.exec(
            select(Outlet.code).where((col(Outlet.code) == text) | (col(Outlet.name) == text)).limit(2)
        )
    )
    if len(found) != 1:
        raise Invalid(mark("没有找到“%(text)s”这个机构，请填它的编号。"), field=field, text=text)
    return found[0]
