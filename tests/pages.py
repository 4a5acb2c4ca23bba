"""The register of pages that real Chromium walks: add a line here for every page that people open.

`path` may name the cast of `tests.browser` (outlets, the campaign) and the starter library's pieces.
"""

from dataclasses import dataclass

from campaign.unsubscribe import Unsubscriptions
from core.signing import Keys
from tests import browser, factories
from tracking.report_readers import LeaveLinks


@dataclass(frozen=True)
class Shown:
    """A page of the site: its path, the status it answers with, and whether staff must be signed in."""

    path: str
    status: int = 200
    staff: bool = False
    elder: bool = True


# What `secret_key` of the browser's site makes of an invented address.
UNSUBSCRIBE = Unsubscriptions(Keys(b"of-no-value")).path("email", "ab" * 32)
LEAVE = LeaveLinks(Keys(b"of-no-value")).path(1, 3)

PUBLIC: list[Shown] = [
    Shown("/"),
    Shown(f"/c/{browser.CAMPAIGN}"),
    Shown("/events"),
    Shown("/events/tuesday"),
    Shown("/events/tuesday?province=浙江省|杭州市"),
    Shown("/events/class"),
    Shown("/events/calendar"),
    Shown("/events/calendar?month=2021-05&province=浙江省&city=杭州市"),
    Shown("/o"),
    Shown("/o?province=浙江省&page=2"),
    Shown("/o?text=没有这个地方"),
    Shown(f"/o/{factories.OUTLET_A}"),
    Shown(f"/o/{browser.CLOSED_OUTLET}"),
    Shown("/help"),
    Shown("/library"),
    Shown("/privacy"),
    Shown("/accessibility"),
    Shown("/nothing-here", status=404),
    Shown("/s/nothing22", status=404),
    Shown("/diary"),
    Shown("/p/full-surrender"),
    Shown("/p/ai-voice"),
    Shown("/p/credit-repair"),
    Shown("/p/diary-first-deposit"),
    Shown("/p/human-help"),
    Shown(UNSUBSCRIBE),
    Shown(LEAVE),
]
DESK: list[Shown] = [
    Shown("/desk/sign-in"),
    Shown("/desk", staff=True),
    Shown("/desk/approvals", staff=True),
    Shown("/desk/approvals?box=done", staff=True),
    Shown("/desk/approvals/1", staff=True),
    Shown("/desk/approvals/stand-ins", staff=True),
    Shown("/desk/approvals/paths", staff=True),
    Shown("/desk/approvals/paths/new", staff=True),
    Shown("/desk/search?q=西湖", staff=True),
    Shown("/desk/search?q=没有这个", staff=True),
    Shown(f"/desk/campaigns/{browser.CAMPAIGN}/preview", staff=True),
    Shown("/desk/links", staff=True),
    Shown("/desk/links/new", staff=True),
    Shown("/desk/links/outlets", staff=True),
    Shown(f"/desk/links/sheet?node={factories.PROVINCE}", staff=True),
    Shown("/desk/reach/keeping", staff=True),
    Shown("/desk/events", staff=True),
    Shown("/desk/events/new", staff=True),
    Shown("/desk/events/series/tuesday", staff=True),
    Shown("/desk/events/series/tuesday/plan", staff=True),
    Shown("/desk/events/series/tuesday/add", staff=True),
    Shown("/desk/events/load", staff=True),
    Shown("/desk/events/occurrences", staff=True),
    Shown("/desk/events/o/1", staff=True),
    Shown("/desk/events/o/1/register", staff=True),
    Shown("/desk/events/o/1/message", staff=True),
    Shown("/desk/events/o/1/print", staff=True),
    Shown("/desk/events/r/1", staff=True),
    Shown("/desk/events/import", staff=True),
    Shown("/desk/outlets", staff=True),
    Shown("/desk/outlets/new", staff=True),
    Shown("/desk/outlets/import", staff=True),
    Shown(f"/desk/outlets/{factories.OUTLET_A}", staff=True),
    Shown(f"/desk/outlets/{factories.OUTLET_A}/edit", staff=True),
    Shown("/desk/api-tokens", staff=True),
    Shown("/desk/api-tokens/new", staff=True),
    Shown("/desk/audit", staff=True),
    Shown("/desk/audit/1", staff=True),
    Shown("/desk/privacy", staff=True),
    Shown("/desk/privacy/new", staff=True),
    Shown("/desk/privacy/retention", staff=True),
    Shown("/desk/pieces", staff=True),
    Shown("/desk/pieces/new", staff=True),
    Shown("/desk/pieces/full-surrender", staff=True),
    Shown("/desk/pieces/full-surrender/edit", staff=True),
    Shown("/desk/reach", staff=True),
    Shown("/desk/reach/definitions", staff=True),
    Shown("/desk/reach/definitions/propose", staff=True),
    Shown("/desk/reach/definitions/propose?trial=1&kinds=visited&kinds=shared", staff=True),
    Shown("/desk/reach/imports", staff=True),
    Shown("/desk/reach/imports/new", staff=True),
    Shown("/desk/reach/imports/1", staff=True),
    Shown("/desk/reach/growth", staff=True),
    Shown("/desk/reach/growth?by=branch,channel", staff=True),
    Shown("/desk/reach/funnel", staff=True),
    Shown("/desk/reach/likes", staff=True),
    Shown("/desk/reach/campaigns", staff=True),
    Shown("/desk/reach/targets", staff=True),
    Shown("/desk/reach/targets/import", staff=True),
    Shown("/desk/reach/notes", staff=True),
    Shown("/desk/reach/alarms", staff=True),
    Shown("/desk/reach/alarms/1", staff=True),
    Shown("/desk/reach/alarms/try?day=2026-09-14", staff=True),
    Shown("/desk/reach/reports", staff=True),
    Shown("/desk/reach/reports/new", staff=True),
    Shown("/desk/reach/reports/1", staff=True),
    Shown("/desk/reach?by=channel&by2=month&pick=channel&wait=1", staff=True),
    Shown("/desk/reach/rows", staff=True),
    Shown("/desk/reach/views", staff=True),
    Shown("/desk/staff", staff=True),
    Shown("/desk/staff/new", staff=True),
    Shown("/desk/staff/1", staff=True),
    Shown("/desk/staff/import", staff=True),
    Shown("/desk/staff?q=没有这个人", staff=True),
    Shown("/desk/me", staff=True),
    Shown("/desk/password", staff=True),
    Shown("/desk/nothing-here", status=404, staff=True),
    Shown("/desk/campaigns", staff=True),
    Shown("/desk/campaigns/new", staff=True),
    Shown(f"/desk/campaigns/{browser.CAMPAIGN}", staff=True),
    Shown("/desk/plans", staff=True),
    Shown("/desk/plans/new", staff=True),
    Shown("/desk/plans/1", staff=True),
    Shown("/desk/plans/2", staff=True),
    Shown("/desk/plans/3", staff=True),
    Shown("/desk/pushes/1", staff=True),
    Shown("/desk/channels", staff=True),
    Shown("/desk/channels/new?kind=email", staff=True),
    Shown("/desk/channels/1", staff=True),
    Shown("/desk/audience", staff=True),
    Shown("/desk/audience/1", staff=True),
    Shown("/desk/audience/import", staff=True),
    Shown("/desk/audience/contacts/1/erase", staff=True),
]
