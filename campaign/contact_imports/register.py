"""Imports of contact files as rows: asked for, confirmed, given up, found by whom they belong to. Work: `carrying`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from campaign.contact_imports.models import (
    APPLYING,
    CANCELLED,
    CHECKED,
    DONE,
    FAILED,
    QUEUED,
    READING,
    ContactImport,
)
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from institution import audit
from institution.powers import Scope

MOST_AT_ONCE = 10
STATES = {
    QUEUED: (mark("排队中"), "info"),
    READING: (mark("正在读取和检查"), "info"),
    CHECKED: (mark("等人确认"), "warn"),
    APPLYING: (mark("正在写入"), "info"),
    DONE: (mark("已导入"), "good"),
    CANCELLED: (mark("已放弃"), "idle"),
    FAILED: (mark("没有导入"), "bad"),
}


def ask(session: Session, one: ContactImport) -> ContactImport:
    """Have a file read that was saved under home; Invalid without a name, Conflict while too many are under way."""
    one.list_name = one.list_name.strip()
    if not one.list_name or len(one.list_name) > 80:
        raise Invalid(mark("请给名单起一个名字（不超过 80 个字）。"), field="name")
    waiting = select(func.count(col(ContactImport.id))).where(
        ContactImport.outlet_code == one.outlet_code,
        col(ContactImport.state).in_((QUEUED, READING, CHECKED, APPLYING)),
    )
    if session.exec(waiting).one() >= MOST_AT_ONCE:
        rule = mark("这个机构已有 %(count)s 个没有结束的导入，请先确认或放弃它们。")
        raise Conflict(rule, field="file", count=MOST_AT_ONCE)
    session.add(one)
    session.flush()
    _record(session, "list.import.ask", one, {"name": one.list_name, "bytes": one.bytes})
    return one


def get(session: Session, number: int) -> ContactImport:
    """An import, or NotFound."""
    one = session.get(ContactImport, number)
    if one is None:
        raise NotFound(mark("没有找到这次导入。"))
    return one


def listing(session: Session, scope: Scope, limit: int = 200) -> list[ContactImport]:
    """Those of a part of the tree, the newest first."""
    query = select(ContactImport).where(scope.condition(ContactImport.outlet_code))
    return list(session.exec(query.order_by(col(ContactImport.id).desc()).limit(limit)))


def confirm(session: Session, number: int, *, by: int | None, now: datetime) -> ContactImport:
    """Write what was checked: the good rows, where some are bad. Invalid when no row is good."""
    one = get(session, number)
    if one.state == CHECKED and one.bad == one.rows:
        raise Invalid(mark("没有一行可以导入：请改好文件再来。"))
    values = {"state": APPLYING, "skip_bad": one.bad > 0, "share": 0.0, "stage_at": now, "made_by": by}
    _move(session, number, (CHECKED,), values | {"worker": "", "leased_until": None})
    _record(session, "list.import.apply", one, {"rows": one.rows - one.bad, "bad": one.bad})
    return one


def cancel(session: Session, number: int, *, now: datetime) -> None:
    """Give it up before anything is written; its file goes with the next look of the job."""
    one = get(session, number)
    if one.state == APPLYING:
        raise Conflict(mark("已经开始写入，停不下来了：写完后名单才完整。"))
    _move(
        session,
        number,
        (QUEUED, READING, CHECKED),
        {"state": CANCELLED, "ended_at": now, "leased_until": None},
    )
    _record(session, "list.import.cancel", one, {"rows": one.rows})


def _move(session: Session, number: int, states: Sequence[str], values: dict[str, Any]) -> None:
    mine = update(ContactImport).where(col(ContactImport.id) == number, col(ContactImport.state).in_(states))
    if session.connection().execute(mine.values(**values)).rowcount != 1:
        raise Conflict(mark("它的状态刚刚变了，请刷新后再看。"))
    session.expire_all()


def _record(session: Session, action: str, one: ContactImport, after: dict[str, Any]) -> None:
    audit.record(session, action, "contact_import", one.id, after=after, outlet_code=one.outlet_code)
