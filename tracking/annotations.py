"""Notes on the time line: what happened at a node of the tree or everywhere, beside the figures of those days.

Some notes write themselves: a new definition of reach, a campaign's first day. Whoever else knows of dated
facts plugs a source in (`plug`), as owners of keys describe them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlmodel import Session, col, select

from core.errors import Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import audit
from tracking import dimensions, spans
from tracking.definition import KIND_NAMES
from tracking.dimensions import Tree
from tracking.insight_models import ReachAnnotation
from tracking.models import ReachDefinition
from tracking.periods import Period
from tracking.placement import place
from tracking.reports import Report
from tracking.store import ReachStore

CAMPAIGN, OUTAGE, DEFINITION, OTHER = "campaign", "outage", "definition", "other"
KINDS = {
    CAMPAIGN: mark("活动期"),
    OUTAGE: mark("系统故障"),
    DEFINITION: mark("口径变化"),
    OTHER: mark("其他"),
}
LONGEST = 366
audit.declare({"annotation.add": mark("新增批注"), "annotation.remove": mark("删除批注")})


@dataclass(frozen=True, slots=True)
class Note:
    """A dated note; `outlet_code` "" concerns all. `id` None: it wrote itself and nobody can delete it."""

    first: date
    last: date
    kind: str
    text: str
    outlet_code: str = ""
    place: str = ""
    id: int | None = None

    @property
    def days(self) -> str:
        """Its day, or its first and last."""
        return str(self.first) if self.first == self.last else f"{self.first} – {self.last}"

    @property
    def kind_name(self) -> str:
        """What its kind is called."""
        return _(KINDS[self.kind])

    @property
    def line(self) -> str:
        """The note as one line of a report."""
        where = f"（{self.place}）" if self.place else ""
        return f"{self.days} {self.kind_name}{where}：{self.text}"


# A source is also told the condition for the part of the tree: whoever sees a part sees no other's doings.
Source = Callable[[Session, ReachStore, Period, str], Iterable[Note]]
_SOURCES: list[Source] = []


def plug(source: Source) -> Source:
    """Add a source of notes that write themselves; may stand over a function."""
    if source not in _SOURCES:
        _SOURCES.append(source)
    return source


def add(
    session: Session, *, outlet_code: str, kind: str, first: date, last: date | None, text: str,
    by: int | None, now: datetime,
) -> ReachAnnotation:  # fmt: skip
    """Write a note; Invalid names the field. The caller has checked that the person may write at the node."""
    if kind not in KINDS:
        raise Invalid(mark("请选择批注的类别。"), field="kind")
    if not text.strip():
        raise Invalid(mark("请写下发生了什么。"), field="text")
    if len(text.strip()) > 300:
        raise Invalid(mark("批注最多 300 字。"), field="text")
    period = Period(first, last or first)
    if period.days > LONGEST:
        raise Invalid(mark("一条批注最多覆盖 %(days)s 天。"), field="last", days=LONGEST)
    row = ReachAnnotation(
        outlet_code=outlet_code, kind=kind, first=period.first, last=period.last, text=text.strip(),
        made_by=by, made_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.record(session, "annotation.add", "annotation", row.id, after=_told(row), outlet_code=outlet_code)
    return row


def remove(session: Session, number: int) -> None:
    """Delete a note; what it said stays in the audit log."""
    row = get(session, number)
    audit.record(
        session, "annotation.remove", "annotation", number, before=_told(row), outlet_code=row.outlet_code
    )
    session.delete(row)
    session.flush()


def get(session: Session, number: int) -> ReachAnnotation:
    """One note, or NotFound."""
    row = session.get(ReachAnnotation, number)
    if row is None:
        raise NotFound(mark("没有这条批注，它可能已经被删除。"))
    return row


def _told(row: ReachAnnotation) -> dict[str, object]:
    return {"first": str(row.first), "last": str(row.last), "kind": row.kind, "text": row.text}


def over(session: Session, store: ReachStore | None, period: Period, within: str = "") -> list[Note]:
    """The notes of a period for a node: about everything, about it, or about a node above it; by date.

    Without a store only those that people wrote and that the definition writes.
    """
    tree = Tree.read(session)
    line = {"", *tree.path(within or tree.root(period.last), period.last)}
    rows = session.exec(
        select(ReachAnnotation).where(
            col(ReachAnnotation.outlet_code).in_(line),
            ReachAnnotation.first <= period.last,
            ReachAnnotation.last >= period.first,
        )
    )
    found = [_note(tree, row) for row in rows]
    found += _definitions(session, period)
    if store is not None:
        inside = place(tree, within, period).inside if within else "1"
        found += [note for source in _SOURCES for note in source(session, store, period, inside)]
    return sorted(found, key=lambda note: (note.first, note.last, note.kind, note.text))


def attached(session: Session, store: ReachStore, report: Report) -> Report:
    """A report with the notes of its period, for files."""
    notes = over(session, store, report.ask.compared.period, report.ask.within)
    return replace(report, notes=tuple(note.line for note in notes))


def listed(session: Session, rows: Iterable[ReachAnnotation]) -> list[Note]:
    """Rows as notes with the names of their places."""
    tree = Tree.read(session)
    return [_note(tree, row) for row in rows]


def _note(tree: Tree, row: ReachAnnotation) -> Note:
    place = tree.name(row.outlet_code, row.first) if row.outlet_code else ""
    return Note(row.first, row.last, row.kind, row.text, row.outlet_code, place, row.id)


def _definitions(session: Session, period: Period) -> Iterator[Note]:
    """A definition that began to hold within the period."""
    query = select(ReachDefinition).where(
        ReachDefinition.valid_from >= period.first, ReachDefinition.valid_from <= period.last
    )
    for row in session.exec(query):
        kinds = "＋".join(_(KIND_NAMES[kind]) for kind in row.kinds)
        text = _("触达定义改为 %(id)s（%(kinds)s）", id=row.id, kinds=kinds)
        yield Note(row.valid_from, row.valid_from, DEFINITION, text)


@plug
def campaigns(session: Session, store: ReachStore, period: Period, inside: str) -> Iterator[Note]:
    """Campaigns whose first day with reach of a year lies within the period."""
    called = dimensions.names(session, "campaign", period.last)
    for run in spans.runs(store, inside):
        if period.first <= run.period.first <= period.last:
            yield Note(run.period.first, run.period.last, CAMPAIGN, called.get(run.key, run.key))
