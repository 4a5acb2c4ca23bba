"""The desk of content: writing, comparing, reviewing, publishing and withdrawing pieces.

Responsible for the staff pages under `/desk/pieces` and the queue `/desk/approvals`; every route declares
its permission. The one flow: `editing` (form, preview, save) → `deciding` (submit, review, publish).
"""

from content.desk import deciding, editing, overview
from content.desk.routes import blueprint

__all__ = ["blueprint", "deciding", "editing", "overview"]
