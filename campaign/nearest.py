"""Outlets around a coarse position: enough of them that the nearest to any point of that cell are among them.

The browser rounds to a tenth of a degree before it asks, and reckons distances itself: the server learns a square of
some ten kilometres and keeps not even that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import asin, cos, hypot, radians, sin, sqrt

from sqlmodel import Session, col

from core.errors import Invalid
from core.i18n import mark
from institution import outlets
from institution.models import Outlet, OutletKind
from institution.outlets import Filter

SHOWN, MOST = 6, 200
_EARTH = 6371.0  # km
# Twice the way from the middle of a cell of 0.1° × 0.1° to its corner, at the equator: where it is longest.
_MARGIN = 2 * hypot(0.05, 0.05) * radians(1) * _EARTH


@dataclass(frozen=True, slots=True)
class Near:
    """An outlet with its place in degrees, for the browser."""

    code: str
    name: str
    address: str
    hours: str
    phone: str
    latitude: float
    longitude: float


def spot(form: Mapping[str, str]) -> tuple[float, float]:
    """Latitude and longitude of a form, rounded to a tenth of a degree whatever was sent; Invalid for no place."""
    try:
        latitude, longitude = float(form.get("latitude", "")), float(form.get("longitude", ""))
    except ValueError:
        latitude = longitude = float("nan")
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise Invalid(mark("没有得到位置，请选省份和城市。"), field="latitude")
    return round(latitude, 1), round(longitude, 1)


def around(session: Session, spot: tuple[float, float], day: date) -> Sequence[Near]:
    """The open outlets among which are the nearest ones of every point of the cell, nearest to its middle first."""
    wanted = Filter(kind=OutletKind.outlet, state="open", today=day)
    query = outlets.narrowed(wanted).where(
        col(Outlet.latitude).is_not(None), col(Outlet.longitude).is_not(None)
    )
    found = [
        (_distance(spot, one), one.code, one) for one in session.exec(query) if outlets.is_open(one, day)
    ]
    found.sort()
    if not found:
        return ()
    far = found[min(SHOWN, len(found)) - 1][0] + _MARGIN
    return [_near(one) for distance, _code, one in found[:MOST] if distance <= far]


def _distance(spot: tuple[float, float], one: Outlet) -> float:
    """Kilometres along the great circle."""
    here, there = radians(spot[0]), radians(one.latitude or 0.0)
    across, up = radians((one.longitude or 0.0) - spot[1]), there - here
    square = sin(up / 2) ** 2 + cos(here) * cos(there) * sin(across / 2) ** 2
    return 2 * _EARTH * asin(min(1.0, sqrt(square)))


def _near(one: Outlet) -> Near:
    return Near(
        one.code, one.name, one.address, one.hours, one.phone, one.latitude or 0.0, one.longitude or 0.0
    )
