"""What links may lead to beyond their own text: anchors of other pieces, outlets, campaigns.

Campaigns are known above `content`: who knows them plugs in here. What nobody knows is not judged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date as Day
from enum import StrEnum

from sqlmodel import Session

from content import frontmatter, history
from content.models import Revision
from content.rendering import render
from content.rooms.file import is_room
from institution import outlets


class Standing(StrEnum):
    """Whether a place that a link names is there for visitors, shut to them, or not at all."""

    there = "there"
    shut = "shut"
    missing = "missing"


Names = Callable[[str], frozenset[str] | None]
Place = Callable[[str], Standing | None]
Campaigns = Callable[[Session, str], Standing]
_campaigns: list[Campaigns] = []


def know_campaigns(standing: Campaigns) -> None:
    """Plug in who knows the campaigns by their codes; again: changes nothing."""
    if standing not in _campaigns:
        _campaigns.append(standing)


def _nobody_knows(_key: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Anchors of a piece by its key, and whether an outlet or a campaign is there by its code; None: nobody knows."""

    anchors: Names = _nobody_knows
    outlet: Place = _nobody_knows
    campaign: Place = _nobody_knows


NOWHERE = Elsewhere()


def of_database(session: Session, on: Day) -> Elsewhere:
    """What stands in the database, asked only for what a text links to."""

    def outlet(code: str) -> Standing:
        found = outlets.find(session, code)
        if found is None:
            return Standing.missing
        return Standing.there if outlets.is_open(found, on) else Standing.shut

    def campaign(code: str) -> Standing | None:
        return _campaigns[0](session, code) if _campaigns else None

    return Elsewhere(lambda key: _anchors(session, key), outlet, campaign)


def anchors_of(text: str, kind: str) -> frozenset[str]:
    """Where a link may lead in a text; a room has no headings that are there before one plays."""
    if is_room(text):
        return frozenset()
    parts = frontmatter.split(text)
    return render(parts[1] if parts else text, {}, kind).anchors


def _anchors(session: Session, key: str) -> frozenset[str] | None:
    """Those of what visitors read; of a piece that never was on the site those of what is written."""
    found: Revision | None = history.published_revision(session, key) or history.newest(session, key)
    return anchors_of(found.text, str(found.meta.get("kind", ""))) if found else None
