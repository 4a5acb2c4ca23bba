"""How many people: from kept sketches where these can answer, and else from the raw rows.

A sketch of a union is the union of the sketches: the answer is the same whether it comes from here or there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tracking import groupings
from tracking.definition import CELLS, Definition
from tracking.groupings import BRANCHES, MONTH, OUTLET, QUARTER, TIMES, TREE, YEAR
from tracking.periods import Period, Shift, by_days
from tracking.placement import Placement
from tracking.question import Question, filters
from tracking.rollups import between, listed
from tracking.sketches import DIMENSIONS, Span
from tracking.snapshot import Snapshot
from tracking.store import ReachStore

# The longest span that may answer for a time: a month cannot be told apart within a year.
_LARGEST = {(): 12, (YEAR,): 12, (QUARTER,): 1, (MONTH,): 1}


def count(
    store: ReachStore,
    snapshot: Snapshot,
    definition: Definition,
    *,
    question: Question,
    placed: Placement,
    period: Period,
    shifted: Shift,
) -> Sequence[tuple[Any, ...]]:
    """Rows of the keys of a question and the number of people; days are shown as `shifted`."""
    ask = _Ask(question, placed, period, shifted, store.zone)
    return store.query(ask.sql(snapshot.kept, definition))


@dataclass(frozen=True, slots=True)
class _Ask:
    """A question about people, as the SELECT that answers it."""

    question: Question
    placed: Placement
    period: Period
    shifted: Shift
    zone: str

    def sql(self, kept: Iterable[Span], definition: Definition) -> str:
        """From the kept spans where they answer, and else from raw rows."""
        spans = self._cover(kept)
        apart = self._apart()
        days = [between(gap.first, gap.last) for gap in _gaps(self.period, spans)]
        if spans and not days and not apart and self._one_row_each(spans):
            return f"SELECT {self._keys('number')} FROM ({self._lines(spans)}) WHERE {self._where()}"
        if apart:
            days += [f"({span.days} AND {apart})" for span in spans]
        parts = []
        if spans:
            stayed = f" AND NOT ({apart})" if apart else ""
            parts.append(
                f"SELECT {self._keys('people')} FROM ({self._lines(spans)}) WHERE {self._where()}{stayed}"
            )
        if days and not spans:
            return self._raw(days, definition, f"uniqCombined64({CELLS})(visitor)")
        if days:
            parts.append(self._raw(days, definition, f"uniqCombined64State({CELLS})(visitor) AS people"))
        merged = f"uniqCombined64Merge({CELLS})(people)"
        return f"SELECT {self._named(merged)} FROM ({' UNION ALL '.join(parts)}){self._grouped()}"

    def _raw(self, days: Sequence[str], definition: Definition, counted: str) -> str:
        kinds = listed(self.question.kinds(definition))
        return f"""
            SELECT {self._keys(counted)} FROM reach_event
            WHERE ({" OR ".join(days)}) AND visitor != 0 AND kind IN {kinds} AND {self._where()}{self._grouped()}
        """

    def _lines(self, spans: Sequence[Span]) -> str:
        """The kept lines of these spans, with the columns that keys and conditions speak of."""
        dimension = self._kept()
        only = f"dimension = '{dimension}' AND ({' OR '.join(span.sql for span in spans)})"
        key = f"key AS {dimension or 'nothing'}"
        return f"SELECT first AS day, {key}, number, people FROM reach_people WHERE {only}"

    def _keys(self, last: str) -> str:
        keys = [f"{self._key(by)} AS k{n}" for n, by in enumerate(self.question.by)]
        return ", ".join((*keys, last))

    def _key(self, by: str) -> str:
        if by in BRANCHES:
            return self.placed.branch_key
        return groupings.moment(by, self.shifted("day"), self.zone) if by in TIMES else f"toString({by})"

    def _named(self, last: str) -> str:
        return ", ".join((*(f"k{n}" for n in range(len(self.question.by))), last))

    def _grouped(self) -> str:
        names = ", ".join(f"k{n}" for n in range(len(self.question.by)))
        return f" GROUP BY {names}" if names else " HAVING count() > 0"

    def _where(self) -> str:
        return " AND ".join(filters(self.question, self.placed)) or "1"

    def _times(self) -> tuple[str, ...]:
        return tuple(one for one in self.question.by if one in TIMES)

    def _kept(self) -> str | None:
        """The dimension whose sketches can answer, "" for that of everybody; None: only the raw rows can."""
        by = self.question.by
        named = {OUTLET if one in TREE else one for one in by if one not in TIMES}
        named |= {name for name, _values in self.question.where}
        if not self.placed.everything:
            named.add(OUTLET)
        # Sketches know one dimension, and months; of days that are moved within months they know nothing.
        if len(named) > 1 or self._times() not in _LARGEST or (self._times() and by_days(self.shifted)):
            return None
        dimension = named.pop() if named else ""
        return dimension if dimension in DIMENSIONS else None

    def _apart(self) -> str:
        """The condition for outlets that moved, which sketches by outlet cannot tell by day; "" for none."""
        placed = self.placed
        told = self._kept() == OUTLET and (set(self.question.by) & set(BRANCHES) or not placed.everything)
        return f"outlet IN {listed(placed.moving)}" if told and placed.moving else ""

    def _one_row_each(self, spans: Sequence[Span]) -> bool:
        """Whether each key of the answer is one kept line, whose number can be told as it stands."""
        kept = self._kept()
        single = self._times() == (MONTH,) or len(spans) == 1
        whole = kept == "" or kept in self.question.by
        one = [values for name, values in self.question.where if name == kept and len(values) == 1]
        return single and (whole or bool(one))

    def _cover(self, kept: Iterable[Span]) -> list[Span]:
        """The kept spans that answer for the period, longest first, without overlap; by date."""
        if self._kept() is None:
            return []
        largest, chosen = _LARGEST[self._times()], list[Span]()
        for span in sorted(kept, key=lambda one: (-one.months, one.first)):
            inside = self.period.first <= span.first and span.last <= self.period.last
            if inside and span.months <= largest and not any(one.overlaps(span) for one in chosen):
                chosen.append(span)
        return sorted(chosen, key=lambda one: one.first)


def _gaps(period: Period, spans: Sequence[Span]) -> Iterator[Period]:
    at = period.first
    for span in spans:
        if at < span.first:
            yield Period(at, span.first - timedelta(days=1))
        at = span.last + timedelta(days=1)
    if at <= period.last:
        yield Period(at, period.last)
