"""Reports of reach: rows with their base and growth, names as they stood, the definition and what was left out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlmodel import Session

from core.errors import Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from tracking import definition as definitions
from tracking import groupings, measure, periods
from tracking.definition import Definition
from tracking.dimensions import Tree, names
from tracking.groupings import KEYS, KIND, TIMES, TREE
from tracking.measure import Figures, Measured
from tracking.periods import Compared, Period, growth
from tracking.question import Key, Question, Where
from tracking.snapshot import Snapshot, steadily
from tracking.store import ReachStore

DROP_NAMES = {
    "bot": mark("机器访问"),
    "preview": mark("链接预览"),
    "prefetch": mark("预先加载"),
    "data_centre": mark("数据中心地址"),
    "visitor_rate": mark("同一访客快得不像真人"),
    "address_rate": mark("同一地址流量异常"),
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
    """What a report is asked for: one or two groupings, a part of the tree (`within`), filters by key.

    `people` False leaves the people out, which takes most of the time of a question that no sketch answers.
    """

    compared: Compared
    by: Key
    within: str = ""
    where: Where = ()
    people: bool = True

    def __post_init__(self) -> None:
        """Refuse groupings and filters that do not exist."""
        groupings.checked(self.by)
        for name, values in self.where:
            if name not in KEYS or not values:
                raise Invalid(mark("不能按“%(by)s”筛选，请从列出的维度里选。"), field="where", by=name)

    @property
    def campaign(self) -> str:
        """The one campaign that the report is narrowed to, "" for none."""
        return next((values[0] for name, values in self.where if name == groupings.CAMPAIGN), "")

    @property
    def question(self) -> Question:
        """The same without its periods."""
        return Question(self.by, self.within, self.where, self.people)


class Line(NamedTuple):
    """One row or the total; `key2` and `name2` where there are two groupings. A tuple: thousands are made at once.

    `…_before` and `growth` are None where nothing is compared or there is no base; `deduplicated` is None where
    kinds are told apart, `people` where they were not asked for.
    """

    key: str
    name: str
    gross: int
    deduplicated: int | None
    people: int | None
    gross_before: int | None = None
    deduplicated_before: int | None = None
    people_before: int | None = None
    key2: str = ""
    name2: str = ""

    @property
    def growth(self) -> float | None:
        """Change of gross as a fraction of the base, None without a base."""
        return growth(self.gross, self.gross_before)

    @property
    def deduplicated_growth(self) -> float | None:
        """Change of the deduplicated person-times."""
        return None if self.deduplicated is None else growth(self.deduplicated, self.deduplicated_before)

    @property
    def people_growth(self) -> float | None:
        """Change of the people."""
        return None if self.people is None else growth(self.people, self.people_before)


@dataclass(frozen=True, slots=True)
class Report:
    """An answered question; `gross` and `deduplicated` of the rows add up to those of the total exactly."""

    ask: Ask
    definition: Definition
    within_name: str
    total: Line
    rows: tuple[Line, ...]
    dropped: dict[str, int]
    notes: tuple[str, ...] = ()  # what happened meanwhile, as lines: `tracking.annotations.attached`

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
    first: str,
    last: str,
    *,
    by: str,
    compare: str,
    within: str = "",
    campaign: str = "",
    base: str = "",
    where: str = "",
) -> Ask:
    """A question from text: ISO dates, one or two groupings with a comma between, the name of a comparison;
    `base` is `first/last` of a base, `where` filters such as `channel=wechat,sms;kind=visited`."""
    period = Period(periods.day(first, "from"), periods.day(last, "to"))
    against = None
    if base:
        begin, _slash, end = base.partition("/")
        against = Period(periods.day(begin, "base"), periods.day(end, "base"))
    mode = periods.CAMPAIGN if against else compare
    grouped = tuple(one.strip() for one in by.split(","))
    narrowed = _filters(where)
    if campaign.strip():
        narrowed = ((groupings.CAMPAIGN, (campaign.strip(),)), *narrowed)
    return Ask(periods.compare(period, mode, against), grouped, within.strip(), narrowed)


def _filters(text: str) -> Where:
    parts = [part.partition("=") for part in text.split(";") if part.strip()]
    return tuple(
        (name.strip(), tuple(value.strip() for value in values.split(","))) for name, _is, values in parts
    )


def report(store: ReachStore, session: Session, asked: Ask) -> Report:
    """Answer a question under the definition in force on the last day of its period."""
    return several(store, session, (asked,))[0]


def several(store: ReachStore, session: Session, asks: Sequence[Ask]) -> list[Report]:
    """Several questions of one period, all from the same roll-ups."""
    definition = definitions.in_force(session, asks[0].compared.period.last)
    tree = Tree.read(session)
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
    question = asked.question
    now = measure.measure(store, tree, question, period, definition, snapshot=snapshot)
    before = None
    if base:
        shifted = asked.compared.forward
        before = measure.measure(store, tree, question, base, definition, snapshot=snapshot, shifted=shifted)
    return Report(
        ask=asked,
        definition=definition,
        within_name=tree.name(asked.within or tree.root(period.last), period.last),
        total=_line((), (_("合计"),), now.total, before.total if before else None),
        rows=tuple(_rows(session, tree, asked, now, before)),
        dropped=measure.dropped(store, period),
    )


def _rows(session: Session, tree: Tree, asked: Ask, now: Measured, before: Measured | None) -> Iterable[Line]:
    period = asked.compared.period
    keys = now.rows.keys() | (before.rows.keys() if before else set())
    if len(asked.by) == 1 and asked.by[0] in TIMES:
        keys |= {(one,) for one in groupings.moments(asked.by[0], period)}
    called = [
        _names(session, tree, by, period.last, {key[place] for key in keys})
        for place, by in enumerate(asked.by)
    ]
    nothing = Figures()
    lines = [
        _line(
            key,
            tuple([names.get(one, one) for names, one in zip(called, key, strict=True)]),
            now.rows.get(key, nothing),
            before.rows.get(key, nothing) if before else None,
        )
        for key in keys
    ]
    return _ordered(lines, asked.by)


def _ordered(lines: Iterable[Line], by: Key) -> list[Line]:
    """Times in their order; all else by its gross, most first; the second grouping within the first."""
    ordered = sorted(lines, key=lambda line: line.key2)
    if by[-1] not in TIMES:
        ordered.sort(key=lambda line: (-line.gross, line.key if len(by) == 1 else line.key2))
    if by[0] in TIMES:
        return sorted(ordered, key=lambda line: line.key)
    if len(by) == 2:
        whole: dict[str, int] = {}
        for line in ordered:
            whole[line.key] = whole.get(line.key, 0) + line.gross
        ordered.sort(key=lambda line: (-whole[line.key], line.key))
    return ordered


def _line(key: Key, names: Key, now: Figures, before: Figures | None) -> Line:
    first, second = (*key, "", "")[:2]
    name, name2 = (*names, "")[:2]
    if before is None:
        return Line(first, name, *now, key2=second, name2=name2)
    return Line(first, name, *now, *before, second, name2)


def _names(session: Session, tree: Tree, by: str, on: date, keys: set[str]) -> dict[str, str]:
    if by in TIMES:
        return {}
    if by in TREE:
        return {key: tree.name(key, on) for key in keys}
    if by == KIND:
        return {key: _(definitions.KIND_NAMES[key]) for key in keys if key in definitions.KIND_NAMES}
    return names(session, by, on)
