"""Delivered → visited → engaged → completed → registered → attended: person-times per step. Pure.

Every step counts its own person-times, also of kinds that the definition of reach leaves out. They are not the
same persons from step to step: one person may come in at any step and more than once, so that a rate can be
above 1. What a channel cannot do has no number, and no rate is taken over it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tracking.reports import Line, Report

STEPS = ("delivered", "visited", "engaged", "completed", "registered", "attended")
# Nobody sends anything over these: people come to them by themselves.
_NOT_SENT = ("web", "direct", "outlet", "screen", "livestream", "community", "offline", "qr", "feed")
LACKING: Mapping[str, frozenset[str]] = {
    **{channel: frozenset({"delivered"}) for channel in _NOT_SENT},
    # an activity somewhere has no page that somebody could open or read
    "community": frozenset({"delivered", "visited", "engaged", "completed"}),
    "offline": frozenset({"delivered", "visited", "engaged", "completed"}),
    # a screen in a hall shows, and registers nobody
    "screen": frozenset({"delivered", "registered", "attended"}),
}


@dataclass(frozen=True, slots=True)
class Count:
    """A step of one row: person-times now and before (None: there cannot be any), rates as fractions.

    `rate` is of the nearest step before that the row has, `of_first` of its first step; None without a base.
    """

    kind: str
    now: int | None
    before: int | None
    rate: float | None = None
    rate_before: float | None = None
    of_first: float | None = None

    @property
    def change(self) -> float | None:
        """By how many points (a fraction) the rate changed."""
        if self.rate is None or self.rate_before is None:
            return None
        return round(self.rate - self.rate_before, 6)


@dataclass(frozen=True, slots=True)
class Row:
    """The steps of a channel, campaign, piece, branch or of all together."""

    key: str
    name: str
    steps: tuple[Count, ...]

    @property
    def first(self) -> int:
        """The person-times of the first step that has any."""
        return next((one.now for one in self.steps if one.now), 0)


def funnel(report: Report, whole: Report) -> tuple[Row, tuple[Row, ...]]:
    """The total and the rows of a report by one grouping and by kind; `whole` is the same by kind alone."""
    called = {line.key: line.name for line in report.rows}
    found: dict[str, dict[str, Line]] = {key: {} for key in called}
    for line in report.rows:
        found[line.key][line.key2] = line
    by_channel = report.ask.by[0] == "channel"
    rows = [
        Row(key, called[key], steps(lines, LACKING.get(key, frozenset()) if by_channel else frozenset()))
        for key, lines in found.items()
        if any(line.gross or line.gross_before for line in lines.values())
    ]
    rows.sort(key=lambda row: (-max((one.now or 0 for one in row.steps), default=0), row.key))
    total = Row("", whole.total.name, steps({line.key: line for line in whole.rows}, frozenset()))
    return total, tuple(rows)


def steps(lines: Mapping[str, Line], lacking: Iterable[str]) -> tuple[Count, ...]:
    """The steps of one row. What was counted is shown even where nobody expects any."""
    lacking = frozenset(lacking)
    counts: list[Count] = []
    for kind in STEPS:
        line = lines.get(kind)
        now, before = (line.gross, line.gross_before) if line else (0, 0)
        if kind in lacking and not now and not before:
            counts.append(Count(kind, None, None))
            continue
        had = [one for one in counts if one.now is not None]
        counts.append(
            Count(
                kind,
                now,
                before,
                rate=_rate(now, had[-1].now) if had else None,
                rate_before=_rate(before, had[-1].before) if had else None,
                of_first=_rate(now, had[0].now) if had else None,
            )
        )
    return tuple(counts)


def _rate(part: int | None, whole: int | None) -> float | None:
    if part is None or not whole or whole < 0:
        return None
    return round(part / whole, 6)
