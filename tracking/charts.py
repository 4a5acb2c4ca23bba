"""Charts: one Altair definition each, drawn on the server; every chart stands beside its table.

The drawing is SVG with presentation attributes only, because the site's policy forbids inline style; colours
are the page's own properties, so that it follows dark mode and print.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from html import escape

import altair as alt
import vl_convert

from core.i18n import current_locale
from core.i18n import gettext as _
from tracking import periods
from tracking.reports import Line, Report

FONT = "PingFang SC, HarmonyOS Sans SC, Noto Sans CJK SC, Microsoft YaHei, sans-serif"
WIDE, NARROW = (680, 300), (320, 210)
NOW, BEFORE, GRID, TEXT = "var(--chart-now)", "var(--chart-before)", "var(--line)", "var(--ink-3)"
MARK = "var(--chart-5)"


@dataclass(frozen=True, slots=True)
class Chart:
    """The drawing for a wide and for a narrow column, and the table beside it."""

    wide: str
    narrow: str
    lines: tuple[Line, ...]
    now: str
    before: str


@dataclass(frozen=True, slots=True)
class Point:
    """One place on the time axis: label, this period, the base (None without one)."""

    label: str
    now: int
    before: int | None


def chart(by_time: Report, noted: Sequence[date] = ()) -> Chart | None:
    """The chart of a report by a time, with a mark where something is `noted`; None: there is nothing to draw."""
    compared = by_time.ask.compared
    if not any(line.gross or line.gross_before for line in by_time.rows):
        return None
    now, before = periods.title(compared.period), periods.title(compared.base) if compared.base else ""
    shown = points(by_time.rows)
    marked = _marked(by_time, shown, noted)
    wide, narrow = (over_time(shown, now, before, size, marked) for size in (WIDE, NARROW))
    return Chart(wide, narrow, by_time.rows, now, before)


def points(lines: Sequence[Line]) -> tuple[Point, ...]:
    """The rows of a report by a time, labelled shortly; in full where short labels would be the same."""
    labels = [_label(line.key, len(lines)) for line in lines]
    if len(set(labels)) < len(labels):
        labels = [line.key for line in lines]
    return tuple(
        Point(label, line.gross, line.gross_before) for label, line in zip(labels, lines, strict=True)
    )


def _marked(by_time: Report, shown: Sequence[Point], noted: Sequence[date]) -> tuple[str, ...]:
    """The labels of the times within which the days lie; of days and months, which is what notes are about."""
    known = {line.key: point.label for line, point in zip(by_time.rows, shown, strict=True)}
    keys = [key for day in noted for key in (day.isoformat(), f"{day:%Y-%m}")]
    return tuple(dict.fromkeys(known[key] for key in keys if key in known))


def _label(key: str, number: int) -> str:
    """A short word for a key of time: `9-05`, `9月`, `Q3`, `W36`, `13`; the year where there are many."""
    parts = key.split("-")
    if len(parts) == 3:
        return f"{int(parts[1])}-{int(parts[2])}"
    if len(parts) == 1 or not parts[1].isdigit():
        return key if number > 60 else parts[-1]
    if current_locale() == "en" or number > 12:
        return f"{int(parts[0]) % 100:02d}-{parts[1]}"
    return _("%(month)s月", month=int(parts[1]))


@lru_cache(64)
def over_time(
    shown: tuple[Point, ...],
    now: str,
    before: str,
    size: tuple[int, int] = WIDE,
    marked: tuple[str, ...] = (),
) -> str:
    """Bars over time as SVG: this period dark, the base light beside it; a mark over the labels `marked`."""
    drawn = vl_convert.vegalite_to_svg(definition(shown, now, before, size, marked).to_json())
    drawn = drawn.replace('fill="white"', 'fill="none"', 1)
    label = _("逐期触达人次：%(now)s 与 %(before)s", now=now, before=before or "—")
    opening, rest = drawn.split(">", 1)
    box = re.search(r'viewBox="[^"]+"', opening)
    return f'<svg class="chart" role="img" aria-label="{escape(label)}" {box[0] if box else ""}>{rest}'


def definition(
    shown: Sequence[Point], now: str, before: str, size: tuple[int, int], marked: Sequence[str] = ()
) -> alt.LayerChart:
    """The one definition of the chart over time."""
    unit, divisor = _unit(max((max(point.now, point.before or 0) for point in shown), default=0))
    values = [
        {"at": point.label, "which": which, "times": number / divisor, "exact": f"{number:,}"}
        for point in shown
        for which, number in ((before, point.before), (now, point.now))
        if which and number is not None
    ]
    series = [name for name in (before, now) if name]
    every = math.ceil(len(shown) / _labels(shown, size[0])) if shown else 1
    shown_labels = [point.label for number, point in enumerate(shown) if number % every == 0]
    axis = alt.Axis(labelAngle=0, ticks=False, domain=False, labelPadding=8, values=shown_labels)
    bars: alt.Chart = (
        alt.Chart(alt.Data(values=values))  # type: ignore[no-untyped-call]
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=alt.X("at:N", sort=None, title=None, axis=axis),
            xOffset=alt.XOffset("which:N", sort=series),
            y=alt.Y("times:Q", title=unit or None, axis=alt.Axis(tickCount=4, ticks=False, domain=False)),
            color=alt.Color(
                "which:N",
                sort=series,
                scale=alt.Scale(domain=series, range=[BEFORE, NOW][-len(series) :]),
                legend=None,
            ),
        )
    )
    marks: alt.Chart = (
        alt.Chart(alt.Data(values=[{"at": label} for label in marked]))  # type: ignore[no-untyped-call]
        .mark_point(shape="triangle-down", filled=True, size=70, opacity=1, color=MARK)
        .encode(x=alt.X("at:N", sort=None, axis=axis), y=alt.value(2))
    )
    return _styled(alt.LayerChart(layer=[bars, marks] if marked else [bars], width=size[0], height=size[1]))


def _labels(shown: Sequence[Point], width: int) -> int:
    """How many labels stand beside each other without touching."""
    return 12 if max(len(point.label) for point in shown) <= 3 else min(12, width // 50)


def _styled(chart: alt.LayerChart) -> alt.LayerChart:
    """The look of every chart: faint grid, quiet labels, Chinese type."""
    styled: alt.LayerChart = (
        chart.configure_view(stroke=None)
        .configure_axis(
            gridColor=GRID,
            labelColor=TEXT,
            titleColor=TEXT,
            labelFont=FONT,
            titleFont=FONT,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            titleAngle=0,
            titleAlign="left",
            titleY=-8,
            titleX=-24,
        )
        .configure_axisX(grid=False)
    )
    return styled


def _unit(largest: int) -> tuple[str, float]:
    if current_locale() == "en":
        return ("million", 1e6) if largest >= 1e6 else ("thousand", 1e3) if largest >= 1e4 else ("", 1)
    return ("亿", 1e8) if largest >= 1e9 else ("万", 1e4) if largest >= 1e5 else ("", 1)
