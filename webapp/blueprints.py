"""Every blueprint of the site, one line each."""

from flask import Blueprint, Flask
from flask_wtf.csrf import CSRFProtect

from campaign import (
    audience_views,
    base_desk,
    base_views,
    checkin_views,
    event_views,
    events_desk,
    play_sessions_desk,
    play_sessions_views,
    posters_desk,
    registration_views,
    returns_desk,
    serial_views,
)
from campaign import desk as campaign_desk
from campaign import views as campaign_views
from content import desk as content_desk
from content import (
    finding_views,
    picture_desk,
    picture_views,
    question_views,
    room_desk,
    room_views,
    voices_views,
)
from content import views as content_views
from institution import desk as institution_desk
from institution import views as institution_views
from institution.desk import privacy, searching
from scheduler import browser_views, hooks_views, opening_views
from scheduler import desk as scheduler_desk
from tracking import (
    alarms_desk,
    api_views,
    definitions_desk,
    imports_desk,
    keeping_desk,
    link_sheet_desk,
    link_views,
    links_desk,
    report_desk,
    report_views,
    rows_desk,
    view_desk,
)
from tracking import desk as tracking_desk
from tracking import insight_views as tracking_insight_views
from tracking import views as tracking_views
from tracking.insight_desk import pages as insight_pages
from webapp import branding, desk_origins, desk_panels, desk_search, personal


def register(app: Flask, csrf: CSRFProtect) -> None:
    """Plug in the public pages and the desk. Anything exempt from CSRF is named here."""
    assert personal.personal_data  # noqa: S101  (importing it plugs in who holds personal data)
    assert link_sheet_desk.PER_SHEET  # noqa: S101  (importing it adds its pages to those of the links)
    desk_panels.plug()
    desk_origins.plug()
    desk_search.plug()
    for blueprint in _ALL:
        app.register_blueprint(blueprint)
    for endpoint in _CSRF_EXEMPT:
        csrf.exempt(endpoint)


_ALL: tuple[Blueprint, ...] = (
    campaign_views.blueprint,
    event_views.blueprint,
    events_desk.blueprint,
    campaign_desk.campaigns_blueprint,
    audience_views.blueprint,
    registration_views.blueprint,
    serial_views.blueprint,
    checkin_views.blueprint,
    campaign_desk.audience_blueprint,
    base_views.blueprint,
    base_desk.blueprint,
    posters_desk.blueprint,
    play_sessions_views.blueprint,
    play_sessions_desk.blueprint,
    returns_desk.blueprint,
    content_views.blueprint,
    picture_views.blueprint,
    finding_views.blueprint,
    voices_views.blueprint,
    question_views.blueprint,
    room_views.blueprint,
    content_desk.blueprint,
    branding.blueprint,
    picture_desk.blueprint,
    room_desk.blueprint,
    scheduler_desk.blueprint,
    hooks_views.blueprint,
    opening_views.blueprint,
    browser_views.blueprint,
    tracking_desk.blueprint,
    keeping_desk.blueprint,
    alarms_desk.blueprint,
    imports_desk.blueprint,
    definitions_desk.blueprint,
    rows_desk.blueprint,
    view_desk.blueprint,
    tracking_views.blueprint,
    link_views.blueprint,
    links_desk.blueprint,
    insight_pages.blueprint,
    tracking_insight_views.blueprint,
    api_views.blueprint,
    report_desk.blueprint,
    report_views.blueprint,
    institution_desk.staff_blueprint,
    institution_desk.outlets_blueprint,
    institution_desk.approvals_blueprint,
    institution_views.blueprint,
    searching.blueprint,
    privacy.blueprint,
    institution_desk.audit_blueprint,
    institution_desk.tokens_blueprint,
)
_CSRF_EXEMPT: tuple[str, ...] = (
    "campaign.views.set_elder",  # a preference of the browser, from pages that are cached for everybody
    "campaign.views.set_language",
    "campaign.audience_views.unsubscribe",  # mail programs post it themselves (RFC 8058), without a cookie
    "campaign.registration_views.register",  # the form carries a challenge of its own
    "campaign.registration_views.accept",  # the personal link is the secret, and the page is nobody else's
    "campaign.registration_views.leave",
    "campaign.registration_views.people",
    "campaign.registration_views.give_feedback",
    "campaign.play_sessions_views.join_session",  # nobody is signed in; it changes only what this browser plays
    "campaign.views.near",  # it only reads; a position stands in what is posted so that no address and no log has it
    "content.voices_views.say",  # from pages that are kept for everybody; a form on another site is refused
    "content.question_views.begin",  # nobody is signed in, and the signed form is what is asked for
    "content.question_views.after",
    "content.question_views.answer",
    "content.room_views.step",  # the signed state is what is asked for, and nobody is signed in
    "content.room_views.shared",  # the same with a signed result; it is counted once whoever sends it
    "campaign.checkin_views.names",  # the door's key comes in a header that no other site can set
    "campaign.checkin_views.scans",
    "campaign.base_views.pair",  # a screen on a wall: nobody is signed in, the pairing code is what is asked for
    "campaign.base_views.shown",  # the same, its key stands in a header that no other site can set
    "scheduler.hooks_views.hear",  # platforms call it themselves: a secret address, and their own signature
    "scheduler.browser_views.subscribe",  # from pages that are cached for everybody; only JSON, which no form can send
    "scheduler.browser_views.renew",  # the same, from the service worker; who knows its address is the browser
    "scheduler.browser_views.stop",
    "scheduler.browser_views.standing",
    "tracking.report_views.unsubscribe",  # the same, for readers of reports
    "tracking.views.act",  # our own command line, which shows the token of server.json
)
