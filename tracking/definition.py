"""What counts as reach: dated, versioned records; every report prints the one it used.

触达人次 (gross): the sum of `quantity` over `kinds`. Corrections are events with a negative quantity.

去重人次 (deduplicated): over the same kinds, one per known visitor, day, outlet, channel and piece whose
quantities sum to more than zero, plus the head counts. It belongs to the campaign of the visitor's first
event of that day there, so that it adds up over campaigns too. A row without a visitor (0) is a head
count if its `source` is one of `head_counts` (an activity return, an import); from any other source it is
a page view whose visitor could not be told apart, and counts in gross only.

触达人数 (people): distinct known visitors of the span, by a sketch (uniqCombined64), hence ±.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from core.errors import Conflict, Invalid
from core.i18n import gettext as _
from core.i18n import mark
from tracking.events import KINDS
from tracking.models import ReachDefinition

# A sketch has 2^17 cells: a standard error of 1.04/√(2^17) ≈ 0.3 %, so that ± is twice that; small numbers are
# exact. Only with 2^17 does the engine correct its bias: with 2^14 or 2^16 cells it was seen 2 % off near 2.5
# people a cell.
CELLS = 17
PEOPLE_ERROR = 0.006

KIND_NAMES = {
    "delivered": mark("送达"),
    "visited": mark("访问"),
    "engaged": mark("细读"),
    "completed": mark("读完"),
    "shared": mark("转发"),
    "registered": mark("报名"),
    "attended": mark("到场"),
    "handed_out": mark("发放"),
    "shown": mark("播放"),
}


@dataclass(frozen=True, slots=True)
class Definition:
    """One version: the kinds that are reach, the sources whose visitor-less rows are head counts."""

    id: str
    valid_from: date
    kinds: tuple[str, ...]
    head_counts: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The version and what it adds up, as reports print it: `2023-1（送达＋访问＋到场）`."""
        return f"{self.id}（{'＋'.join(_(KIND_NAMES[kind]) for kind in self.kinds)}）"


FIRST = Definition(
    "2023-1", date(2023, 1, 1), ("delivered", "visited", "attended"), ("offline", "return", "import")
)


def in_force(session: Session, day: date) -> Definition:
    """The definition of a day: the newest that had begun; before all others, the first."""
    query = select(ReachDefinition).where(ReachDefinition.valid_from <= day)
    row = session.exec(query.order_by(col(ReachDefinition.valid_from).desc())).first()
    if row is None:
        return FIRST
    return Definition(row.id, row.valid_from, tuple(row.kinds), tuple(row.head_counts))


def all_versions(session: Session) -> list[Definition]:
    """Every definition by date, the first of all first."""
    rows = session.exec(select(ReachDefinition).order_by(col(ReachDefinition.valid_from)))
    return [
        FIRST,
        *(Definition(row.id, row.valid_from, tuple(row.kinds), tuple(row.head_counts)) for row in rows),
    ]


def adopt(
    session: Session,
    *,
    id: str,
    valid_from: date,
    kinds: list[str],
    head_counts: list[str],
    now: datetime,
    note: str = "",
) -> Definition:
    """Add a version that holds from a later day on than every one before it; earlier ones stay as they are.

    Called by the effect of an approval and by nothing else (`tracking.proposing`).
    """
    if not kinds or any(kind not in KINDS for kind in kinds):
        raise Invalid(mark("触达定义要写明哪些事件算触达，请从已有的事件类别里选。"), field="kinds")
    latest = in_force(session, date.max)
    if valid_from <= latest.valid_from or id == latest.id:
        raise Conflict(mark("新的触达定义要晚于现行定义，并使用新的编号。"), field="valid_from")
    row = ReachDefinition(
        id=id, valid_from=valid_from, kinds=kinds, head_counts=head_counts, note=note, adopted_at=now
    )
    session.add(row)
    session.flush()
    return Definition(id, valid_from, tuple(kinds), tuple(head_counts))
