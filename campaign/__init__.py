"""Campaigns and their audience: what is said in a period, and to whom it may be sent.

Responsible for `programme` (campaigns and the order of their pieces), `calendar` (periods in words, the
next Tuesday), `front` and `views` (home, campaign, outlets, help and the pages around them), `recurrence` (RRULE on the
institution's clock), `events` and `registration` (what one can attend, and who does), `audience` and
`lists`, `segments`, `consents`, `closed` with their tables in `contacts` and `audience_models` (people by part of the
tree: what one branch knows another never sees; consent; refusals and closed addresses, which hold everywhere), `checkin`, `base` (outlets as education bases), `returns` (what outlets
report after an activity), `play_sessions` (rooms played together). May import content, tracking, institution, core.

The one flow: a campaign file or form → `programme.save` (checked, described to `tracking.dimensions`,
pages bumped) → `front` gathers what a page shows → `views` renders it, marks it with its keys → cached.
"""
