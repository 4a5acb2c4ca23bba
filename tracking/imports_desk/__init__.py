"""The desk of imports: the list, handing a file in, one import."""

from tracking.imports_desk import handing_in, listing, one, templates
from tracking.imports_desk.routes import blueprint

__all__ = ["blueprint", "handing_in", "listing", "one", "templates"]
