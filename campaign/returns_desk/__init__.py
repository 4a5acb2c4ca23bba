"""The desk of activity returns: the list, the form for a phone, one return with its photos, the campaign's columns."""

from campaign.returns_desk import editing, listing, several, showing, statistics_page
from campaign.returns_desk.routes import blueprint

__all__ = ["blueprint", "editing", "listing", "several", "showing", "statistics_page"]
