"""The desk of playing together: `/desk/play`.

Responsible for the staff pages; every route declares its permission and the outlet of the session in its address.
The one flow: `listing` (sessions of one's part of the tree) → `opening` (room, outlet, event, campaign) → `showing`
(code and QR, the screen's address, who is in, the end).
"""

from campaign.play_sessions_desk import listing, opening, showing
from campaign.play_sessions_desk.routes import blueprint

__all__ = ["blueprint", "listing", "opening", "showing"]
