"""Every module that declares tables: importing this one makes SQLModel's metadata complete."""

from institution import models as institution

__all__ = ["institution"]
