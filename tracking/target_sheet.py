"""Targets as a sheet: the node, its children, how far each is."""

from core.i18n import gettext as _
from tracking import targets
from tracking.attainment import Progress, Standing
from tracking.sheets import SHARE, TEXT, Cell, Column, Sheet


def target_notes(found: Standing) -> list[tuple[str, str]]:
    """What the columns mean, and what the pace goes by."""
    row = found.row
    return [
        (_("时间"), f"{row.first} – {row.last}"),
        (_("活动期"), row.campaign or _("不限")),
        (_("指标"), _(targets.MEASURES[row.measure])),
        (_("截至"), str(found.until) if found.until else _("还没有开始")),
        (_("进度的基准"), f"{found.base.first} – {found.base.last}"),
        (
            _("应有进度"),
            _(
                "去年同期到这一天已完成全期的几成，今年就应完成目标的几成；不按天数平均。去年没有触达的，没有应有进度。"
            ),
        ),
    ]


def target_sheet(found: Standing) -> Sheet:
    """The node first, then its children."""
    columns = (
        Column("key", _("机构编号"), TEXT),
        Column("name", _("机构"), TEXT),
        Column("target", _("目标")),
        Column("actual", _("已完成")),
        Column("attained", _("完成率"), SHARE),
        Column("expected", _("应有进度"), SHARE),
        Column("due", _("应完成")),
        Column("ahead", _("快慢"), SHARE),
        Column("last_year", _("去年全期")),
        Column("over_last_year", _("目标比去年"), SHARE),
    )
    rows = [_cells(one) for one in found.all]
    return Sheet("targets", _("触达目标"), columns, rows, tuple(target_notes(found)))


def _cells(one: Progress) -> list[Cell]:
    return [
        one.code, one.name, one.value, one.actual, one.attained, one.expected, one.due, one.ahead,
        one.last_year, one.over_last_year,
    ]  # fmt: skip
