"""Figures of a return that can hardly be, marked for who verifies and refused by nobody.

Head counts against the outlet's own history: with the natural logarithms of its verified head counts of the last
two years (online and on site apart, at least five), a count is far when its modified z-score
0.6745 · (ln(x + 1) − median) / MAD exceeds 3.5 (Iglewicz and Hoaglin 1993) and it is also three times the median
or a third of it: an outlet that always has 20 is not far with 25. The median and MAD bear what a mean does not:
that some of the history is wrong itself. Two places at once: the same day elsewhere, unless both times are told
and lie apart.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from statistics import median
from typing import Any

from sqlmodel import Session, col, select

from campaign.models import Campaign
from campaign.returns import photos
from campaign.returns.models import DRAFT, REFUSED, REPLACED, VERIFIED, ReturnVersion
from campaign.returns.words import ONLINE
from core.i18n import gettext as _
from core.i18n import mark
from institution.models import Outlet

OLD, HISTORY, LEAST = timedelta(days=90), timedelta(days=730), 5
FAR, FACTOR = 3.5, 3.0
PER_HEAD, ALWAYS = 10, 200  # materials: more than ten for each head is odd, up to 200 in all never
Mark = dict[str, Any]
SENTENCES = {
    "two_places": mark("同一天还报了另一处的活动（第 %(other)s 号回执）"),
    "twice": mark("与第 %(other)s 号回执的日期、形式、地点和人数都相同，像是报了两次"),
    "far": mark("到场 %(heads)s 人，离本网点历来的中位数 %(usual)s 人很远"),
    "joined": mark("互动完成 %(joined)s 人，多过到场的 %(heads)s 人"),
    "materials": mark("发放 %(given)s 份资料，与到场人数不相称"),
    "old": mark("活动过了 %(days)s 天才报"),
    "closed": mark("活动日期不在网点营业期间"),
    "period": mark("活动日期不在活动期之内"),
    "no_photo": mark("没有照片"),
    "photos": mark("有照片与别的回执相同"),
}


def sentence(one: Mark) -> str:
    """A mark in words."""
    return _(SENTENCES[one["key"]]) % {name: value for name, value in one.items() if name != "key"}


def marks(session: Session, version: ReturnVersion, today: date) -> list[Mark]:
    """All that is odd about a version that could be read."""
    return [
        *_elsewhere(session, version),
        *_history(session, version),
        *_own(version, today),
        *_surroundings(session, version),
        *_photos(session, version),
    ]


def _elsewhere(session: Session, version: ReturnVersion) -> Iterator[Mark]:
    query = select(ReturnVersion).where(
        ReturnVersion.outlet_code == version.outlet_code,
        ReturnVersion.held_on == version.held_on,
        ReturnVersion.return_id != version.return_id,
        col(ReturnVersion.state).not_in((DRAFT, REFUSED, REPLACED)),
        col(ReturnVersion.void).is_(False),
    )
    for other in session.exec(query.order_by(col(ReturnVersion.return_id))):
        if (other.form, other.place, other.heads) == (version.form, version.place, version.heads):
            yield {"key": "twice", "other": other.return_id}
        elif _elsewhere_at_once(version, other):
            yield {"key": "two_places", "other": other.return_id}


def _elsewhere_at_once(one: ReturnVersion, other: ReturnVersion) -> bool:
    """Whether two were at different places, and do not both say that it was at different times."""
    if one.place == other.place or ONLINE in (one.place, other.place):
        return False
    if not (one.starts and one.ends and other.starts and other.ends):
        return True
    return one.ends > other.starts and other.ends > one.starts


def _history(session: Session, version: ReturnVersion) -> Iterator[Mark]:
    assert version.held_on is not None  # noqa: S101  (what is submitted has a day)
    online = version.place == ONLINE
    query = select(ReturnVersion.heads).where(
        ReturnVersion.outlet_code == version.outlet_code,
        ReturnVersion.state == VERIFIED,
        col(ReturnVersion.void).is_(False),
        ReturnVersion.return_id != version.return_id,
        col(ReturnVersion.place) == ONLINE if online else col(ReturnVersion.place) != ONLINE,
        col(ReturnVersion.held_on) > version.held_on - HISTORY,
    )
    usual = far(version.heads, list(session.exec(query)))
    if usual is not None:
        yield {"key": "far", "heads": version.heads, "usual": usual}


def far(heads: int, history: Sequence[int]) -> int | None:
    """The median of a history that a head count lies far from; None when it does not, or there is too little."""
    if len(history) < LEAST:
        return None
    logs = [math.log(one + 1) for one in history]
    middle = median(logs)
    spread = median(abs(one - middle) for one in logs)
    away = abs(math.log(heads + 1) - middle)
    if away < math.log(FACTOR) or 0.6745 * away <= FAR * spread:
        return None
    return round(math.exp(middle) - 1)


def _own(version: ReturnVersion, today: date) -> Iterator[Mark]:
    assert version.held_on is not None  # noqa: S101  (what is submitted has a day)
    if version.joined > version.heads:
        yield {"key": "joined", "joined": version.joined, "heads": version.heads}
    given = sum(version.materials.values())
    if given > max(ALWAYS, PER_HEAD * version.heads):
        yield {"key": "materials", "given": given}
    if today - version.held_on > OLD:
        yield {"key": "old", "days": (today - version.held_on).days}


def _surroundings(session: Session, version: ReturnVersion) -> Iterator[Mark]:
    day = version.held_on
    assert day is not None  # noqa: S101  (what is submitted has a day)
    outlet = session.get(Outlet, version.outlet_code)
    if outlet and (
        (outlet.open_on and day < outlet.open_on) or (outlet.closed_on and day > outlet.closed_on)
    ):
        yield {"key": "closed"}
    campaign = session.get(Campaign, version.campaign_code) if version.campaign_code else None
    if campaign is not None and not campaign.runs_on(day):
        yield {"key": "period"}


def _photos(session: Session, version: ReturnVersion) -> Iterator[Mark]:
    if not version.photos:
        yield {"key": "no_photo"}
    elif photos.doubles(session, version.photos):
        yield {"key": "photos"}
