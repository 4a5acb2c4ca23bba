"""The desk of content: writing, comparing, reviewing, publishing and withdrawing pieces.

Responsible for the staff pages under `/desk/pieces`; every route declares its permission and where the piece
belongs. The one flow: `editing` (form, preview, save) → `checked` (what breaks a rule) → `deciding` (submit, publish) → `shelf` (many at once); `teaching` (what a
room teaches, by what players answered).
"""

from content.desk import checked, deciding, editing, overview, shelf, teaching, withdrawing
from content.desk.routes import blueprint

__all__ = ["blueprint", "checked", "deciding", "editing", "overview", "shelf", "teaching", "withdrawing"]
