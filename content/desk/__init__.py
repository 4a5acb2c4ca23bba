"""The desk of content: writing, comparing, reviewing, publishing and withdrawing pieces.

Responsible for the staff pages under `/desk/pieces`; every route declares its permission and where the piece
belongs; `content` is all they may import. The one flow: `editing` (form, save; `live`, `keeping`, `conflicts` beside it)
→ `checked` (what breaks a rule) → `deciding` (submit, publish; `releasing`: at a time) → `shelf` (many at once);
`passages`, `checklists`, `review_figures`: the review; `withdrawing`, `expiring`: off the site; `strips`: picture strips;
`teaching`, `voices`: what players answered and readers say.
"""

from content.desk import (
    checked,
    checklists,
    deciding,
    editing,
    expiring,
    keeping,
    live,
    overview,
    passages,
    releasing,
    review_figures,
    shelf,
    strips,
    teaching,
    voices,
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
    "keeping",
    "live",
    "overview",
    "passages",
    "releasing",
    "review_figures",
    "shelf",
    "strips",
    "teaching",
    "voices",
    "withdrawing",
]
