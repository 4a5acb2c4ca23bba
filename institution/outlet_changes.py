"""From a sheet to changes of the tree: planned (what would change, what is wrong), then applied in bulk."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, text, update
from sqlmodel import Session

from core.errors import Invalid
from core.i18n import mark
from institution import outlet_histories, outlet_reach, outlet_records, outlet_tree, outlets, timeline
from institution.models import Outlet
from institution.outlet_files import COLUMNS, Sheet
from institution.outlet_plan import SORTS, Change, FieldChange, Plan
from institution.outlet_rows import Draft, Fault, draft
from institution.powers import Scope
from institution.timeline import Step

__all__ = ["SORTS", "Change", "FieldChange", "Plan", "apply", "lock", "on_change", "plan"]

_IDENTITY = ("name", "kind", "parent_code")
_listeners: list[Callable[[Session], None]] = []


def on_change(listener: Callable[[Session], None]) -> None:
    """Have the listener called, in the same transaction, when the tree changed; plugged in by `webapp`."""
    if listener not in _listeners:
        _listeners.append(listener)


def lock(session: Session) -> None:
    """Let one change of the tree wait for another (SQLite's write transactions do so anyway)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE outlet IN SHARE ROW EXCLUSIVE MODE"))


def plan(
    session: Session, sheet: Sheet, as_of: date, *, skip_bad: bool = False, scope: Scope = outlets.EVERYWHERE
) -> Plan:
    """What importing the sheet would change. With faults nothing is to be applied, unless `skip_bad`.

    Within a `scope` only its nodes may be touched, and a node moves only from inside to inside; what lies
    outside is answered as little as what does not exist.
    """
    existing = {outlet.code: outlet for outlet in outlets.everything(session)}
    histories = outlet_histories.of(session, existing.values())
    drafts, own = _drafts(sheet, existing, histories, as_of, outlet_reach.inside(session, scope))
    heading = _heading_faults(sheet)
    faults, good, rejected = _sift(drafts, own, existing)
    result = Plan(as_of, faults=sorted([*heading, *faults], key=lambda each: each.row))
    result.blocked = bool(heading) or (bool(faults) and not skip_bad)
    if skip_bad and not heading:
        result.rejected = [
            (each.row, rejected[each.row.number]) for each in drafts if each.row.number in rejected
        ]
    if result.blocked:
        return result
    for each in good:
        change = _change(each, existing.get(each.code), histories.get(each.code, ()), as_of)
        if change:
            result.changes.append(change)
        else:
            result.same += 1
    return result


def _heading_faults(sheet: Sheet) -> list[Fault]:
    unknown = mark("不认识这一列；请改成样表里的列名，或删去这一列。")
    missing = mark("缺少这一列。")
    return [
        *(Fault(1, heading, unknown) for heading in sheet.unknown),
        *(Fault(1, name, missing) for name in sheet.missing),
    ]


def _drafts(
    sheet: Sheet,
    existing: dict[str, Outlet],
    histories: dict[str, tuple[Step, ...]],
    as_of: date,
    inside: set[str] | None,
) -> tuple[list[Draft], list[Fault]]:
    read = [draft(row) for row in sheet.rows]
    drafts = [each for each, _found in read]
    beyond = outlet_reach.outside(drafts, existing, inside) if inside is not None else []
    stopped = {fault.row for fault in beyond}
    faults: list[Fault] = beyond
    for each, found in read:
        if each.row.number not in stopped:
            faults += found or _too_early(each, existing.get(each.code), histories.get(each.code, ()), as_of)
    return drafts, faults + outlet_tree.duplicates(drafts)


def _too_early(each: Draft, outlet: Outlet | None, steps: Sequence[Step], as_of: date) -> list[Fault]:
    if outlet is None:
        return []
    changed = [
        name for name in _IDENTITY if name in each.values and each.values[name] != getattr(outlet, name)
    ]
    last = timeline.last_change(steps)
    if not changed or as_of >= last or last == steps[0].since:
        return []
    rule = mark("历史里 %(day)s 已有一次变更，这次的变更日期不能早于它。")
    return [Fault(each.row.number, changed[0], rule, {"day": last})]


def _sift(
    drafts: list[Draft], own: list[Fault], existing: dict[str, Outlet]
) -> tuple[list[Fault], list[Draft], dict[int, list[Fault]]]:
    """All faults of the file, the rows that stand on their own, and why each other row falls."""
    rejected: dict[int, list[Fault]] = {}
    _file(rejected, own)
    spared = {each.code for each in drafts if each.row.number in rejected}
    good = [each for each in drafts if each.row.number not in rejected]
    known = {each.code for each in drafts} | existing.keys()
    told = {fault.row for fault in own if fault.field == "parent_code"}
    faulty = [each for each in drafts if each.row.number in rejected.keys() - told]
    first = [*outlet_tree.orphans(faulty, known), *outlet_tree.check(good, existing, set(), spared)]
    found = first
    while True:
        _file(rejected, found)
        good = [each for each in drafts if each.row.number not in rejected]
        refused = {each.code for each in drafts if each.row.number in rejected}
        found = outlet_tree.check(good, existing, refused, set())
        if not found:
            return own + first, good, rejected


def _file(rejected: dict[int, list[Fault]], faults: Iterable[Fault]) -> None:
    for fault in faults:
        rejected.setdefault(fault.row, []).append(fault)


def _change(each: Draft, outlet: Outlet | None, steps: Sequence[Step], as_of: date) -> Change | None:
    values = {name: value for name, value in each.values.items() if name in COLUMNS}
    if outlet is None:
        fields = tuple(
            FieldChange(name, None, value) for name, value in values.items() if value not in ("", None)
        )
        return Change(each.code, values["name"], ("added",), fields, values, _first_steps(values))
    fields = tuple(
        FieldChange(name, getattr(outlet, name), value)
        for name, value in values.items()
        if value != getattr(outlet, name)
    )
    if not fields:
        return None
    changed = {change.field: change.new for change in fields}
    later = _later_steps(outlet, steps, changed, as_of)
    kept = None if later == tuple(steps) else later
    return Change(each.code, values["name"], _sorts(fields), fields, changed, kept)


def _first_steps(values: dict[str, Any]) -> tuple[Step, ...]:
    since = values.get("open_on") or timeline.BEGINNING
    first = [Step(since, values["name"], values["kind"], values.get("parent_code"))]
    closed_on = values.get("closed_on")
    return tuple(timeline.closed(first, None, closed_on, closed_on) if closed_on else first)


def _later_steps(
    outlet: Outlet, steps: Sequence[Step], changed: dict[str, Any], as_of: date
) -> tuple[Step, ...]:
    after = timeline.begun(steps, changed.get("open_on"))
    if any(name in changed for name in _IDENTITY):
        name, kind, parent = (changed.get(each, getattr(outlet, each)) for each in _IDENTITY)
        after = timeline.renamed(after, as_of, name, kind, parent)
    if "closed_on" in changed:
        after = timeline.closed(after, outlet.closed_on, changed["closed_on"], as_of)
    return tuple(after)


def _sorts(fields: Sequence[FieldChange]) -> tuple[str, ...]:
    named = {"name": "renamed", "parent_code": "moved", "kind": "relevelled"}
    found = [named[each.field] for each in fields if each.field in named]
    for each in fields:
        if each.field == "closed_on":
            found.append("reopened" if each.new is None else "closed")
    if len(found) < len(fields):
        found.append("edited")
    return tuple(found)


def apply(
    session: Session,
    planned: Plan,
    now: datetime,
    *,
    demo: bool = False,
    action: str = outlet_records.IMPORT,
) -> None:
    """Carry the plan out in bulk: parents before children, then the histories; one audit record for all.

    `action` names what several changes are in the audit log; a single one is named by what it is.
    """
    if planned.blocked:
        raise Invalid(mark("文件里还有错误，没有导入任何一行。"))
    added = [change.values | {"demo": demo, "updated_at": now} for change in planned.changes if change.is_new]
    changed = [
        change.values | {"code": change.code, "updated_at": now}
        for change in planned.changes
        if not change.is_new
    ]
    added.sort(key=lambda values: (outlets.LEVELS[values["kind"]], values["code"]))
    if added:
        session.execute(insert(Outlet), [_filled(values) for values in added])
    for same in _alike(changed):
        session.execute(update(Outlet), same)
    outlet_histories.write(
        session, {change.code: change.steps for change in planned.changes if change.steps is not None}
    )
    session.expire_all()
    outlet_records.write(session, planned, action=action, demo=demo)
    if planned.changes:
        for listener in _listeners:
            listener(session)


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Every column, so that all rows go in with one statement."""
    empty = {name: None if name in _NONE else "" for name in COLUMNS}
    return empty | values


_NONE = {"parent_code", "longitude", "latitude", "plaque_on", "open_on", "closed_on"}


def _alike(changed: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows that set the same columns, together."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for values in changed:
        groups.setdefault(tuple(sorted(values)), []).append(values)
    yield from groups.values()
