"""What the pages of imports offer to choose from, and totals with the names of their keys."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from core.i18n import gettext as _
from core.i18n import mark
from tracking import dimensions
from tracking.definition import KIND_NAMES
from tracking.dimensions import Tree
from tracking.imports import lines
from tracking.imports.fields import AUDIENCE, AUDIENCES, CAMPAIGN, CHANNEL, KIND, PLACE, PLACES
from tracking.imports.lines import Line

_SHOWN = 20
_TITLES = {
    "kind": mark("按事件类别"),
    "day": mark("按日期"),
    "outlet": mark("按网点"),
    "channel": mark("按渠道"),
    "piece": mark("按内容"),
}


@dataclass(frozen=True, slots=True)
class Totals:
    """The quantities of one dimension, by name; `more` rows are not shown. All dimensions have the same sum."""

    title: str
    rows: Sequence[tuple[str, int]]
    more: int
    total: int


def constants(session: Session) -> dict[str, Sequence[tuple[str, str]]]:
    """Key → the values that a constant may have, by name; other keys are typed."""
    none = [("", _("由文件决定"))]
    today = date.max
    found: dict[str, Sequence[tuple[str, str]]] = {
        KIND: none + [(key, _(name)) for key, name in KIND_NAMES.items()],
        AUDIENCE: none + [(key, _(name)) for key, name in AUDIENCES.items()],
        PLACE: none + [(key, _(name)) for key, name in PLACES.items()],
    }
    for name in (CHANNEL, CAMPAIGN):
        known = dimensions.names(session, name, today)
        found[name] = none + sorted((key, word) for key, word in known.items() if key)
    return found


def totals(session: Session, found: Iterable[Line], on: date) -> list[Totals]:
    """By kind, day, outlet, channel and piece, named as on a day."""
    return named(session, lines.totals(found), on)


def named(session: Session, sums: Mapping[str, Mapping[str, int]], on: date) -> list[Totals]:
    """The same of totals that were stored."""
    tree = Tree.read(session)
    words: dict[str, Mapping[str, str]] = {"kind": {key: _(name) for key, name in KIND_NAMES.items()}}
    words |= {name: dimensions.names(session, name, on) for name in ("channel", "piece")}
    words["outlet"] = {key: tree.name(key, on) for key in sums["outlet"]}
    made = []
    for name, title in _TITLES.items():
        by = sorted(sums[name].items())
        if name != "day":
            by.sort(key=lambda pair: -abs(pair[1]))
        rows = [(words.get(name, {}).get(key, key), number) for key, number in by]
        made.append(Totals(_(title), rows[:_SHOWN], max(0, len(rows) - _SHOWN), sum(sums[name].values())))
    return made
