"""What the JSON API answers, without HTTP: definitions, dimensions, and the state that an answer rests on."""

import hashlib
import json
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from core.i18n import current_locale
from core.i18n import gettext as _
from institution import outlets
from institution.powers import Scope
from tracking import definition as definitions
from tracking import dimensions, measure, periods
from tracking import snapshot as snapshots
from tracking.definition import FIRST, Definition
from tracking.dimensions import Tree
from tracking.groupings import BRANCH, KIND, OUTLET, TREE
from tracking.models import ReachDefinition
from tracking.periods import Period
from tracking.question import Question
from tracking.report_json import described
from tracking.reports import Ask
from tracking.store import ReachStore


def every_definition(session: Session) -> dict[str, Any]:
    """All versions, the oldest first."""
    rows = session.exec(select(ReachDefinition).order_by(col(ReachDefinition.valid_from)))
    later = [Definition(row.id, row.valid_from, tuple(row.kinds), tuple(row.head_counts)) for row in rows]
    return {"definitions": [described(one) for one in (FIRST, *later)]}


def dimension(store: ReachStore, session: Session, name: str, on: date, within: str) -> dict[str, Any]:
    """Keys and names as they stood on a day, of the part of the tree `within` ("": of all of it).

    What hangs on no tree (pieces, campaigns, audiences …) is told to a part only if it reached somebody there in
    the two years up to that day: what other branches prepare is theirs.
    """
    rows = _nodes(session, name, on, within) if name in TREE else _keys(store, session, name, on, within)
    return {"name": name, "on": on.isoformat(), "rows": rows}


def _nodes(session: Session, name: str, on: date, within: str) -> list[dict[str, Any]]:
    tree = Tree.read(session)
    inside = tree.branches(within, on) if within else tree.spans
    found = []
    for code in sorted(inside):
        span = tree.on(code, on)
        if span is None or span.first > on or not _is_of(name, span.kind):
            continue
        found.append({"key": code, "name": span.name, "kind": span.kind, "parent": span.parent or ""})
    return found


def _is_of(name: str, kind: str) -> bool:
    return kind != OUTLET if name == BRANCH else kind == name


def _keys(store: ReachStore, session: Session, name: str, on: date, within: str) -> list[dict[str, Any]]:
    if name == KIND:
        return [{"key": key, "name": _(word)} for key, word in definitions.KIND_NAMES.items()]
    called = dimensions.names(session, name, on) if name in dimensions.KINDS else {}
    keys = _seen(store, session, name, on, within)
    if not within:
        keys |= called.keys()
    return [{"key": key, "name": called.get(key, key)} for key in sorted(keys - {""})]


def _seen(store: ReachStore, session: Session, name: str, on: date, within: str) -> set[str]:
    period = Period(periods.year_before(periods.year_before(on)), on)
    definition = definitions.in_force(session, on)
    question, tree = Question((name,), within, people=False), Tree.read(session)
    return snapshots.steadily(
        store,
        definition,
        lambda found: {
            key for (key,) in measure.measure(store, tree, question, period, definition, snapshot=found).rows
        },
    )


def state(store: ReachStore, session: Session, asked: Ask, scope: Scope, form: str) -> str:
    """A name for all that the answer to a question depends on: rows of its days, what was left out, roll-ups,
    definition, names. While it stays, so does the answer; it costs a fraction of it."""
    compared = asked.compared
    definition = definitions.in_force(session, compared.period.last)
    held = snapshots.take(store, definition)
    days = [one for one in (compared.period, compared.base) if one]
    rows = [sum(n for day, n in held.counted.items() if one.first <= day <= one.last) for one in days]
    named = [dimensions.names(session, by, compared.period.last) for by in asked.by if by in dimensions.KINDS]
    left_out = measure.dropped(store, compared.period)
    return digest(
        str(asked), sorted(scope.tops), form, held.mark, rows, str(definition), named, left_out,
        str(outlets.state(session)),
    )  # fmt: skip


def digest(*parts: Any) -> str:
    """A short name for what it is given, in the language in force."""
    text = json.dumps([current_locale(), *parts], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
