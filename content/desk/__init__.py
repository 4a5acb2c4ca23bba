"""The desk of content: writing, comparing, reviewing, publishing and withdrawing pieces.

Responsible for the staff pages under `/desk/pieces`; every route declares its permission and where the piece
belongs. The one flow: `editing` (form, preview, save) → `checked` (what breaks a rule) → `deciding` (submit, publish) → `shelf` (many at once); `passages` (what
is said of them), `checklists` and `review_figures` (the review), `withdrawing` and `expiring` (off the site); `teaching` (what a
room teaches, by what players answered).
"""

from content.desk import (
    checked,
    checklists,
    deciding,
    editing,
    expiring,
    overview,
    passages,
    review_figures,
    shelf,
    teaching,
    withdrawing,
)
from content.desk.routes import blueprint

__all__ = [
    "blueprint",
    "checked",
    "checklists",
    "deciding",
    "editing",
    "expiring",
    "overview",
    "passages",
    "review_figures",
    "shelf",
    "teaching",
    "withdrawing",
]
