"""Growth, funnel, outlets and campaigns as sheets: what the pages show, for files and the command line."""

from collections.abc import Iterator, Sequence

from core.i18n import gettext as _
from tracking import export, likes, periods
from tracking.annotations import Note
from tracking.definition import KIND_NAMES
from tracking.groupings import BY_NAMES
from tracking.growth import STATES
from tracking.insight import Campaigns, Funnelled, Grown, Likened
from tracking.question import Key
from tracking.reports import Report
from tracking.sheets import POINTS, RATE, SHARE, TEXT, Cell, Column, Sheet


def by_words(by: Key) -> str:
    """Groupings in words."""
    return " → ".join(_(BY_NAMES[one]) for one in by)


def facts(
    report: Report, notes: Sequence[Note] = (), *, by: Key = (), explained: Sequence[tuple[str, str]] = ()
) -> Iterator[tuple[str, str]]:
    """What was asked and how it was counted, how to read the columns, and what happened meanwhile."""
    for label, value in export.facts(report):
        if label == _("分组") and by:
            yield label, by_words(by)
        else:
            yield label, value
    yield from explained
    for note in notes:
        yield _("批注"), note.line


def growth_notes() -> list[tuple[str, str]]:
    """How the columns of growth are read."""
    return [
        (
            _("占比与拉动"),
            _("占比是这一行的增减占全部增减的份额；拉动是它使总增幅变化了几个百分点。各行相加恰好等于合计。"),
        ),
        (_("新增与消失"), _("新增：上期没有触达；消失：本期没有触达。两者没有自己的增幅。")),
    ]


def growth_sheet(grown: Grown, by: Key, notes: Sequence[Note] = ()) -> Sheet:
    """Contributions, the largest gain first; the total is the last row."""
    two = len(by) == 2
    columns = [Column("key", _("编号"), TEXT), Column("name", _("名称"), TEXT)]
    if two:
        columns += [Column("key2", _("第二编号"), TEXT), Column("name2", _("第二名称"), TEXT)]
    columns += [
        Column("now", _("本期触达人次")),
        Column("before", _("上期触达人次")),
        Column("change", _("增减")),
        Column("growth", _("增幅"), SHARE),
        Column("share", _("占全部增减"), SHARE),
        Column("points", _("拉动（百分点）"), POINTS),
        Column("state", _("说明"), TEXT),
    ]
    rows: list[list[Cell]] = []
    for part in (*grown.growth.parts, grown.growth.total):
        keys: list[Cell] = [part.key, part.name, *([part.key2, part.name2] if two else [])]
        rows.append(
            [
                *keys, part.now, part.before, part.change, part.growth, part.share, part.points,
                _(STATES[part.state]) if part.state else "",
            ]
        )  # fmt: skip
    told = tuple(facts(grown.report, notes, by=by, explained=growth_notes()))
    return Sheet("growth", _("增长贡献"), tuple(columns), rows, told)


def funnel_notes() -> list[tuple[str, str]]:
    """How the steps are read."""
    return [
        (
            _("漏斗的读法"),
            _(
                "每一步都是该步的人次，不是同一批人：一个人可以从任何一步进来，也可以来几次，"
                "所以转化率可以大于一。各步含口径以外的事件类别；“—”是这个渠道不会有的一步。"
            ),
        )
    ]


def funnel_sheet(found: Funnelled, notes: Sequence[Note] = ()) -> Sheet:
    """One row per key and step, with the rate to the step before and to the first; the total first."""
    columns = (
        Column("key", _("编号"), TEXT),
        Column("name", _("名称"), TEXT),
        Column("step", _("步骤"), TEXT),
        Column("now", _("本期人次")),
        Column("before", _("上期人次")),
        Column("rate", _("对上一步"), SHARE),
        Column("rate_before", _("上期对上一步"), SHARE),
        Column("of_first", _("对第一步"), SHARE),
    )
    rows: list[list[Cell]] = [
        [
            row.key,
            row.name,
            _(KIND_NAMES[one.kind]),
            one.now,
            one.before,
            one.rate,
            one.rate_before,
            one.of_first,
        ]
        for row in (found.total, *found.rows)
        for one in row.steps
    ]
    told = tuple(facts(found.report, notes, by=(found.report.ask.by[0],), explained=funnel_notes()))
    return Sheet("funnel", _("触达漏斗"), columns, rows, told)


def likes_sheet(found: Likened, notes: Sequence[Note] = ()) -> Sheet:
    """Every outlet beside the quartiles of its peers."""
    columns = (
        Column("key", _("编号"), TEXT),
        Column("name", _("网点"), TEXT),
        Column("now", _("本期触达人次")),
        Column("before", _("上期触达人次")),
        Column("growth", _("增幅"), SHARE),
        Column("size", _("大小"), TEXT),
        Column("peers", _("同类网点数")),
        Column("low", _("同类下四分位"), RATE),
        Column("median", _("同类中位数"), RATE),
        Column("high", _("同类上四分位"), RATE),
        Column("ratio", _("与中位数之比"), SHARE),
        Column("quarter", _("位置"), TEXT),
    )
    rows: list[list[Cell]] = [
        [
            one.outlet.key, one.outlet.name, one.outlet.now, one.outlet.before,
            periods.growth(one.outlet.now, one.outlet.before), likes.size_name(one.size), one.peers, one.low,
            one.median, one.high, one.ratio, quarter_name(one.quarter),
        ]
        for one in found.rows
    ]  # fmt: skip
    told = tuple(facts(found.report, notes, explained=[(_("同类网点"), likes.explained())]))
    return Sheet("outlets-like", _("同类网点"), columns, rows, told)


def quarter_name(quarter: int | None) -> str:
    """Where an outlet stands among its peers, in words."""
    return _("同类太少") if quarter is None else _(likes.QUARTILES[quarter])


def campaigns_sheet(found: Campaigns, names: tuple[str, str], notes: Sequence[Note] = ()) -> Sheet:
    """Day by day of both campaigns, each with what had come together; the notes of a day beside it."""
    columns = (
        Column("number", _("第几天")),
        Column("now_on", _("日期"), TEXT),
        Column("now", names[0]),
        Column("now_sum", _("%(name)s 累计", name=names[0])),
        Column("before_on", _("对照日期"), TEXT),
        Column("before", names[1]),
        Column("before_sum", _("%(name)s 累计", name=names[1])),
        Column("growth", _("累计增幅"), SHARE),
        Column("notes", _("批注"), TEXT),
    )
    rows: list[list[Cell]] = [
        [
            day.number, day.now_on, day.now, day.now_sum, day.before_on, day.before, day.before_sum, day.growth,
            "；".join(one.text for one in notes if day.now_on and one.first <= day.now_on <= one.last),
        ]
        for day in found.aligned.days
    ]  # fmt: skip
    now, before = found.aligned.per_day
    window = found.aligned.before
    explained = [
        (_("对照"), f"{names[1]} {window.first} – {window.last}"),
        (_("日均触达人次"), f"{now:,.1f} / {before:,.1f}"),
        (_("对齐方式"), _("按活动期的第几天对齐；两个活动期长短不同时，以日均和同一天的累计来比。")),
    ]
    return Sheet(
        "campaigns", _("活动期对比"), columns, rows, tuple(facts(found.now, notes, explained=explained))
    )
