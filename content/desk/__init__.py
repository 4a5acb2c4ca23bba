"""The desk of content: writing, comparing, reviewing, publishing and withdrawing pieces.

Responsible for the staff pages under `/desk/pieces`; every route declares its permission and where the piece
belongs. The one flow: `editing` (form, preview, save) → `checked` (what breaks a rule) → `deciding` (submit, publish) → `shelf` (many at once); `releasing` (publish at a time); `teaching`
(what a room teaches, by what players answered); `strips` (the composer of picture strips and the catalogue of its parts).
"""

from content.desk import checked, deciding, editing, overview, releasing, shelf, strips, teaching
from content.desk.routes import blueprint

__all__ = [
    "blueprint",
    "checked",
    "deciding",
    "editing",
    "overview",
    "releasing",
    "shelf",
    "strips",
    "teaching",
]
