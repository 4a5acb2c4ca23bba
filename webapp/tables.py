"""Every module that declares tables: importing this one makes SQLModel's metadata complete."""

from campaign import contacts
from campaign import models as campaign
from campaign.base import models as education_base
from campaign.checkin import models as checkin
from campaign.contact_imports import models as contact_imports
from campaign.events import models as events
from campaign.play_sessions import models as play_sessions
from campaign.registration import models as registration
from campaign.returns import models as activity_returns
from content import guard as content_guard
from content import models as content
from content import release_models
from content import unsaved as content_unsaved
from content.check import models as content_check
from content.off_site import models as content_off_site
from content.reviewing import models as content_reviewing
from content.rooms import models as rooms
from content.voices import models as piece_voices
from institution import (
    api_token_models,
    approval_models,
    audit_models,
    letter_models,
    oidc_models,
    personal_models,
    sign_in_models,
)
from institution import models as institution
from scheduler import (
    failover_models,
    opening_models,
    receipt_models,
    rule_models,
    serial_models,
    text_models,
    token_models,
)
from scheduler import models as scheduler
from scheduler import quotas as push_quotas
from tracking import batch_models, insight_models, link_models, subscription_models, view_models
from tracking import models as tracking
from tracking.imports import models as reach_imports
from tracking.imports import standing_models
from tracking.watching import models as reach_alarms

__all__ = [
    "activity_returns",
    "api_token_models",
    "approval_models",
    "audit_models",
    "batch_models",
    "campaign",
    "checkin",
    "contact_imports",
    "contacts",
    "content",
    "content_check",
    "content_guard",
    "content_off_site",
    "content_reviewing",
    "content_unsaved",
    "education_base",
    "events",
    "failover_models",
    "insight_models",
    "institution",
    "letter_models",
    "link_models",
    "oidc_models",
    "opening_models",
    "personal_models",
    "piece_voices",
    "play_sessions",
    "push_quotas",
    "reach_alarms",
    "reach_imports",
    "receipt_models",
    "registration",
    "release_models",
    "rooms",
    "rule_models",
    "scheduler",
    "serial_models",
    "sign_in_models",
    "standing_models",
    "subscription_models",
    "text_models",
    "token_models",
    "tracking",
    "view_models",
]
