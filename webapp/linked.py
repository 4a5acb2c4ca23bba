"""What the links of pieces lead to, plugged together: content knows no campaigns, and yet checks links to them."""

from sqlmodel import Session

from campaign import programme
from content.check import elsewhere
from content.check.elsewhere import Standing


def plug() -> None:
    """Plug in who knows the campaigns; again: changes nothing."""
    elsewhere.know_campaigns(campaign)


def campaign(session: Session, code: str) -> Standing:
    """Whether visitors who follow a link to a campaign find it."""
    found = programme.find(session, code)
    if found is None:
        return Standing.missing
    return Standing.there if found.visible else Standing.shut
