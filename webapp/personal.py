"""Every package that holds personal data: importing this one makes the registries of holders, keys and days complete."""

from campaign import personal as campaign
from campaign.play_sessions import keeping as play_sessions
from campaign.registration import personal as registration
from campaign.returns import keeping as activity_returns
from content import unsaved as content_unsaved
from content.rooms import answers as room_answers
from content.rooms import traces as rooms
from content.voices import keeping as piece_voices
from institution import personal as institution
from institution import personal_data
from scheduler import personal as scheduler
from tracking import batches as tracking

__all__ = [
    "activity_returns",
    "campaign",
    "content_unsaved",
    "institution",
    "personal_data",
    "piece_voices",
    "play_sessions",
    "registration",
    "room_answers",
    "rooms",
    "scheduler",
    "tracking",
]
