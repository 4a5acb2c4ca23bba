"""The desk of education bases: `/desk/base`.

Responsible for the staff pages; every route declares its permission and where the outlet, archive or screen of its
address belongs. The one flow: `overview` (all bases of one's part) → `one` (services, facilities, the shelf) with
`hall` (its screens), `imports` (all at once from a file), `plaques` (one file, or all in an archive with progress).
"""

from campaign.base_desk import hall, imports, one, overview, plaques
from campaign.base_desk.routes import blueprint

__all__ = ["blueprint", "hall", "imports", "one", "overview", "plaques"]
