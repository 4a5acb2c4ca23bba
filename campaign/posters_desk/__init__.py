"""The desk of posters for all outlets: `/desk/posters`.

Responsible for the staff pages; every route declares its permission and the node of the order in its address. May import
campaign.base, whose archives carry the work, and what is below. The one flow: `ordering` (a long graphic, a node, a
campaign → an order; each outlet gets its short link) → `watching` (how far it is, cancelling, the download).
"""

from campaign.posters_desk import ordering, watching
from campaign.posters_desk.routes import blueprint

__all__ = ["blueprint", "ordering", "watching"]
