"""Every module that declares tables: importing this one makes SQLModel's metadata complete."""

from campaign import models as campaign
from content import models as content
from institution import models as institution

__all__ = ["campaign", "content", "institution"]
