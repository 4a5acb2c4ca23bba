"""Reports of reach: rows with their base and growth, names as they stood, the definition and what was left out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlmodel import Session

from core.errors import Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from tracking import definition as definitions
from tracking import measure, periods
from tracking.definition import PEOPLE_ERROR, Definition
from tracking.dimensions import Tree, names
from tracking.measure import BRANCH, BYS, DAY, MONTH, OUTLET, Figures, Measured, Question
from tracking.periods import Compared, Period, growth
from tracking.snapshot import Snapshot, steadily
from tracking.store import ReachStore

BY_NAMES = {
    BRANCH: mark("机构"),
    OUTLET: mark("网点"),
    "channel": mark("渠道"),
    "piece": mark("内容"),
    "campaign": mark("活动期"),
    MONTH: mark("月份"),
    DAY: mark("日期"),
}
DROP_NAMES = {
    "bot": mark("机器访问"),
    "preview": mark("链接预览"),
    "prefetch": mark("预先加载"),
    "head": mark("只问不看的访问"),
    "malformed": mark("格式不对的阅读信号"),
    "forged_keys": mark("伪造的页面标识"),
    "forged_attribution": mark("伪造的来源标识"),
    "outside_scope": mark("令牌范围外的来源标识"),
    "not_kept": mark("磁盘写不下"),
    "failed": mark("记录时出错"),
    "torn_line": mark("中断时未写完"),
    "rejected_line": mark("无法入库的行"),
}


@dataclass(frozen=True, slots=True)
class InternalToken:
    """What the command line shows the running server to be answered; new at every start."""

    value: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What a report is asked for. `campaign` narrows to one campaign; `within` to a part of the tree."""

    compared: Compared
    by: str
    within: str = ""
    campaign: str = ""

    def __post_init__(self) -> None:
        """Refuse a grouping that does not exist."""
        if self.by not in BYS:
            raise Invalid(mark("不能按“%(by)s”分组，请从列出的维度里选。"), field="by", by=self.by)


@dataclass(frozen=True, slots=True)
class Line:
    """One row or the total. `…_before` and `growth` are None where nothing is compared or there is no base."""

    key: str
    name: str
    gross: int
    deduplicated: int
    people: int
    gross_before: int | None = None
    deduplicated_before: int | None = None
    people_before: int | None = None

    @property
    def growth(self) -> float | None:
        """Change of gross as a fraction of the base, None without a base."""
        return growth(self.gross, self.gross_before)

    @property
    def deduplicated_growth(self) -> float | None:
        """Change of the deduplicated person-times."""
        return growth(self.deduplicated, self.deduplicated_before)

    @property
    def people_growth(self) -> float | None:
        """Change of the people."""
        return growth(self.people, self.people_before)


@dataclass(frozen=True, slots=True)
class Report:
    """An answered question; `gross` and `deduplicated` of the rows add up to those of the total exactly."""

    ask: Ask
    definition: Definition
    within_name: str
    total: Line
    rows: tuple[Line, ...]
    dropped: dict[str, int]

    @property
    def per_day(self) -> tuple[float, float] | None:
        """Gross per day now and before, where the two windows differ in length."""
        compared = self.ask.compared
        if not compared.per_day or compared.base is None or self.total.gross_before is None:
            return None
        return (
            self.total.gross / compared.period.days,
            self.total.gross_before / compared.base.days,
        )


def drop_name(reason: str) -> str:
    """What a reason for dropping is called; the reason itself where nobody named it."""
    return _(DROP_NAMES[reason]) if reason in DROP_NAMES else reason


def ask(
    first: str, last: str, *, by: str, compare: str, within: str = "", campaign: str = "", base: str = ""
) -> Ask:
    """A question from text: ISO dates, names of grouping and comparison; `base` is `first/last` of a base."""
    period = Period(periods.day(first, "from"), periods.day(last, "to"))
    against = None
    if base:
        begin, _slash, end = base.partition("/")
        against = Period(periods.day(begin, "base"), periods.day(end, "base"))
    mode = periods.CAMPAIGN if against else compare
    return Ask(periods.compare(period, mode, against), by, within.strip(), campaign.strip())


def report(store: ReachStore, session: Session, asked: Ask) -> Report:
    """Answer a question under the definition in force on the last day of its period."""
    return several(store, session, asked, (asked.by,))[0]


def several(store: ReachStore, session: Session, asked: Ask, groupings: Sequence[str]) -> list[Report]:
    """The same question in several groupings, all from the same roll-ups."""
    definition = definitions.in_force(session, asked.compared.period.last)
    tree = Tree.read(session)
    asks = [replace(asked, by=by) for by in groupings]
    return steadily(
        store,
        definition,
        lambda found: [
            _answer(store, session, tree, one, snapshot=found, definition=definition) for one in asks
        ],
    )


def _answer(
    store: ReachStore, session: Session, tree: Tree, asked: Ask, *, snapshot: Snapshot, definition: Definition
) -> Report:
    period, base = asked.compared.period, asked.compared.base
    if asked.within and asked.within not in tree.spans:
        raise NotFound(
            mark("没有找到编号为“%(code)s”的机构，请核对后再试。"), field="within", code=asked.within
        )
    question = Question(asked.by, asked.within, asked.campaign)
    now = measure.measure(store, tree, question, period, definition, snapshot=snapshot)
    before = None
    if base:
        shifted = asked.compared.forward("day")
        before = measure.measure(store, tree, question, base, definition, snapshot=snapshot, shifted=shifted)
    return Report(
        ask=asked,
        definition=definition,
        within_name=tree.name(asked.within or tree.root(period.last), period.last),
        total=_line("", _("合计"), now.total, before.total if before else None),
        rows=tuple(_rows(session, tree, asked, now, before)),
        dropped=measure.dropped(store, period),
    )


def _rows(session: Session, tree: Tree, asked: Ask, now: Measured, before: Measured | None) -> Iterable[Line]:
    period = asked.compared.period
    keys = set(now.rows) | (set(before.rows) if before else set()) | _moments(asked.by, period)
    called = _names(session, tree, asked.by, period.last, keys)
    lines = [
        _line(
            key,
            called.get(key, key),
            now.rows.get(key, Figures()),
            before.rows.get(key, Figures()) if before else None,
        )
        for key in keys
    ]
    timely = asked.by in (MONTH, DAY)
    return sorted(lines, key=lambda line: line.key if timely else (-line.gross, line.key))


def _line(key: str, name: str, now: Figures, before: Figures | None) -> Line:
    line = Line(key, name, now.gross, now.deduplicated, now.people)
    if before is None:
        return line
    return Line(
        key, name, now.gross, now.deduplicated, now.people, before.gross, before.deduplicated, before.people
    )


def _moments(by: str, period: Period) -> set[str]:
    """Every month or day of the period: one without reach is a row of zeros, not a gap."""
    if by not in (MONTH, DAY):
        return set()
    days = (period.first + timedelta(number) for number in range(period.days))
    return {day.isoformat()[: 7 if by == MONTH else 10] for day in days}


def _names(session: Session, tree: Tree, by: str, on: date, keys: set[str]) -> dict[str, str]:
    if by in (MONTH, DAY):
        return {}
    if by in (OUTLET, BRANCH):
        return {key: tree.name(key, on) for key in keys}
    return names(session, by, on)


def as_json(done: Report) -> dict[str, Any]:
    """The report in the shape that the command line and the page's download give."""
    return {
        "definition": {
            "id": done.definition.id,
            "valid_from": done.definition.valid_from.isoformat(),
            "gross": list(done.definition.kinds),
            "head_counts": list(done.definition.head_counts),
            "people_error": PEOPLE_ERROR,
        },
        "period": {**_days(done.ask.compared.period), **_asked(done)},
        "compared": _compared(done),
        "total": _figures(done.total),
        "rows": [{"key": line.key, "name": line.name, **_figures(line)} for line in done.rows],
    }


def _asked(done: Report) -> dict[str, Any]:
    narrowed = {"within": done.ask.within, "campaign": done.ask.campaign}
    return {"by": done.ask.by, **{k: v for k, v in narrowed.items() if v}, "dropped": done.dropped}


def _compared(done: Report) -> dict[str, Any]:
    compared = done.ask.compared
    found: dict[str, Any] = {"mode": compared.mode, "from": None, "to": None}
    if compared.base:
        found.update(_days(compared.base))
    if done.per_day:
        now, before = done.per_day
        found["per_day"] = {
            "gross": round(now, 1),
            "gross_before": round(before, 1),
            "growth": growth(now, before),
        }
    return found


def _days(period: Period) -> dict[str, Any]:
    return {"from": period.first.isoformat(), "to": period.last.isoformat(), "days": period.days}


def _figures(line: Line) -> dict[str, Any]:
    return {
        "gross": line.gross,
        "deduplicated": line.deduplicated,
        "people": line.people,
        "gross_before": line.gross_before,
        "growth": line.growth,
    }
