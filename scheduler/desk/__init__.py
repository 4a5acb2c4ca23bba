"""The desk of pushing: accounts at channels, plans with form, preview and approval, pushes with live progress.

Responsible for the staff pages under `/desk/channels`, `/desk/plans` (the send calendar and the rules among them, the short messages of events under the channels) and
`/desk/pushes`; every route declares
its permission and where its thing belongs. The one flow: `plan` (write, preview) → `running` (ask for approval,
start) → the runner fires → `pushes` (watch, pause, settle).
"""

from scheduler.desk import (
    aftermath,
    audience_form,
    booster,
    calendar,
    channel_acts,
    channel_figures,
    channel_hook,
    channels,
    plan,
    plans,
    preview,
    pushes,
    rules,
    running,
    sandbox_link,
    serials,
    several,
    texts,
    trying,
)
from scheduler.desk.routes import blueprint

__all__ = [
    "aftermath",
    "audience_form",
    "blueprint",
    "booster",
    "calendar",
    "channel_acts",
    "channel_figures",
    "channel_hook",
    "channels",
    "plan",
    "plans",
    "preview",
    "pushes",
    "rules",
    "running",
    "sandbox_link",
    "serials",
    "several",
    "texts",
    "trying",
]
