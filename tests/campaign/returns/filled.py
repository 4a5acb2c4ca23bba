"""Returns for pages to look at: one that waits with marks and a photo that another has too, a verified one, a draft."""

from datetime import datetime, timedelta

from sqlmodel import Session

from campaign.returns import filing
from core.settings import Settings
from institution import people
from tests import factories
from tests.campaign.returns import cast


def fill(session: Session, settings: Settings, now: datetime, campaign: str) -> None:
    """Numbers 1 to 3, filed by the editor and verified by the administrator."""
    by, other = (_number(session, login) for login in (factories.EDITOR, factories.ADMINISTRATOR))
    yesterday = (now.astimezone(cast.ZONE).date() - timedelta(days=1)).isoformat()
    same = {"campaign_code": campaign, "held_on": yesterday}
    image = cast.picture(41, (960, 720))
    first = cast.draft(
        session, by, now, **same, heads="60", joined="75", material_leaflet="2000", audience_elders="40"
    )
    cast.add_photo(session, first, cast.altered(image, 4), by, now=now, settings=settings)
    cast.add_photo(session, first, cast.picture(42, (960, 720)), by, now=now, settings=settings)
    second = cast.draft(
        session, by, now, outlet=factories.OUTLET_B, **same, place="outlet", form="salon", starts="", ends=""
    )
    cast.add_photo(session, second, image, by, now=now, settings=settings)
    cast.hand_in(session, second, by, now)
    cast.decide(session, second, other, now)
    filing.correct(session, second, by=by, now=now)
    cast.hand_in(session, second, by, now)
    cast.hand_in(session, first, by, now)
    cast.draft(session, by, now, **same, heads="六十", form="", staff="")


def _number(session: Session, login: str) -> int:
    account = people.by_login(session, login)
    assert account is not None
    return account.id or 0
