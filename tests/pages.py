"""The register of pages that real Chromium walks: add a line here for every page that people open.

`path` may name the cast of `tests.browser` (outlets, the campaign) and the starter library's pieces.
"""

from dataclasses import dataclass

from tests import browser, factories


@dataclass(frozen=True)
class Shown:
    """A page of the site: its path, the status it answers with, and whether staff must be signed in."""

    path: str
    status: int = 200
    staff: bool = False
    elder: bool = True


PUBLIC: list[Shown] = [
    Shown("/"),
    Shown(f"/c/{browser.CAMPAIGN}"),
    Shown("/events"),
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
    Shown("/diary"),
    Shown("/p/full-surrender"),
    Shown("/p/ai-voice"),
    Shown("/p/credit-repair"),
    Shown("/p/diary-first-deposit"),
    Shown("/p/human-help"),
]
DESK: list[Shown] = [
    Shown("/desk/campaigns", staff=True),
    Shown("/desk/campaigns/new", staff=True),
    Shown(f"/desk/campaigns/{browser.CAMPAIGN}", staff=True),
]
