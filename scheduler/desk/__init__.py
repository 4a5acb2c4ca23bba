"""The desk of pushing: accounts at channels, plans with form, preview and approval, pushes with live progress.

Responsible for the staff pages under `/desk/channels`, `/desk/plans` and `/desk/pushes`; every route declares
its permission and where its thing belongs. The one flow: `plan` (write, preview) → `running` (ask for approval,
start) → the runner fires → `pushes` (watch, pause, settle).
"""

from scheduler.desk import channel_acts, channels, plan, plans, preview, pushes, running, several, trying
from scheduler.desk.routes import blueprint

__all__ = [
    "blueprint",
    "channel_acts",
    "channels",
    "plan",
    "plans",
    "preview",
    "pushes",
    "running",
    "several",
    "trying",
]
