"""The drawings beside the report: a waterfall of growth, the steps of a funnel, two campaigns, a target's pace.

As in `tracking.charts`: one Altair definition each, drawn on the server as SVG with presentation attributes
only, in the page's own colours; every one stands beside its table.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape

import altair as alt
import vl_convert

from core.i18n import current_locale
from core.i18n import gettext as _
from tracking.alignment import Day
from tracking.charts import BEFORE, FONT, GRID, NOW, TEXT
from tracking.growth import Step

UP, DOWN = "var(--chart-now)", "var(--chart-5)"
WIDE, NARROW = (680, 300), (320, 280)


@lru_cache(64)
def waterfall(steps: tuple[Step, ...], width: int, height: int) -> str:
    """From the base to now, one bar per change."""
    unit, divisor = _unit(max((max(step.start, step.end) for step in steps), default=0))
    values = [
        {
            "name": _short(step.name, 14 if width > 400 else 9),
            "from": step.start / divisor,
            "to": step.end / divisor,
            "sort": "whole" if step.total else "up" if step.end >= step.start else "down",
        }
        for step in steps
    ]
    names = [str(value["name"]) for value in values]
    chart = (
        _chart(values)
        .mark_bar(cornerRadius=2)
        .encode(
            y=alt.Y("name:N", sort=names, title=None, axis=_quiet()),
            x=alt.X("from:Q", title=unit or None, axis=alt.Axis(tickCount=4, ticks=False, domain=False)),
            x2="to:Q",
            color=alt.Color(
                "sort:N",
                scale=alt.Scale(domain=["whole", "up", "down"], range=[BEFORE, UP, DOWN]),
                legend=None,
            ),
        )
    )
    return _drawn(chart.properties(width=width, height=height), _("从上期到本期，各项增减"))


@lru_cache(64)
def funnel(
    steps: tuple[tuple[str, int, int | None], ...], now: str, before: str, width: int, height: int
) -> str:
    """One pair of bars per step: name, now, before."""
    unit, divisor = _unit(max((max(count, base or 0) for _name, count, base in steps), default=0))
    values = [
        {"name": name, "which": which, "times": number / divisor}
        for name, count, base in steps
        for which, number in ((now, count), (before, base))
        if which and number is not None
    ]
    series = [name for name in (now, before) if name]
    chart = (
        _chart(values)
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            y=alt.Y("name:N", sort=[name for name, _count, _base in steps], title=None, axis=_quiet()),
            yOffset=alt.YOffset("which:N", sort=series),
            x=alt.X("times:Q", title=unit or None, axis=alt.Axis(tickCount=4, ticks=False, domain=False)),
            color=alt.Color(
                "which:N", scale=alt.Scale(domain=series, range=[NOW, BEFORE][: len(series)]), legend=None
            ),
        )
    )
    return _drawn(chart.properties(width=width, height=height), _("各步人次，本期与上期"))


@lru_cache(64)
def together(days: tuple[Day, ...], now: str, before: str, width: int, height: int) -> str:
    """What had come together by each day of two campaigns."""
    sums = [number for day in days for number in (day.now_sum, day.before_sum) if number is not None]
    unit, divisor = _unit(max(sums, default=0))
    values = [
        {"day": day.number, "which": which, "times": number / divisor}
        for day in days
        for which, number in ((now, day.now_sum), (before, day.before_sum))
        if number is not None
    ]
    line = _chart(values).encode(
        x=alt.X("day:Q", title=None, axis=alt.Axis(tickMinStep=1, tickCount=8, ticks=False, domain=False)),
        y=alt.Y("times:Q", title=unit or None, axis=alt.Axis(tickCount=4, ticks=False, domain=False)),
        color=alt.Color("which:N", scale=alt.Scale(domain=[now, before], range=[NOW, BEFORE]), legend=None),
    )
    chart = line.mark_line(strokeWidth=3, point=len(days) == 1)
    return _drawn(chart.properties(width=width, height=height), _("按第几天累计的触达人次"), upright=True)


def _chart(values: Sequence[object]) -> alt.Chart:
    return alt.Chart(alt.Data(values=list(values)))  # type: ignore[no-untyped-call]


def _quiet() -> alt.Axis:
    return alt.Axis(ticks=False, domain=False, labelPadding=8, labelLimit=200)


def _drawn(chart: alt.Chart, label: str, *, upright: bool = False) -> str:
    """The chart in the look of all charts, as SVG with its words for who cannot see it; `upright`: y is measured."""
    styled = chart.configure_view(stroke=None).configure_axis(
        gridColor=GRID,
        labelColor=TEXT,
        titleColor=TEXT,
        labelFont=FONT,
        titleFont=FONT,
        labelFontSize=12,
        titleFontSize=12,
        titleFontWeight="normal",
        titleAngle=0,
    )
    styled = styled.configure_axisY(grid=upright, titleAlign="left", titleY=-8, titleX=-24)
    styled = styled.configure_axisX(grid=not upright)
    drawn = vl_convert.vegalite_to_svg(styled.to_json()).replace('fill="white"', 'fill="none"', 1)
    opening, rest = drawn.split(">", 1)
    box = re.search(r'viewBox="[^"]+"', opening)
    return f'<svg class="chart" role="img" aria-label="{escape(label)}" {box[0] if box else ""}>{rest}'


def _short(name: str, most: int) -> str:
    wide = most if any(ord(letter) > 0x2E80 for letter in name) else most * 2
    return name if len(name) <= wide else name[: wide - 1] + "…"


def _unit(largest: int) -> tuple[str, float]:
    if current_locale() == "en":
        return ("million", 1e6) if largest >= 1e6 else ("thousand", 1e3) if largest >= 1e4 else ("", 1)
    return ("亿", 1e8) if largest >= 1e9 else ("万", 1e4) if largest >= 1e5 else ("", 1)
