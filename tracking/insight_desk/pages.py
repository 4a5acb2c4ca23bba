"""Every page beside the report: importing this module makes the blueprint complete."""

from tracking.insight_desk import (
    campaigns_page,
    funnel_page,
    growth_page,
    likes_page,
    notes_page,
    target_import,
    targets_page,
)
from tracking.insight_desk.routes import blueprint

__all__ = [
    "blueprint",
    "campaigns_page",
    "funnel_page",
    "growth_page",
    "likes_page",
    "notes_page",
    "target_import",
    "targets_page",
]
