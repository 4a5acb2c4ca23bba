"""The desk of campaigns and of their audience: `/desk/campaigns` and `/desk/audience`.

Responsible for the staff pages; every route declares its permission and where the campaign, list or contact of
its address belongs. The one flow: `campaigns` (list, form, order of pieces) and `imports` (a file, previewed,
applied) → `audience` (lists and people, masked).
"""

from campaign.desk import audience, campaigns, imports
from campaign.desk.routes import audience_blueprint, campaigns_blueprint

__all__ = ["audience", "audience_blueprint", "campaigns", "campaigns_blueprint", "imports"]
