"""The blueprint of the pages beside the report, and their places among the tabs."""

from flask import Blueprint

from core.i18n import mark
from tracking import tabs
from tracking.tabs import Tab

blueprint = Blueprint("insight_desk", __name__, url_prefix="/desk/reach", template_folder="../templates")

for _tab in (
    Tab("growth", mark("增长"), "/desk/reach/growth"),
    Tab("funnel", mark("漏斗"), "/desk/reach/funnel"),
    Tab("likes", mark("同类网点"), "/desk/reach/likes"),
    Tab("campaigns", mark("活动期对比"), "/desk/reach/campaigns"),
    Tab("targets", mark("目标"), "/desk/reach/targets"),
    Tab("notes", mark("批注"), "/desk/reach/notes"),
):
    tabs.plug(_tab)
