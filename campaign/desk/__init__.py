"""The desk of campaigns and of their audience: `/desk/campaigns` and `/desk/audience`.

Responsible for the staff pages; every route declares its permission and where the campaign, list, segment or
contact of its address belongs. The one flow: `campaigns` (list, form, order of pieces) and `imports` (a file, previewed,
applied) → `audience` (lists and people, masked) → `segments` (saved filters, counted) and `closed` (whom nothing reaches).
"""

from campaign.desk import audience, campaigns, closed, imports, segments
from campaign.desk.routes import audience_blueprint, campaigns_blueprint

__all__ = [
    "audience",
    "audience_blueprint",
    "campaigns",
    "campaigns_blueprint",
    "closed",
    "imports",
    "segments",
]
