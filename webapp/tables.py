"""Every module that declares tables: importing this one makes SQLModel's metadata complete."""

from campaign import contacts
from campaign import models as campaign
from content import models as content
from institution import (
    approval_models,
    audit_models,
    letter_models,
    oidc_models,
    personal_models,
    sign_in_models,
)
from institution import models as institution
from scheduler import models as scheduler
from tracking import models as tracking
from tracking import view_models

__all__ = [
    "approval_models",
    "audit_models",
    "campaign",
    "contacts",
    "content",
    "institution",
    "letter_models",
    "oidc_models",
    "personal_models",
    "scheduler",
    "sign_in_models",
    "tracking",
    "view_models",
]
