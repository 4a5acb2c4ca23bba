"""The desk of pushing: plans with their form and preview, pushes with live progress and what needs a person.

Responsible for the staff pages under `/desk/plans` and `/desk/pushes`; every route declares its permission.
The one flow: `plans` (write, preview, start) → the runner fires → `pushes` (watch, pause, settle).
"""

from scheduler.desk import plans, pushes
from scheduler.desk.routes import blueprint

__all__ = ["blueprint", "plans", "pushes"]
