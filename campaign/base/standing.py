"""The address that an outlet's printed code holds: its standing short link, else the signed one; both last for years."""

from collections.abc import Sequence
from datetime import date

from sqlmodel import Session

from tracking import links
from tracking.attribution import PARAMETER, Attribution, Attributions
from tracking.links import Aim


def addresses(
    session: Session, codes: Sequence[str], today: date, *, attributions: Attributions, public_url: str
) -> dict[str, str]:
    """Outlet → the whole address. What is printed names no campaign: it hangs longer than one runs."""
    short = links.of_outlets(session, Aim(), codes, today)
    found = {}
    for code in codes:
        if code in short:
            found[code] = f"{public_url}{links.PREFIX}{short[code].code}"
        else:
            token = attributions.sign(Attribution(outlet=code, channel=links.QR))
            found[code] = f"{public_url}/?{PARAMETER}={token}"
    return found
