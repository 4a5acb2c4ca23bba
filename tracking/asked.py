"""The questions of the command line in text: growth, funnel and targets, answered as sheets."""

from collections.abc import Callable, Mapping
from datetime import date

from sqlmodel import Session

from core.errors import Invalid, NotFound
from core.i18n import mark
from tracking import annotations, attainment, insight, periods, reports, target_files, targets
from tracking.dimensions import Tree
from tracking.groupings import BRANCH, CHANNEL, OUTLET
from tracking.insight import FUNNEL_BY, GROWTH_BY
from tracking.insight_sheets import funnel_sheet, growth_sheet
from tracking.question import Key
from tracking.reports import Ask
from tracking.sheets import Sheet
from tracking.store import ReachStore
from tracking.target_sheet import target_sheet

Given = Mapping[str, str]
Answer = Callable[[ReachStore, Session, Given, date], Sheet]


def _ask(given: Given, by: Key) -> Ask:
    return reports.ask(
        given.get("from", ""),
        given.get("to", ""),
        by=",".join(by),
        compare=given.get("compare", periods.YEAR),
        within=given.get("within", ""),
        campaign=given.get("campaign", ""),
        base=given.get("base", ""),
        where=given.get("where", ""),
    )


def growth(store: ReachStore, session: Session, given: Given, _today: date) -> Sheet:
    """Contributions to growth. Invalid for groupings that growth is not taken apart by."""
    by = tuple(one.strip() for one in (given.get("by") or BRANCH).split(","))
    if by not in GROWTH_BY:
        raise Invalid(
            mark("增长可以按这些来看：%(known)s。"),
            field="by",
            known="；".join(",".join(one) for one in GROWTH_BY),
        )
    ask = _ask(given, insight.nested_by(by))
    found = insight.grown(store, session, ask, nested=len(by) == 2 and by[1] == OUTLET)
    notes = annotations.over(session, store, ask.compared.period, ask.within)
    return growth_sheet(found, by, notes)


def funnel(store: ReachStore, session: Session, given: Given, _today: date) -> Sheet:
    """Steps per channel, campaign, piece or branch."""
    by = given.get("by") or CHANNEL
    if by not in FUNNEL_BY:
        raise Invalid(mark("漏斗可以按渠道、活动期、内容或机构来看。"), field="by")
    ask = _ask(given, (by,))
    notes = annotations.over(session, store, ask.compared.period, ask.within)
    return funnel_sheet(insight.funnelled(store, session, ask), notes)


def target(store: ReachStore, session: Session, given: Given, today: date) -> Sheet:
    """The target of a node and its children for a period; NotFound where none is set among them."""
    period = targets.period_of(given.get("period", ""))
    tree = Tree.read(session)
    code = given.get("within", "") or tree.root(today)
    if code not in tree.spans:
        raise NotFound(mark("没有找到编号为“%(code)s”的机构，请核对后再试。"), field="within", code=code)
    wanted = (
        period.first,
        period.last,
        given.get("campaign", ""),
        target_files.measure(given.get("measure", "")),
    )
    nodes = [code, *attainment.children(session, code, period.first)]
    rows = targets.kept(session, nodes)
    row = next((one for one in rows if (one.first, one.last, one.campaign, one.measure) == wanted), None)
    if row is None:
        raise NotFound(mark("这个机构和它的下级在这段时间没有设定目标。"))
    return target_sheet(attainment.standing(store, session, row, code, today))


SHEETS: dict[str, Answer] = {"growth": growth, "funnel": funnel, "targets": target}
