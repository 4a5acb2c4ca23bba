"""The queue of approvals: what waits for me, what I asked for, what was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.http import (
    asked_export,
    attachment,
    page_number,
    reading,
    render,
    service,
)
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access, approval_search, approvals, desk_table, places
from institution.approval_models import Approval
from institution.approval_search import DONE, MINE, OPEN, WAITING, Filter
from institution.desk import approval_bulk, approval_lines
from institution.desk.approval_lines import Line
from institution.desk.approval_routes import approvals_blueprint as blueprint
from institution.desk.approval_routes import seen_by
from institution.desk_table import Column, Listing, View

BOXES = {
    WAITING: mark("等我审批"),
    MINE: mark("我提交的"),
    OPEN: mark("全部待审"),
    DONE: mark("已有结论"),
}


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One box of requests, filtered and sorted."""

    box: str
    boxes: Mapping[str, str]
    counts: Mapping[str, int]
    view: View[Approval]
    listing: Listing[Approval]
    lines: Sequence[Line]
    kinds: Sequence[tuple[str, str]]
    outcomes: Sequence[tuple[str, str]]
    places: Sequence[tuple[str, str]]
    asked: Filter
    may_set_paths: bool

    @property
    def acts(self) -> list[tuple[str, str]]:
        """What may be done to several at once."""
        return [(act, _(label)) for act, (_decision, label, _confirm) in approval_bulk.ACTS.items()]

    @property
    def filtered(self) -> bool:
        """Whether the list is narrowed beyond its box."""
        one = self.asked
        return bool(one.kind or one.text or one.outlet_code or one.outcome or one.overdue)


@blueprint.get("")
@access.requires("desk.view")
def queue() -> ResponseReturnValue:
    """Requests: those that wait for this person first."""
    now, form = clock.now(), asked_export()
    with reading() as session:
        who, wanted = seen_by(session), _filter()
        first = "-decided" if wanted.box == DONE else "due"
        view = desk_table.view(_columns(done=wanted.box == DONE), request.args, first=first)
        rows = approval_search.query(who, wanted)
        if form:
            return _file(session, desk_table.everything(session, rows, view, ties=_TIES), form)
        listing = desk_table.listing(session, rows, view, page_number(), ties=_TIES)
        page = QueuePage(
            box=wanted.box,
            boxes={key: _(label) for key, label in BOXES.items()},
            counts={WAITING: approval_search.count(session, who, Filter())},
            view=view,
            listing=listing,
            lines=approval_lines.lines(session, listing.rows, now),
            kinds=approval_lines.kinds(),
            outcomes=[(key, _(label)) for key, label in approvals.OUTCOME_NAMES.items()],
            places=places.choices(session, access.signed_in().scope("desk.view"), chosen=wanted.outlet_code),
            asked=wanted,
            may_set_paths=access.signed_in().may("approval.edit"),
        )
    return render("institution/approvals.html", page)


def _filter() -> Filter:
    asked = request.args
    box = asked.get("box", WAITING)
    return Filter(
        box=box if box in BOXES else WAITING,
        kind=asked.get("kind", ""),
        text=asked.get("text", "").strip()[:100],
        outlet_code=asked.get("place", ""),
        outcome=asked.get("outcome", "") if box in (DONE, MINE) else "",
        overdue=clock.now() if asked.get("overdue") else None,
    )


_TIES = (Approval.requested_at, Approval.id)


def _columns(words: Mapping[int, Line] | None = None, *, done: bool = False) -> tuple[Column[Approval], ...]:
    """The columns; of what was decided the page shows when and by whom, of what waits until when."""
    known = words or {}
    return (
        Column("number", mark("编号"), lambda one: one.id, sort=Approval.id, numeric=True, shown=False),
        Column("title", mark("事项"), lambda one: one.title, sort=Approval.title),
        Column("kind", mark("类别"), lambda one: known[one.id or 0].kind, sort=Approval.kind),
        Column("place", mark("机构"), lambda one: known[one.id or 0].place, sort=Approval.outlet_code),
        Column("by", mark("提交人"), lambda one: known[one.id or 0].by),
        Column("asked", mark("提交时间"), lambda one: one.requested_at, sort=Approval.requested_at),
        Column("due", mark("办理期限"), lambda one: one.due_at, sort=Approval.due_at, shown=not done),
        Column("step", mark("进度"), lambda one: known[one.id or 0].step, shown=not done),
        Column("outcome", mark("结论"), lambda one: known[one.id or 0].outcome, sort=Approval.decision),
        Column("decided", mark("结论时间"), lambda one: one.decided_at, sort=Approval.decided_at, shown=done),
        Column("decider", mark("审批人"), lambda one: known[one.id or 0].decider, shown=done),
        Column("opinion", mark("意见"), lambda one: one.opinion, shown=False),
        Column("hash", mark("内容哈希"), lambda one: one.subject_hash, shown=False),
    )


def _file(session: Session, rows: Sequence[Approval], form: str) -> ResponseReturnValue:
    made = approval_lines.lines(session, rows, clock.now())
    view = View(_columns({one.request.id or 0: one for one in made}))
    data = desk_table.export(view, rows, form, service(Settings).zone)
    return attachment(data, f"approvals.{form}")
