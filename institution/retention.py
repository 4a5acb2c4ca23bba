"""How long each kind of data is kept: defaults with their sources, the institution's own days, a nightly clearing.

Every package declares its kinds. The law sets a floor for some (`least`): fewer days are refused. One flow:
`due` counts what is over its time, `run` clears it, kind by kind, and leaves one audit record with the counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from core.database import Database
from core.errors import Invalid
from core.i18n import mark
from institution import audit

audit.declare({"privacy.retention": mark("清除到期数据")})
HOUR = 3  # local time: nobody works, and the day before is closed
Count = Callable[[Session, datetime], int]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of data: key of the setting, label and source (msgids), days, floor; how to count and clear."""

    key: str
    label: str
    days: int
    source: str
    count: Count
    clear: Count
    least: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """A rule with the days in force, whether the institution set them, and what is over its time."""

    rule: Rule
    days: int
    own: bool
    count: int


RULES: dict[str, Rule] = {}
STANDING: dict[str, str] = {}


def declare(rule: Rule) -> None:
    """Name a kind of data; a package does so when imported."""
    RULES[rule.key] = rule


def stand(label: str, why: str) -> None:
    """Name a kind of data that no clock ends, and why (msgids), for the page."""
    STANDING[label] = why


def days_of(rule: Rule, own: Mapping[str, int]) -> int:
    """The days in force; Invalid for fewer than the law asks."""
    days = own.get(rule.key, rule.days)
    if days < rule.least:
        raise Invalid(
            mark("SIGNPOST_RETENTION 里 %(key)s 设为 %(days)s 天，少于应保存的 %(least)s 天，请改大。"),
            key=rule.key,
            days=days,
            least=rule.least,
        )
    return days


def check(own: Mapping[str, int]) -> None:
    """Invalid for a kind that nobody declared, or too few days."""
    for key in own:
        if key not in RULES:
            raise Invalid(mark("SIGNPOST_RETENTION 里没有 %(key)s 这一类数据，请核对写法。"), key=key)
        days_of(RULES[key], own)


def due(session: Session, own: Mapping[str, int], now: datetime) -> list[Due]:
    """What is over its time now, by kind."""
    check(own)
    found = []
    for rule in RULES.values():
        days = days_of(rule, own)
        found.append(Due(rule, days, rule.key in own, rule.count(session, now - timedelta(days=days))))
    return found


def run(database: Database, own: Mapping[str, int], now: datetime) -> dict[str, int]:
    """Clear what is over its time; returns how many rows of each kind. One audit record, if there was anything."""
    check(own)
    cleared: dict[str, int] = {}
    with database.transaction() as session:
        for rule in RULES.values():
            count = rule.clear(session, now - timedelta(days=days_of(rule, own)))
            if count:
                cleared[rule.key] = count
        if cleared:
            audit.record(session, "privacy.retention", "privacy", now.date().isoformat(), after=cleared)
    return cleared


class Nights:
    """Whether a night's clearing is due: once for each day, from three in the morning of the institution."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._done: date | None = None

    def due(self, now: datetime) -> bool:
        """True once a day; a process that starts later in the day makes up for the night."""
        local = now.astimezone(self._zone)
        if local.hour < HOUR or self._done == local.date():
            return False
        self._done = local.date()
        return True
