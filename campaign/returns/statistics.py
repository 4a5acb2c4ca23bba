"""A campaign's statistical return by province: the columns that institutions are asked for after a campaign.

Columns of what was done come from verified returns alone; columns of what was seen online come from the reach
store. Person-times are never added over both: what returns count is part of 触达 already.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from campaign.models import Campaign
from campaign.returns.models import VERIFIED, ReturnVersion
from campaign.returns.words import COURSES, ONLINE, OUTLET, WORKS
from core.i18n import gettext as _
from core.i18n import mark
from institution.powers import WHOLE, Scope
from tracking import definition, reports, sheets
from tracking.dimensions import AUDIENCES, PLACES, Tree
from tracking.groupings import CAMPAIGN, KIND, PROVINCE
from tracking.periods import NONE, Compared, Period
from tracking.reports import Ask
from tracking.sheets import Cell, Sheet
from tracking.store import ReachStore

ONLINE_KINDS = {"delivered": "delivered", "visited": "views", "shared": "shares"}  # kind of event → column
_FROM_RETURNS = mark("已核实的活动回执")
_FROM_REACH = mark("触达平台")
_Numbers = dict[str, int]
_HOW: Mapping[str, Callable[[ReturnVersion], int]] = {
    "staff": lambda one: one.staff,
    "activities": lambda _one: 1,
    "online": lambda one: int(one.place == ONLINE),
    "joint": lambda one: int(bool(one.partners)),
    "courses": lambda one: int(one.form in COURSES),
    "materials": lambda one: sum(one.materials.values()),
    "heads": lambda one: one.heads if one.place != ONLINE else 0,
    "viewers": lambda one: one.heads if one.place == ONLINE else 0,
    "joined": lambda one: one.joined,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A column: its key, heading and unit (msgids), how it is counted, where from."""

    key: str
    label: str
    unit: str
    how: str
    source: str = _FROM_RETURNS

    @property
    def heading(self) -> str:
        """What stands above it: label and unit."""
        return _("%(label)s（%(unit)s）", label=_(self.label), unit=_(self.unit))


def _columns() -> tuple[Asked, ...]:
    persons, times, pieces = mark("人次"), mark("场"), mark("份")
    return (
        Asked("outlets", mark("参与网点"), mark("个"), mark("至少有一份已核实回执的网点，每个网点计一次")),
        Asked("activities", mark("开展活动"), times, mark("已核实、没有撤销的回执份数")),
        Asked("online", mark("其中线上活动"), times, mark("地点为“线上”的活动")),
        Asked("joint", mark("其中联合开展"), times, mark("与监管、协会、公安等单位一起办的活动")),
        Asked("courses", mark("讲座、培训"), times, mark("形式为讲座或柜面微课堂的活动")),
        Asked("staff", mark("投入宣传人员"), persons, mark("每场活动的宣传人员数相加，同一人参加两场计两次")),
        Asked("heads", mark("现场参与"), persons, mark("线下活动到场人数相加；没有去重")),
        Asked("viewers", mark("线上参与"), persons, mark("线上活动回执里的参与人数相加；没有去重")),
        Asked("joined", mark("互动完成"), mark("人"), mark("答题、打卡等完成互动的人数相加")),
        Asked("materials", mark("发放宣传资料"), pieces, mark("折页、手册、海报、宣传品等各类资料相加")),
        *(Asked(key, name, unit, mark("回执里填报的数量相加")) for key, (name, unit) in WORKS.items()),
        *(Asked(f"place_{key}", name, times, mark("按地点分的活动场数")) for key, name in _places().items()),
        *(
            Asked(f"group_{key}", name, persons, mark("回执里写明这类人群的人数相加；没有分开填的不算"))
            for key, name in AUDIENCES.items()
        ),
        Asked("reach", mark("触达消费者"), persons, mark("按触达定义，线上线下合计"), _FROM_REACH),
        Asked("delivered", mark("线上送达"), persons, mark("短信、邮件、微信等送达的条数"), _FROM_REACH),
        Asked("views", mark("浏览量"), persons, mark("内容和活动页的访问次数"), _FROM_REACH),
        Asked("shares", mark("线上转发"), persons, mark("访客转发的次数"), _FROM_REACH),
    )


def _places() -> dict[str, str]:
    return {**PLACES, OUTLET: mark("本网点内")}


COLUMNS = _columns()


@dataclass(slots=True)
class Row:
    """A province (or what the reader sees of it) with its numbers by column."""

    code: str
    name: str
    numbers: _Numbers = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True, slots=True)
class Statistics:
    """A campaign's statistical return: a row for each province and all together; what the figures rest on."""

    name: str
    period: Period
    rows: Sequence[Row]
    total: Row
    definition: str
    waiting: int


def gather(
    session: Session,
    store: ReachStore,
    campaign: Campaign | None,
    *,
    scope: Scope,
    reach: Scope,
    today: date,
) -> Statistics:
    """The return of a campaign (None: what belongs to none, of this year), within a part of the tree.

    `reach` is the part in which the reader may see reach; outside of it those columns stay 0.
    """
    done = list(session.exec(_counted(campaign, scope.condition(ReturnVersion.outlet_code), today)))
    period = _period(campaign, done, today)
    tree = Tree.read(session)
    rows: dict[str, Row] = {}
    outlets: set[str] = set()
    for one in done:
        province = _province(tree, one.outlet_code, period.last)
        row = rows.setdefault(province, Row(province, tree.name(province, period.last)))
        row.numbers["outlets"] += one.outlet_code not in outlets
        outlets.add(one.outlet_code)
        _add(row.numbers, one)
    code = campaign.code if campaign else ""
    for top in sorted(reach.tops):
        _reached(session, store, rows, code, period, within="" if top == WHOLE else top)
    whole = Row("", _("合计"))
    for row in rows.values():
        for key, number in row.numbers.items():
            whole.numbers[key] += number
    ordered = sorted(rows.values(), key=lambda row: (-row.numbers["activities"], row.code))
    named = campaign.shown("name") if campaign else _("不属于活动期的日常活动")
    said = definition.in_force(session, period.last).sentence
    return Statistics(named, period, ordered, whole, said, _waiting(session, campaign, scope))


def _counted(campaign: Campaign | None, inside: ColumnElement[bool], today: date):  # type: ignore[no-untyped-def]
    query = select(ReturnVersion).where(
        ReturnVersion.state == VERIFIED,
        col(ReturnVersion.void).is_(False),
        ReturnVersion.campaign_code == (campaign.code if campaign else ""),
        inside,
    )
    if campaign is None:
        query = query.where(col(ReturnVersion.held_on) >= date(today.year, 1, 1))
    return query.order_by(col(ReturnVersion.id))


def _period(campaign: Campaign | None, done: Iterable[ReturnVersion], today: date) -> Period:
    """The campaign's days and those of its returns, which may lie before or after; nothing of tomorrow."""
    days = [one.held_on for one in done if one.held_on]
    first = min([campaign.starts_on, *days]) if campaign else date(today.year, 1, 1)
    last = max([campaign.ends_on, *days]) if campaign else today
    last = max(first, min(last, today))
    return Period(first, last)


def _province(tree: Tree, outlet: str, day: date) -> str:
    return tree.branches("", day, PROVINCE).get(outlet, outlet)


def _add(numbers: _Numbers, one: ReturnVersion) -> None:
    for key, how in _HOW.items():
        numbers[key] += how(one)
    for key, number in one.works.items():
        numbers[key] += number
    numbers[f"place_{one.place}"] += 1
    for group, told in one.audiences.items():
        alone = one.heads if len(one.audiences) == 1 else 0
        numbers[f"group_{group}"] += alone if told is None else told


def _reached(
    session: Session, store: ReachStore, rows: dict[str, Row], campaign: str, period: Period, *, within: str
) -> None:
    tree, compared = Tree.read(session), Compared(period, NONE)
    where = ((CAMPAIGN, (campaign,)),)
    kinds = (*where, (KIND, tuple(ONLINE_KINDS)))
    counted, told = reports.several(
        store,
        session,
        [
            Ask(compared, (PROVINCE,), within, where, people=False),
            Ask(compared, (PROVINCE, KIND), within, kinds, people=False),
        ],
    )
    for line, key in [
        *((line, "reach") for line in counted.rows),
        *((line, ONLINE_KINDS[line.key2]) for line in told.rows if line.key2 in ONLINE_KINDS),
    ]:
        code = _province(tree, line.key, period.last) if line.key in tree.spans else line.key
        row = rows.setdefault(code, Row(code, tree.name(code, period.last)))
        row.numbers[key] += line.gross


def _waiting(session: Session, campaign: Campaign | None, scope: Scope) -> int:
    """How many returns of it are handed in and not verified yet: what the figures may still become."""
    query = select(ReturnVersion.id).where(
        ReturnVersion.state == "submitted",
        ReturnVersion.campaign_code == (campaign.code if campaign else ""),
        scope.condition(ReturnVersion.outlet_code),
    )
    return len(session.exec(query).all())


def sheet(found: Statistics) -> Sheet:
    """The same as a sheet with typed cells; its second sheet says how every column is counted."""
    columns = [
        sheets.Column("code", _("机构编号"), sheets.TEXT),
        sheets.Column("province", _("省级机构"), sheets.TEXT),
        *(sheets.Column(one.key, one.heading) for one in COLUMNS),
    ]
    cells: list[list[Cell]] = [
        [row.code, row.name, *(row.numbers.get(one.key, 0) for one in COLUMNS)]
        for row in [*found.rows, found.total]
    ]
    facts = [
        (_("所属活动期"), found.name),
        (_("统计时间"), f"{found.period.first} – {found.period.last}"),
        (_("触达定义"), found.definition),
        (_("还没核实"), _("%(count)s 份回执已提交、没有核实，不在数字里", count=found.waiting)),
        *(
            (one.heading, _("%(how)s。来源：%(source)s", how=_(one.how), source=_(one.source)))
            for one in COLUMNS
        ),
    ]
    return Sheet("returns", _("活动统计表"), tuple(columns), cells, facts)
