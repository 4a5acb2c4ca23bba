"""How patient sending is: leases, tries, pauses between tries, and when too much fails."""

import random
from dataclasses import dataclass

_LONGEST_ASKED = 86_400.0  # a receiver that asks for more than a day is not believed


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient the outbox is: seconds, numbers of tries (until the push stops, until another
    account takes over), and the share of failures that stops a push."""

    lease_seconds: float = 120.0
    most_attempts: int = 8
    failover_attempts: int = 3
    backoff_first: float = 15.0
    backoff_most: float = 3600.0
    failing_share: float = 0.2
    failing_least: int = 50


def backoff(attempts: int, limits: Limits, retry_after: float | None = None) -> float:
    """Seconds to wait after the given number of failed tries: doubling, with jitter, never less than asked."""
    wait = min(limits.backoff_first * 2.0**attempts, limits.backoff_most)
    jittered = wait * random.uniform(0.75, 1.25)  # noqa: S311 (spreads load, guards nothing)
    return max(jittered, min(retry_after or 0.0, _LONGEST_ASKED))
