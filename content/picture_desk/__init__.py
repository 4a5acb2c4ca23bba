"""The desk of pictures: a long graphic as PNG, slices, cover cards and poster, for whoever shares it.

Responsible for the staff pages under `/desk/pieces/<key>/pictures`; may import content.poster and what is below. The one
flow: `showing` (what there is, how far it is, for whom it is stamped) → `files` (what is downloaded). Who offers
campaigns to choose from, and posters for all outlets, plugs itself in (`plugs`): content knows neither.
"""

from content.picture_desk import files, showing
from content.picture_desk.routes import blueprint

__all__ = ["blueprint", "files", "showing"]
