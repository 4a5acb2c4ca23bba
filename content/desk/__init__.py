"""The desk of content: writing, comparing, reviewing, publishing and withdrawing pieces.

Responsible for the staff pages under `/desk/pieces`; every route declares its permission and where the piece
belongs; `content` is all they may import. The one flow: `editing` (form, save; `live` answers while somebody types,
`keeping` keeps what is not saved, `conflicts` is the way on when two saved) → `checked` (what breaks a rule) →
`deciding` (submit, publish) or `releasing` (publish at a time) → `shelf` (many at once). `strips` composes picture
strips; `teaching`: what a room teaches, by what players answered; `voices`: what readers say.
"""

from content.desk import (
    checked,
    deciding,
    editing,
    keeping,
    live,
    overview,
    releasing,
    shelf,
    strips,
    teaching,
    voices,
)
from content.desk.routes import blueprint

__all__ = [
    "blueprint",
    "checked",
    "deciding",
    "editing",
    "keeping",
    "live",
    "overview",
    "releasing",
    "shelf",
    "strips",
    "teaching",
    "voices",
]
