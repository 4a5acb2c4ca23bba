"""The desk of pushing: accounts at channels, plans with form, preview and approval, pushes with live progress.

Responsible for the staff pages under `/desk/channels`, `/desk/plans` (the send calendar and the rules among them) and
`/desk/pushes`; every route declares
its permission and where its thing belongs. The one flow: `plan` (write, preview) → `running` (ask for approval,
start) → the runner fires → `pushes` (watch, pause, settle).
"""

from scheduler.desk import (
    aftermath,
    calendar,
    channel_acts,
    channels,
    plan,
    plans,
    preview,
    pushes,
    rules,
    running,
    sandbox_link,
    several,
    trying,
)
from scheduler.desk.routes import blueprint

__all__ = [
    "aftermath",
    "blueprint",
    "calendar",
    "channel_acts",
    "channels",
    "plan",
    "plans",
    "preview",
    "pushes",
    "rules",
    "running",
    "sandbox_link",
    "several",
    "trying",
]
