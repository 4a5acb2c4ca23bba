"""Targets: what a node of the tree wants to reach in a period, set, imported, split down; and how far it is.

Nobody sets their own target: the caller checks the permission at the node above (`above`). The pace is last
year's curve: by the same share of last year's days, what share of last year's reach had come. It is never a
straight line, because a campaign makes a month as large as the rest of a quarter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from core.errors import Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import audit
from institution.models import Outlet
from institution.powers import WHOLE
from tracking import periods
from tracking.insight_models import ReachTarget
from tracking.periods import Period
from tracking.shares import apportioned

GROSS, DEDUPLICATED, PEOPLE = "gross", "deduplicated", "people"
MEASURES = {GROSS: mark("触达人次"), DEDUPLICATED: mark("去重人次"), PEOPLE: mark("触达人数")}
MOST = 10**12
FORM, IMPORT, SPLIT = "form", "import", "split"
ORIGINS = {FORM: mark("填写"), IMPORT: mark("导入"), SPLIT: mark("分解")}
audit.declare(
    {
        "target.set": mark("设定触达目标"),
        "target.remove": mark("删除触达目标"),
        "target.split": mark("分解触达目标"),
        "target.import": mark("导入触达目标"),
    }
)
Unique = tuple[str, date, date, str, str]


@dataclass(frozen=True, slots=True)
class Aim:
    """A target as somebody says it, before it is kept; checked when it is made."""

    outlet_code: str
    period: Period
    measure: str
    value: int
    campaign: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be a target, naming the field."""
        if self.measure not in MEASURES:
            raise Invalid(
                mark("没有“%(measure)s”这个指标，可以用触达人次、去重人次或触达人数。"),
                field="measure",
                measure=self.measure,
            )
        if not 0 < self.value <= MOST:
            raise Invalid(mark("目标要是大于 0 的整数。"), field="value")
        if len(self.note) > 300:
            raise Invalid(mark("备注最多 300 字。"), field="note")

    @property
    def unique(self) -> Unique:
        """What there is only one target for."""
        return self.outlet_code, self.period.first, self.period.last, self.campaign, self.measure


@dataclass(frozen=True, slots=True)
class Part:
    """What splitting gives a node: its weight (last year's reach), its target, what stood there before."""

    code: str
    name: str
    weight: int
    value: int
    old: int | None
    depth: int = 1


def number(text: str) -> int:
    """A target as people write it: `120000`, `120,000`, `12万`, `1.2亿`. Invalid for anything else."""
    plain = text.strip().replace(",", "").replace("，", "").replace(" ", "")
    unit: int = {"万": 10_000, "亿": 100_000_000}.get(plain[-1:], 1)
    digits = plain[:-1] if unit > 1 else plain
    whole, dot, rest = digits.partition(".")
    if not (whole.isascii() and whole.isdigit()) or (dot and not (rest.isascii() and rest.isdigit())):
        raise Invalid(mark("“%(text)s”不是数，请写成 120000、12万 或 1.2亿。"), field="value", text=text)
    value, left = divmod(int(whole + rest) * unit, int(10 ** len(rest)))
    if left:
        raise Invalid(mark("目标要是大于 0 的整数。"), field="value")
    return value


def period_of(text: str) -> Period:
    """`2024`, `2024-Q3`, `2024-09` or `2024-09-01/2024-09-30` (a campaign's days)."""
    first, slash, last = text.strip().partition("/")
    if slash:
        return Period(periods.day(first.strip(), "period"), periods.day(last.strip(), "period"))
    return periods.named(text.strip().upper())


def period_text(period: Period) -> str:
    """The shortest text that `period_of` reads as this period."""
    first = period.first
    for text in (f"{first.year:04d}", f"{first:%Y}-Q{(first.month + 2) // 3}", f"{first:%Y-%m}"):
        if periods.named(text) == period:
            return text
    return f"{period.first}/{period.last}"


def above(session: Session, code: str) -> str:
    """The node that sets the target of `code`: the one it hangs under; WHOLE over the head office.

    Invalid for a node that does not exist.
    """
    row = session.get(Outlet, code)
    if row is None:
        raise unknown(code)
    return row.parent_code or WHOLE


def unknown(code: str) -> Invalid:
    """What is said of a node that does not exist, and of one that lies outside."""
    return Invalid(mark("没有编号为“%(code)s”的机构，请核对后再试。"), field="outlet_code", code=code)


def put(session: Session, aim: Aim, *, by: int | None, now: datetime, origin: str = FORM) -> ReachTarget:
    """Set a target, in place of the one that stood for the same node, days, campaign and measure."""
    row, old = _kept(session, aim, by=by, now=now, origin=origin)
    audit.record(
        session, "target.set", "target", row.id, before=old, after=told(row), outlet_code=row.outlet_code
    )
    return row


def put_all(session: Session, aims: Sequence[Aim], *, by: int | None, now: datetime, note: str = "") -> None:
    """Set the targets of a file: one record with what each was and is."""
    before, after = {}, {}
    for aim in aims:
        row, old = _kept(session, aim, by=by, now=now, origin=IMPORT)
        name = f"{row.outlet_code} {period_text(aim.period)} {row.campaign} {row.measure}"
        before[name], after[name] = old.get("value"), row.value
    audit.record(session, "target.import", "target", "", before=before, after=after, note=note)


def _kept(
    session: Session, aim: Aim, *, by: int | None, now: datetime, origin: str
) -> tuple[ReachTarget, dict[str, object]]:
    row = standing(session, aim)
    old = told(row) if row else {}
    row = row or ReachTarget(
        outlet_code=aim.outlet_code, first=aim.period.first, last=aim.period.last, campaign=aim.campaign,
        measure=aim.measure, value=0, origin=origin, updated_at=now,
    )  # fmt: skip
    row.value, row.origin, row.note, row.set_by, row.updated_at = aim.value, origin, aim.note, by, now
    session.add(row)
    session.flush()
    return row, old


def standing(session: Session, aim: Aim) -> ReachTarget | None:
    """The target that stands for the same node, days, campaign and measure."""
    code, first, last, campaign, measure = aim.unique
    query = select(ReachTarget).where(
        ReachTarget.outlet_code == code,
        ReachTarget.first == first,
        ReachTarget.last == last,
        ReachTarget.campaign == campaign,
        ReachTarget.measure == measure,
    )
    return session.exec(query).first()


def told(row: ReachTarget) -> dict[str, object]:
    """A target as the audit log tells it."""
    return {
        "value": row.value, "period": period_text(Period(row.first, row.last)), "campaign": row.campaign,
        "measure": row.measure, "origin": row.origin, "note": row.note,
    }  # fmt: skip


def get(session: Session, key: int) -> ReachTarget:
    """One target, or NotFound."""
    row = session.get(ReachTarget, key)
    if row is None:
        raise NotFound(mark("没有这个目标，它可能已经被删除。"))
    return row


def remove(session: Session, key: int) -> None:
    """Delete one target; those of the nodes below stay."""
    row = get(session, key)
    audit.record(session, "target.remove", "target", key, before=told(row), outlet_code=row.outlet_code)
    session.delete(row)
    session.flush()


def kept(session: Session, codes: Iterable[str] | None = None) -> list[ReachTarget]:
    """All targets (of these nodes), the newest period first."""
    query = select(ReachTarget)
    if codes is not None:
        query = query.where(col(ReachTarget.outlet_code).in_(sorted(codes)))
    ordered = query.order_by(
        col(ReachTarget.last).desc(), col(ReachTarget.first), col(ReachTarget.outlet_code)
    )
    return list(session.exec(ordered))


def same_aim(session: Session, row: ReachTarget, codes: Sequence[str]) -> dict[str, ReachTarget]:
    """The targets of other nodes for the same days, campaign and measure, by code."""
    query = select(ReachTarget).where(
        ReachTarget.first == row.first,
        ReachTarget.last == row.last,
        ReachTarget.campaign == row.campaign,
        ReachTarget.measure == row.measure,
    )
    wanted = set(codes)
    return {one.outlet_code: one for one in session.exec(query) if one.outlet_code in wanted}


def divided(
    value: int, code: str, below: Mapping[str, Sequence[str]], weights: Mapping[str, int], *, deep: bool
) -> list[tuple[str, int, int, int]]:
    """(code, weight, target, depth) of the nodes below, parents before children; each level adds up exactly.

    A node weighs what it and all below it reached last year; what a corrected count made negative weighs 0.
    """
    heavy: dict[str, int] = {}

    def weigh(node: str) -> int:
        heavy[node] = max(0, weights.get(node, 0)) + sum(weigh(child) for child in below.get(node, ()))
        return heavy[node]

    weigh(code)
    found: list[tuple[str, int, int, int]] = []

    def cut(node: str, amount: int, depth: int) -> None:
        children = below.get(node, ())
        for child, part in zip(children, apportioned(amount, [heavy[one] for one in children]), strict=True):
            found.append((child, heavy[child], part, depth))
            if deep:
                cut(child, part, depth + 1)

    cut(code, value, 1)
    return found


def split(session: Session, row: ReachTarget, parts: Sequence[Part], *, by: int | None, now: datetime) -> int:
    """Set the targets of the nodes below as they were cut; nodes that get nothing have none. Returns how many."""
    made, before, after = 0, {}, {}
    standing_now = same_aim(session, row, [part.code for part in parts])
    for part in parts:
        before[part.code] = standing_now[part.code].value if part.code in standing_now else None
        after[part.code] = part.value or None
        if part.value:
            aim = Aim(part.code, Period(row.first, row.last), row.measure, part.value, row.campaign)
            _kept(session, aim, by=by, now=now, origin=SPLIT)
            made += 1
        elif part.code in standing_now:
            session.delete(standing_now[part.code])
    session.flush()
    note = _("从 %(code)s 的 %(value)s 分解", code=row.outlet_code, value=f"{row.value:,}")
    audit.record(
        session, "target.split", "target", row.id, before=before, after=after,
        outlet_code=row.outlet_code, note=note,
    )  # fmt: skip
    return made
