"""What changes of the tree leave in the audit log: one record for each act, however many outlets it touches."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlmodel import Session, select

from core.cells import shown
from core.i18n import mark
from institution import audit
from institution.models import Outlet
from institution.outlet_plan import Change, Plan
from institution.powers import WHOLE

IMPORT, BULK = "outlet.import", "outlet.bulk"
LISTED = 5_000  # changes of one act that are listed; a larger one is told by its counts
audit.declare(
    {
        "outlet.add": mark("新增网点"),
        "outlet.edit": mark("修改网点"),
        "outlet.close": mark("撤并网点"),
        "outlet.reopen": mark("恢复网点"),
        IMPORT: mark("导入网点"),
        BULK: mark("批量修改网点"),
    }
)
_SINGLE = {"added": "outlet.add", "closed": "outlet.close", "reopened": "outlet.reopen"}


def write(session: Session, planned: Plan, *, action: str, demo: bool) -> None:
    """Record what was applied; nothing when nothing changed."""
    if len(planned.changes) == 1:
        _single(session, planned, planned.changes[0])
    elif planned.changes:
        after: dict[str, Any] = dict(Counter(sort for each in planned.changes for sort in each.sorts))
        after["changes"] = [_line(each) for each in planned.changes[:LISTED]]
        if len(planned.changes) > LISTED:
            after["more"] = len(planned.changes) - LISTED
        node = common(session, [each.code for each in planned.changes])
        audit.record(
            session,
            action,
            "outlet",
            "",
            after=after,
            outlet_code=node,
            note="demo" if demo else _since(planned),
        )


def _single(session: Session, planned: Plan, change: Change) -> None:
    action = next((_SINGLE[sort] for sort in change.sorts if sort in _SINGLE), "outlet.edit")
    audit.record(
        session, action, "outlet", change.code,
        before={each.field: each.old for each in change.fields},
        after={each.field: each.new for each in change.fields},
        outlet_code=change.code, note=_since(planned),
    )  # fmt: skip


def _since(planned: Plan) -> str:
    """The day since which it holds, where the history says so."""
    dated = any({"renamed", "moved", "relevelled"} & set(each.sorts) for each in planned.changes)
    return planned.as_of.isoformat() if dated else ""


def _line(change: Change) -> str:
    if change.is_new:
        return f"+ {change.code} {change.name}"
    fields = "; ".join(
        f"{each.field}: {shown(each.old) or '∅'} → {shown(each.new) or '∅'}" for each in change.fields
    )
    return f"{change.code} {fields}"


def common(session: Session, codes: Iterable[str]) -> str:
    """The lowest node over all these: where an act upon many belongs."""
    above = {code: parent for code, parent in session.execute(select(Outlet.code, Outlet.parent_code))}
    shared: list[str] | None = None
    for code in codes:
        line = _line_up(above, code)[::-1]
        if shared is None:
            shared = line
        else:
            pairs = zip(shared, line, strict=False)
            shared = shared[
                : next(
                    (at for at, (one, other) in enumerate(pairs) if one != other), min(len(shared), len(line))
                )
            ]
    return shared[-1] if shared else WHOLE


def _line_up(above: dict[str, str | None], code: str | None) -> list[str]:
    line: list[str] = []
    while code and code in above and code not in line:
        line.append(code)
        code = above[code]
    return line
