"""What gives a program away although it calls itself a browser: where it sits and how fast it asks.

One call per event, after `bots` has looked at what the request says of itself. This machine's own address is
nobody's: behind a proxy that `trusted_proxies` does not name it is everybody's.
"""

from collections.abc import Mapping
from typing import Any

from core.settings import Settings
from tracking import ranges, rates
from tracking.ranges import DataCentres, packed
from tracking.rates import Limits, Rates
from tracking.visitors import address_of

REASONS = (ranges.DATA_CENTRE, rates.VISITOR, rates.ADDRESS)
_OWN = ("127.0.0.1", "::1")  # as nearly every server behind a proxy on its own machine sees it
_LOCAL = (b"\x7f", b"\0" * 15 + b"\x01")  # 127.0.0.0/8 and ::1
_INSIDE = (b"\x0a", b"\xc0\xa8", b"\xfc", b"\xfd", b"\xfe\x80", *(bytes((172, n)) for n in range(16, 32)))


class Suspicion:
    """Knows the ranges of data centres and the rates of this process."""

    def __init__(self, settings: Settings) -> None:
        self._proxies = settings.trusted_proxies
        self._centres = DataCentres(settings.home)
        self._rates = Rates(
            Limits(
                settings.reach_visitor_minute,
                settings.reach_visitor_hour,
                settings.reach_address_minute,
                settings.reach_address_hour,
            )
        )

    def reason(self, environ: Mapping[str, Any], visitor: int, at: float) -> str:
        """Why this event of a visitor (0: nobody knows whose) is no person's, or ""."""
        said = address_of(environ, self._proxies)
        if said in _OWN:
            return ""
        address = packed(said)
        if address.startswith(_LOCAL):
            return ""
        if address in self._centres:
            return ranges.DATA_CENTRE
        # Within the house a proxy or a hall's exit speaks for everybody.
        return self._rates.beyond(visitor, b"" if address.startswith(_INSIDE) else address, at)

    def refresh(self) -> None:
        """Look whether another list of ranges was loaded."""
        self._centres.refresh()
