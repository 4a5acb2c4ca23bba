"""Every module that declares tables: importing this one makes SQLModel's metadata complete."""

from content import models as content
from institution import models as institution

__all__ = ["content", "institution"]
