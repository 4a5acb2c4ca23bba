"""The register of imports: handing one in, taking one back, finding, what a decision does to it."""

import json
import zlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.errors import Conflict, Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import approvals, audit
from institution.approval_models import Approval
from tracking.imports import checking, lines, sources
from tracking.imports.checking import Checked
from tracking.imports.draft import Draft
from tracking.imports.known import Known
from tracking.imports.lines import Line
from tracking.imports.mapping import Columns
from tracking.imports.models import APPLIED, WAITING, ReachImport, ReachImportFile
from tracking.imports.table import Table

IMPORT, UNDO = "reach.import", "reach.undo"
PART = 20_000  # lines deposited at once
audit.declare({"reach.import": mark("提交触达导入"), "reach.undo": mark("申请撤销触达导入")})


def try_out(session: Session, found: Table, columns: Columns, *, place: str, today: date) -> Checked:
    """What importing a table would do: every fault, and the lines; nothing is written."""
    return checking.check(found, columns, Known.read(session, place), today)


def submit(
    session: Session,
    draft: Draft,
    columns: Columns,
    *,
    place: str,
    by: int,
    now: datetime,
    today: date,
    note: str = "",
) -> ReachImport:
    """Keep a file with its lines and ask a second person; Invalid while one row is bad.

    Conflict, naming the earlier import, when a file with the same cells stands already.
    """
    _refuse_again(session, draft.table.hash)
    _refuse(list(columns.faults()))
    done = try_out(session, draft.table, columns, place=place, today=today)
    _refuse([f"{where(fault)}{fault.sentence}" for fault in done.faults])
    if not done.lines:
        raise Invalid(mark("文件里没有可以入账的数量。"), field="file")
    cells_hash = draft.table.hash
    made = ReachImport(
        source=sources.get(draft.source).key, outlet_code=place, file_name=draft.file_name, cells_hash=cells_hash,
        claim=cells_hash, mapping=columns.as_json(), rows=done.rows, skipped=done.skipped,
        note=note.strip()[:2000], proposed_by=by, proposed_at=now, **_summed(done.lines),
    )  # fmt: skip
    _keep(session, made, draft.data, done.lines)
    _ask(session, made, IMPORT, by=by, now=now)
    return made


def undo(session: Session, number: int, *, by: int, now: datetime, reason: str) -> ReachImport:
    """Ask a second person to take an import back: the same lines with their signs turned, as one of its own."""
    old = get(session, number)
    if old.undoes is not None or old.state != APPLIED or old.undone_by is not None:
        raise Conflict(mark("只有已入账、还没有撤销的导入可以撤销。"))
    if not reason.strip():
        raise Invalid(mark("请写明为什么撤销，方便审批的人判断。"), field="reason")
    turned = list(lines.turned(lines.unpacked(_file(session, old).lines)))
    made = ReachImport(
        source=old.source, outlet_code=old.outlet_code, file_name=old.file_name, cells_hash=old.cells_hash,
        claim=f"undo-{old.id}", mapping=old.mapping, rows=old.rows, skipped=old.skipped, undoes=old.id,
        note=reason.strip()[:2000], proposed_by=by, proposed_at=now, **_summed(turned),
    )  # fmt: skip
    _keep(session, made, b"", turned)
    _ask(session, made, UNDO, by=by, now=now)
    return made


def get(session: Session, number: int) -> ReachImport:
    """The import of this number, or NotFound."""
    found = session.get(ReachImport, number)
    if found is None:
        raise NotFound(mark("没有找到这次导入。"))
    return found


def listed(session: Session, within: ColumnElement[bool]) -> list[ReachImport]:
    """The imports that a condition on their node lets through, the newest first."""
    return list(session.exec(select(ReachImport).where(within).order_by(col(ReachImport.id).desc())))


def original(session: Session, one: ReachImport) -> bytes:
    """The file as it was handed in; NotFound once its time is over, and for an undo, which has none."""
    content = _file(session, one).content
    if not content:
        raise NotFound(mark("原文件已过保存期限，或这次导入没有文件。"))
    return zlib.decompress(content)


def has_original(session: Session, one: ReachImport) -> bool:
    """Whether the file is still kept."""
    query = select(func.length(col(ReachImportFile.content))).where(ReachImportFile.import_id == one.id)
    return bool(session.exec(query).first())


def lines_of(session: Session, one: ReachImport) -> list[Line]:
    """The lines that count."""
    return list(lines.unpacked(_file(session, one).lines))


def digest(session: Session, one: ReachImport) -> str:
    """The hash of exactly what is approved, computed anew from what is kept."""
    kept = _file(session, one)
    content = zlib.decompress(kept.content) if kept.content else b""
    about = {"mapping": one.mapping, "source": one.source, "undoes": one.undoes}
    return lines.digest(
        content, kept.lines, json.dumps(about, ensure_ascii=False, sort_keys=True), one.outlet_code
    )


def asked(session: Session, one: ReachImport) -> Approval | None:
    """The request of an import, also a decided one."""
    query = select(Approval).where(Approval.kind == kind_of(one), Approval.subject == str(one.id))
    return session.exec(query.order_by(col(Approval.id).desc())).first()


def kind_of(one: ReachImport) -> str:
    """Which kind of request is asked for it."""
    return IMPORT if one.undoes is None else UNDO


def title(one: ReachImport) -> str:
    """What lists call it: source and file, or what it takes back."""
    if one.undoes is not None:
        return _("撤销导入 %(number)s", number=one.undoes)
    return f"{_(sources.get(one.source).label)} · {one.file_name}"


def earlier(session: Session, cells_hash: str) -> ReachImport | None:
    """The import that stands for the same cells, if there is one."""
    return session.exec(select(ReachImport).where(ReachImport.claim == cells_hash)).first()


def _refuse_again(session: Session, cells_hash: str) -> None:
    known = earlier(session, cells_hash)
    if known is not None:
        raise Conflict(
            mark("同样的内容已在第 %(number)s 号导入里（%(file)s），不会再计一次；要改，请先撤销它。"),
            field="file",
            number=known.id,
            file=known.file_name,
        )


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        raise Invalid(
            mark("还有 %(count)s 处错误，一行也没有导入。第一处：%(first)s"),
            field="file",
            count=len(faults),
            first=faults[0],
        )


def where(fault: checking.Fault) -> str:
    """Row and column of a fault, before its sentence."""
    return _("第 %(row)s 行，%(column)s：", row=fault.row, column=fault.column or "—")


def _summed(found: Sequence[Line]) -> dict[str, Any]:
    days = [one.keys.day for one in found]
    return {
        "totals": lines.totals(found), "lines": len(found), "quantity": sum(one.quantity for one in found),
        "first_day": min(days), "last_day": max(days), "parts": -(-len(found) // PART),
    }  # fmt: skip


def _keep(session: Session, made: ReachImport, data: bytes, found: Sequence[Line]) -> None:
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError as error:
        raise Conflict(mark("另一位同事刚刚提交了同样的内容，请刷新查看。"), field="file") from error
    content = zlib.compress(data, 6) if data else b""
    session.add(ReachImportFile(import_id=made.id or 0, content=content, lines=lines.packed(found)))
    session.flush()


def _ask(session: Session, made: ReachImport, kind: str, *, by: int, now: datetime) -> None:
    approvals.request(
        session, kind=kind, subject=str(made.id), subject_hash=digest(session, made), title=title(made), by=by,
        now=now, reason=made.note, outlet_code=made.outlet_code,
    )  # fmt: skip
    about = {"source": made.source, "file": made.file_name, "quantity": made.quantity, "lines": made.lines}
    more = {"undoes": made.undoes} if made.undoes else {}
    audit.record(
        session, kind, "reach_import", made.id, after=about | more | {"state": WAITING},
        outlet_code=made.outlet_code, note=made.note,
    )  # fmt: skip


def _file(session: Session, one: ReachImport) -> ReachImportFile:
    return session.get_one(ReachImportFile, one.id)
