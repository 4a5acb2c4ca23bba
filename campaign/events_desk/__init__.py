"""The desk of events, `/desk/events`: series, the plan of a month, occurrences and who is registered.

Responsible for the staff pages; every route declares its permission and where the series, occurrence or
registration of its address belongs. May import campaign.events, campaign.registration, institution, core. The one
flow: `series` (list, form with the next dates, themes) → `plan` (what a month lacks) and `load` (how full it is) →
`occurrence` (moved, resized, called off) → `parties` (who comes: approved, promoted, told), `door` (check-in)
and `files`.
"""

from campaign.events_desk import door, files, load, message, occurrence, parties, plan, series, single, table
from campaign.events_desk.routes import blueprint

__all__ = [
    "blueprint", "door", "files", "load", "message", "occurrence", "parties", "plan", "series", "single", "table",
]  # fmt: skip
