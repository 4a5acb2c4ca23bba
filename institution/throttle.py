"""Slows guessing down, and not the one whose account is guessed at. Kept in the database, for all processes.

The way of OWASP's device cookies (https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies):
tries from a device that has signed in to this account before are counted by themselves, so somebody who hammers
from elsewhere never makes its owner wait. Everybody else is counted per account and network, per account over
all unknown devices (a botnet), and per network over all accounts. A try is counted before its password is
looked at, so a thousand tries at once are a thousand tries; a right one takes its count back. What has run empty is cleared with the other kinds of data (institution.personal).
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlmodel import Session, col

from core.database import inserting
from core.signing import Keys
from institution.sign_in_models import SignInTry

LONGEST_WAIT = 900.0


@dataclass(frozen=True, slots=True)
class Rule:
    """`free` tries at once; one is forgiven every `refill` seconds; beyond, the wait doubles or is one refill."""

    free: int
    refill: float
    doubling: bool = True

    def level(self, count: float, since: timedelta) -> float:
        """How many tries still count."""
        return max(0.0, count - _seconds(since) / self.refill)

    def wait(self, count: float, since: timedelta) -> float:
        """Seconds until the next try, 0 when it may come now."""
        level = self.level(count, since)
        over = level - (self.free - 1)
        if over <= 0:
            return 0.0
        if not self.doubling:
            return over * self.refill
        # by the count as it stood at the last try: waiting must not shorten the wait itself
        step: float = 2.0 ** min(max(count - self.free, 0.0), 20.0)
        return max(0.0, min(step, LONGEST_WAIT) - _seconds(since))


def _seconds(since: timedelta) -> float:
    """Never negative: a clock that was set back must not shut anybody out for that long."""
    return max(0.0, since.total_seconds())


RULES: Mapping[str, Rule] = {
    "device": Rule(free=5, refill=3600.0),
    "pair": Rule(free=5, refill=3600.0),
    "account": Rule(free=30, refill=600.0),
    "address": Rule(free=20, refill=3.0, doubling=False),
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try and the counters it belongs to: pairs of rule and key."""

    counters: tuple[tuple[str, str], ...]


def attempt(keys: Keys, account: str, address: str, device: str | None, *, what: str = "password") -> Attempt:
    """The counters of a try at `account` (a login, existing or not) from `address`; `device` if it is known.

    `what` keeps passwords and codes apart: who knows the password must still not guess the code.
    """
    secret, where = keys.derive("sign-in/tries"), network(address)
    if device is not None:
        named = [("device", f"{account}\x00{device}")]
    else:
        named = [("pair", f"{account}\x00{where}"), ("account", account), ("address", where)]

    def key(rule: str, name: str) -> str:
        return hmac.new(secret, f"{what}\x00{rule}\x00{name}".encode(), hashlib.sha256).hexdigest()

    return Attempt(tuple((rule, key(rule, name)) for rule, name in named))


def network(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def begin(session: Session, tried: Attempt, now: datetime) -> float:
    """Count the try as wrong and answer 0, or answer the seconds to wait and count nothing."""
    rows = _locked(session, tried, now)
    wait = max(RULES[rule].wait(rows[key].count, now - rows[key].tried_at) for rule, key in tried.counters)
    if wait > 0.01:  # less is rounding
        return wait
    for rule, key in tried.counters:
        row = rows[key]
        _set(session, key, RULES[rule].level(row.count, now - row.tried_at) + 1, now)
    return 0.0


def right(session: Session, tried: Attempt, now: datetime) -> None:
    """The try was right: its own counters are empty again, those shared with others lose this one try."""
    rows = _locked(session, tried, now)
    for rule, key in tried.counters:
        shared = rule in ("account", "address")
        _set(session, key, max(0.0, rows[key].count - 1) if shared else 0.0, rows[key].tried_at)


def _locked(session: Session, tried: Attempt, now: datetime) -> dict[str, SignInTry]:
    """The rows of all counters, made where missing, held until the transaction ends (in one order for all)."""
    names = sorted(key for _rule, key in tried.counters)
    insert = inserting(session.get_bind().dialect)
    made = insert(SignInTry).values([{"key": key, "count": 0.0, "tried_at": now} for key in names])
    session.execute(made.on_conflict_do_nothing())
    query = select(SignInTry).where(col(SignInTry.key).in_(names)).order_by(col(SignInTry.key))
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True))
    return {one.key: one for one in found}


def _set(session: Session, key: str, count: float, at: datetime) -> None:
    session.execute(update(SignInTry).where(col(SignInTry.key) == key).values(count=count, tried_at=at))
