"""A day looked at: every series judged, and what has one cause put under it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlmodel import Session, col, select

from core.settings import Settings
from institution.models import Outlet
from tracking.periods import Period
from tracking.report_rhythm import Clock
from tracking.store import ReachStore
from tracking.watching import series
from tracking.watching.rules import LOOK_BACK, SPIKE, Odd, Rules, expected, judge
from tracking.watching.series import ALL, CHANNEL, OUTLET, PAIR, Subject

# From so many outlets on it is not theirs but the channel's or the institution's.
_MANY = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """Whose visits are odd and how; `under`: a larger subject whose finding explains this one."""

    subject: Subject
    odd: Odd
    under: Subject | None = None

    @property
    def up(self) -> bool:
        """Whether there are too many."""
        return self.odd.kind == SPIKE


@dataclass(frozen=True, slots=True)
class Look:
    """What was found on a day, the largest subjects first; the visits of that day; outlets that are closed."""

    day: date
    findings: tuple[Finding, ...]
    visits: Mapping[Subject, int]
    closed: frozenset[str]


def rules(settings: Settings) -> Rules:
    """The rules of an installation."""
    return Rules(settings.alarm_factor, settings.alarm_least)


def clock(settings: Settings) -> Clock:
    """The institution's calendar."""
    return Clock(settings.zone, settings.holidays)


def look(store: ReachStore, session: Session, settings: Settings, day: date) -> Look:
    """Judge every series on a day; nothing is written."""
    closed = frozenset(session.exec(select(Outlet.code).where(col(Outlet.closed_on) <= day)))
    found = series.read(store, session, Period(day - LOOK_BACK, day), without=closed)
    holiday, bounds = clock(settings).holiday, rules(settings)
    odd = [
        Finding(subject, one)
        for subject, counts in found.items()
        if (one := judge(counts, day, holiday, bounds))
    ]
    visits = {subject: counts[day] for subject, counts in found.items() if day in counts}
    return Look(day, tuple(explained(odd)), visits, closed)


def explained(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding under the one that explains it: everything, then a channel of many outlets, then an outlet."""
    found = list(findings)
    ordered = [one for up in (True, False) for one in _placed([each for each in found if each.up == up])]
    levels = (ALL, CHANNEL, OUTLET, PAIR)
    far = {one: abs(one.odd.actual - one.odd.expected) for one in ordered}
    return sorted(ordered, key=lambda one: (levels.index(one.subject.level), -far[one]))


def _placed(alike: list[Finding]) -> list[Finding]:
    """Findings that go the same way: a pair under its outlet, else its channel; these under everything.

    A channel that is odd because of one outlet stands under that outlet's.
    """
    odd = {one.subject for one in alike}
    top = Subject(ALL) if Subject(ALL) in odd else None
    pairs = [one for one in odd if one.level == PAIR]
    outlets = Counter(one.channel for one in pairs)
    wide = {one for one in odd if one.level == CHANNEL and (top or outlets[one.channel] >= _MANY)}
    causes = defaultdict[str, set[Subject | None]](set)
    for one in pairs:
        over = Subject(CHANNEL, channel=one.channel)
        causes[one.outlet].add(over if over in wide else None)

    def under(subject: Subject) -> Subject | None:
        if subject.level == PAIR:
            nearest = Subject(OUTLET, subject.outlet), Subject(CHANNEL, channel=subject.channel)
            return nearest[0] if nearest[0] in odd else nearest[1] if nearest[1] in wide else top
        if subject.level == OUTLET and top is None:
            return next(iter(causes[subject.outlet])) if len(causes[subject.outlet]) == 1 else None
        if subject.level == CHANNEL and top is None and outlets[subject.channel] == 1:
            return next(one for one in pairs if one.channel == subject.channel)
        return None if subject.level == ALL else top

    return [replace(one, under=under(one.subject)) for one in alike]


def usual(counts: Mapping[date, int], period: Period, settings: Settings) -> dict[date, int]:
    """What was to be expected of each day of a period, where the series is old enough to say."""
    holiday = clock(settings).holiday
    found = {}
    for number in range(period.days):
        day = period.first + timedelta(days=number)
        middle = expected(counts, day, day, holiday)
        if middle is not None:
            found[day] = round(middle)
    return found
