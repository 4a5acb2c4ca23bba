"""Keeps or drops what happened, in named steps; whatever is dropped is counted with its reason."""

import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import structlog

from core.settings import Settings
from tracking import bots, health, suspicion, visitors
from tracking.attribution import PARAMETER, Attribution, Attributions, PageKeys
from tracking.events import ReachEvent, Stamps, drop_line, escape, event_ids, to_line
from tracking.spool import DROPS, SEGMENT, Spool, SpoolError
from tracking.suspicion import Suspicion

HEAD, MALFORMED, FORGED_KEYS, FORGED_ATTRIBUTION, NOT_KEPT, FAILED = (
    "head",
    "malformed",
    "forged_keys",
    "forged_attribution",
    "not_kept",
    "failed",
)
REASONS = (
    HEAD,
    bots.PREFETCH,
    bots.PREVIEW,
    bots.BOT,
    *suspicion.REASONS,
    MALFORMED,
    FORGED_KEYS,
    FORGED_ATTRIBUTION,
    NOT_KEPT,
    FAILED,
)
BEACON_KINDS = frozenset(("engaged", "completed", "shared"))
# The same as in deploy/nginx.conf.
_BEACON = re.compile(r"k=(engaged|completed|shared)&p=([\w-]{1,300})&a=([\w-]{0,300})", re.ASCII)
COOKIE, COOKIE_SECONDS = "sp_a", 1800
DIRECT = "direct"
_NOBODY = Attribution()
_REMEMBERED = 8192
_COOKIE = re.compile(r"(?:^|; ?)sp_a=([\w-]+)(?:;|$)", re.ASCII)
_COOKIE_NAME = f"{COOKIE}="
_QUERY = re.compile(rf"(?:^|&){PARAMETER}=([^&]*)")

log = structlog.get_logger()


class Malformed(ValueError):
    """A beacon that no page of ours sends."""


class Recorder:
    """Records visits and beacons into the spool. `visit` never raises: counting never breaks a page."""

    def __init__(
        self,
        spool: Spool,
        attributions: Attributions,
        settings: Settings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._spool = spool
        self._append = spool.append
        self._attributions = attributions
        self._clock = clock
        self._stamps = Stamps(settings.zone)
        self._proxies = settings.trusted_proxies
        self._secure = settings.public_url.startswith("https:")
        self._suspicion = Suspicion(settings)
        self._hash = visitors.DailyHash(settings.home / "salts")
        self._run = f"run-{os.urandom(6).hex()}"
        self._watch = health.ClockWatch(clock(), time.monotonic())
        self._dropped: Counter[tuple[str, str]] = Counter()
        self._drop_lock = threading.Lock()
        self._where = lru_cache(_REMEMBERED)(self._where_of)
        self._parse = lru_cache(_REMEMBERED)(self._parse_beacon)
        self._directly: dict[int, tuple[PageKeys, str]] = {}

    def visit(self, environ: Mapping[str, Any], keys: PageKeys) -> list[tuple[str, str]]:
        """Record one view of a page, or drop it with a reason; headers (cookies) for the answer."""
        headers: list[tuple[str, str]] = []
        try:
            get = environ.get
            if get("REQUEST_METHOD") == "HEAD":
                return self._drop(HEAD)
            reason = bots.reason_of(environ)
            if reason:
                return self._drop(reason)
            cookies, query = get("HTTP_COOKIE", ""), get("QUERY_STRING", "")
            visitor = visitors.from_cookie(cookies)
            reason = self._suspicion.reason(environ, visitor, self._clock())
            if reason:
                return self._drop(reason)
            if query or _COOKIE_NAME in cookies:
                where = self._where(self._attribution_of_link(query, cookies, headers), keys, "page")
            else:
                where = self._direct(keys)
            if not visitor:
                visitor = visitors.new_visitor()
                headers.append(visitors.cookie_header(visitor, secure=self._secure))
            self._keep("visited", visitor, where)
        except SpoolError:
            return self._drop(NOT_KEPT)
        except Exception as error:
            log.warning("reach_visit_failed", error=type(error).__name__)
            return self._drop(FAILED)
        return headers

    def beacon(self, environ: Mapping[str, Any], query: str) -> None:
        """Record what a page told about its reading: `k=kind&p=sealed keys&a=token of the link`, as `reach.js` says it.

        Malformed: no page of ours; SpoolError: not kept.
        """
        cookies = environ.get("HTTP_COOKIE", "")
        known = visitors.from_cookie(cookies)
        reason = bots.reason_of(environ) or self._suspicion.reason(environ, known, self._clock())
        if reason:
            self._drop(reason)
            return
        kind, keys, where, forged = self._parse(query)
        if forged:
            self._drop(FORGED_ATTRIBUTION)
        if where is None:
            where = self._where(self._attribution_of_cookie(cookies), keys, "beacon")
        visitor = known or self.visitor(environ)
        try:
            self._keep(kind, visitor, where)
        except SpoolError:
            self._drop(NOT_KEPT)
            raise

    def act(
        self, environ: Mapping[str, Any], kind: str, keys: PageKeys, number: str, owed: Attribution = _NOBODY
    ) -> None:
        """Record what a visitor did, under a number of its own; owed to nobody: to whose link led here. Never raises."""
        try:
            cookies = environ.get("HTTP_COOKIE", "")
            known = visitors.from_cookie(cookies)
            reason = bots.reason_of(environ) or self._suspicion.reason(environ, known, self._clock())
            if reason:
                self._drop(reason)
                return
            owed = self._attribution_of_cookie(cookies) if owed is _NOBODY else owed
            where = self._where(owed, keys, "beacon")
            self._keep(kind, known or self.visitor(environ), where, number)
        except SpoolError:
            self._drop(NOT_KEPT)
        except Exception as error:
            log.warning("reach_act_failed", error=type(error).__name__)
            self._drop(FAILED)

    def deposit(self, name: str, events: Iterable[ReachEvent]) -> None:
        """Keep events durably under a name; the same name again changes nothing. SpoolError: not kept."""
        if name.startswith((SEGMENT, DROPS)):
            raise ValueError(f"{name!r} is a name that writers use")
        self._spool.deposit(name, map(to_line, events))

    def count_drop(self, reason: str, quantity: int = 1) -> None:
        """Count something dropped elsewhere on the write path (the collector, the drain)."""
        day = self._stamps.day(self._clock())
        with self._drop_lock:
            self._dropped[day, reason] += quantity

    def waiting_drops(self) -> dict[tuple[str, str], int]:
        """Drops by day and reason that are not in the spool yet."""
        with self._drop_lock:
            return dict(self._dropped)

    def flush_drops(self) -> None:
        """Put the counted drops into the spool; if that fails they stay counted here."""
        with self._drop_lock:
            dropped, self._dropped = self._dropped, Counter()
        if not dropped:
            return
        try:
            self._spool.deposit_drops(
                drop_line(day, reason, quantity, self._run) for (day, reason), quantity in dropped.items()
            )
        except OSError as error:
            log.error("reach_drops_not_kept", error=type(error).__name__)
            with self._drop_lock:
                self._dropped.update(dropped)

    def close(self) -> None:
        """Put the last counted drops into the spool; events are there already."""
        self.flush_drops()

    def tick(self) -> None:
        """What must happen about once a second in each process that records: flush drops, seal by age."""
        lost = self._watch.set_back(self._clock(), time.monotonic())
        if lost:
            self._spool.health.note(health.CLOCK_BACK, f"{lost:.0f}")
            log.warning("reach_clock_set_back", seconds=round(lost, 1))
        try:
            self._suspicion.refresh()
            self.flush_drops()
            self._spool.seal_if_due()
        except OSError as error:
            log.error("reach_spool_not_sealed", error=type(error).__name__)

    def _keep(self, kind: str, visitor: int, where: str, number: str = "") -> None:
        ids, at = event_ids, self._clock()  # without a call for each: this runs once per view
        stamp, columns = self._stamps.last
        if stamp != int(at * 1000):
            columns = self._stamps.columns(at)
        number = number or f"{ids.run}-{ids.next():x}"
        self._append(f"{number}\t{columns}\t{kind}\t1\t{visitor}{where}".encode())

    def _direct(self, keys: PageKeys) -> str:
        """The last columns of a visit that no link led to: remembered by the very object, which hashes faster."""
        known = self._directly.get(id(keys))
        if known is None or known[0] is not keys:
            if len(self._directly) >= _REMEMBERED:
                self._directly.clear()
            known = self._directly[id(keys)] = (keys, self._where_of(_NOBODY, keys, "page"))
        return known[1]

    def _drop(self, reason: str) -> list[tuple[str, str]]:
        self.count_drop(reason)
        return []

    def _attribution_of_link(self, query: str, cookies: str, headers: list[tuple[str, str]]) -> Attribution:
        """`?a=` wins and is remembered for half an hour; forged, the visit counts for nobody."""
        found = _QUERY.search(query) if query else None
        if found is None:
            return self._attribution_of_cookie(cookies)
        attribution = self._attributions.read(found[1])
        if attribution is None:
            self._drop(FORGED_ATTRIBUTION)
            return _NOBODY
        flags = "; Secure" if self._secure else ""
        value = f"{COOKIE}={found[1]}; Max-Age={COOKIE_SECONDS}; Path=/; HttpOnly; SameSite=Lax{flags}"
        headers.append(("Set-Cookie", value))
        return attribution

    def _attribution_of_cookie(self, cookies: str) -> Attribution:
        found = _COOKIE.search(cookies) if _COOKIE_NAME in cookies else None
        return (self._attributions.read(found[1]) if found else None) or _NOBODY

    def visitor(self, environ: Mapping[str, Any]) -> int:
        """Whose request this is: the browser's random id, else a hash of the day; 0 when there is neither."""
        known = visitors.from_cookie(environ.get("HTTP_COOKIE", ""))
        day, agent = self._stamps.day(self._clock()), environ.get("HTTP_USER_AGENT", "")
        return known or self._hash.visitor(day, visitors.address_of(environ, self._proxies), agent)

    def _where_of(self, attribution: Attribution, keys: PageKeys, source: str) -> str:
        """The last eight columns; what the link does not say, the page's own keys fill."""
        campaign = escape(attribution.campaign or keys.campaign)
        outlet = escape(attribution.outlet or keys.outlet)
        channel = escape(attribution.channel or DIRECT)
        return f"\t{campaign}\t{escape(keys.piece)}\t{outlet}\t{channel}\t{source}\t{self._run}\t\t\n"

    def _parse_beacon(self, query: str) -> tuple[str, PageKeys, str | None, bool]:
        """Kind, keys, last columns of a beacon (None: it carries no token), and whether that was forged."""
        found = _BEACON.fullmatch(query)
        if found is None:
            raise self._malformed(MALFORMED)
        kind, sealed, token = found.groups()
        keys = self._attributions.unseal(sealed)
        if keys is None:
            raise self._malformed(FORGED_KEYS)
        if not token:
            return kind, keys, None, False
        attribution = self._attributions.read(token)
        return kind, keys, self._where(attribution or _NOBODY, keys, "beacon"), attribution is None

    def _malformed(self, reason: str) -> Malformed:
        self._drop(reason)
        return Malformed(reason)


class Ticker:
    """A thread that calls `tick` about once a second; one per process that records."""

    def __init__(self, recorder: Recorder, seconds: float = 1.0) -> None:
        self._recorder = recorder
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reach-ticker", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """End, after a last tick."""
        self._stop.set()
        self._thread.join()
        self._recorder.tick()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            self._recorder.tick()
