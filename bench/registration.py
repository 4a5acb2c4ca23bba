"""Registering, planning and check-in: `python -m bench.registration`.

On SQLite and on a PostgreSQL of our own, both with commits that reach the disk: a bare loop runs the SQL of one
registration by hand over one connection, then as many threads as a server has register through ours, each
answered when it is committed (what comes while another one commits goes with the next); then forms of distinct
people are posted over HTTP to a server, 200 in flight. Then 1,000 people race for 50 places of one occurrence, and
10,000 parties of one to three for 2,500 occurrences of 8 places; what is oversold, and who waits although they fit,
is counted in the database.
On SQLite also a month of Tuesdays for 2,500 outlets, and scans at a door.

Ends with `RESULT {"sqlite_ratio", "postgres_ratio": committed registrations a second, ours ÷ the bare loop's,
"oversold", "wasted", "p99_ms": over HTTP, the slower engine's, "http_per_s": its rate, "plan_s", "scan_p95_ms"}`.
"""

import json
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from bench import registration_sql
from bench.load import THREADS, Server, folder, serve
from bench.posting import Posted, post_all
from campaign.checkin import doors
from campaign.events import planning
from campaign.events.models import EventSeries, Occurrence
from campaign.registration.entry import Wanted
from campaign.registration.models import HOLDING, WAITING, RegisteredPerson, Registration
from campaign.registration.registrar import Registrar
from campaign.registration.work import Doorkeeper
from core.database import Database
from core.privacy import Vault
from core.signing import Keys
from institution import people
from institution.models import Outlet, OutletSpan
from tests import servers
from tracking.attribution import Attributions
from webapp import migrate

OUTLETS, IN_FLIGHT, PEOPLE, ROUNDS = 2_500, 200, 1_500, 3
SECRET, SHANGHAI = "bench-of-no-value", ZoneInfo("Asia/Shanghai")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Measured:
    """What one engine did."""

    name: str
    rates: list[tuple[float, float]] = field(default_factory=list)
    over_http: list[tuple[float, float]] = field(default_factory=list)
    oversold: int = 0
    wasted: int = 0

    @property
    def ratio(self) -> float:
        """Registrations a second ÷ those of the bare loop, the median round."""
        return statistics.median(ours / bare for ours, bare in self.rates)


@contextmanager
def served(scratch: Path, kind: str) -> Iterator[tuple[Database, Server]]:
    """A database of a kind with 2,500 outlets, and a server on it."""
    home = scratch / kind
    home.mkdir()
    with _address(home, kind) as url:
        database = Database(url)
        migrate.upgrade(database)
        with database.transaction() as session:
            _plant(session, datetime.now(UTC))
        environment = {
            "SIGNPOST_HOME": str(home), "SIGNPOST_DATABASE_URL": url, "SIGNPOST_SECRET_KEY": SECRET,
            "SIGNPOST_REGISTRATION_BITS": "0", "SIGNPOST_RATE_STORAGE": "",
        }  # fmt: skip
        server = serve("webapp.wsgi:build_application", environment)
        try:
            yield database, server
        finally:
            server.stop()
            database.close()


@contextmanager
def _address(home: Path, kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{home / 'signpost.db'}"
        return
    with servers.postgres(home, durable=True) as address:
        yield f"{address}/postgres"


def _plant(session: Session, now: datetime) -> None:
    rows: list[tuple[str, str, str, str | None]] = [("100000", "总公司", "head_office", None)]
    rows += [(f"11{number:06}", f"第{number}柜面", "outlet", "100000") for number in range(OUTLETS)]
    for code, name, kind, parent in rows:
        session.add(Outlet(code=code, name=name, kind=kind, parent_code=parent, updated_at=now))
    session.flush()
    for code, name, kind, parent in rows:
        span = OutletSpan(code=code, name=name, kind=kind, parent_code=parent, valid_from=date(1900, 1, 1))
        session.add(span)
    people.add(session, login="bench", name="量一量", roles=["administrator"], now=now)


def _series(session: Session, code: str, now: datetime) -> EventSeries:
    made = EventSeries(
        code=code,
        name="相约星期二",
        rule="FREQ=WEEKLY;BYDAY=TU",
        first_on=now.date(),
        created_at=now,
        updated_at=now,
    )
    session.add(made)
    session.flush()
    return made


def _occurrences(database: Database, code: str, count: int, capacity: int) -> list[Occurrence]:
    """A series with so many occurrences that take registrations now."""
    now = datetime.now(UTC)
    starts = now + timedelta(days=3)
    with database.transaction() as session:
        series = _series(session, code, now)
        rows = [
            Occurrence(
                code=f"{code}-{number}", series_id=series.id or 0, outlet_code=f"11{number:06}", planned_at=starts,
                day=starts.date(), starts_at=starts, ends_at=starts + timedelta(hours=1), opens_at=now,
                closes_at=starts, capacity=capacity, created_at=now, updated_at=now,
            )
            for number in range(count)
        ]  # fmt: skip
        session.add_all(rows)
    return rows


def _forms(where: list[Occurrence], count: int, first: int, most: int) -> list[tuple[str, str]]:
    """The forms of distinct people, spread over the occurrences, with parties of one to `most`."""
    keeper, now = Doorkeeper(Keys(SECRET.encode()), 0), datetime.now(UTC)
    made = []
    for number in range(count):
        one = where[number % len(where)]
        body = {
            "name": f"客户{number}", "phone": f"{13 * 10**9 + first + number}", "agreed": "1",
            "minors": str(number % most), "challenge": keeper.challenge(one.id or 0, now),
        }  # fmt: skip
        made.append((one.url, urlencode(body)))
    return made


def _answered(posted: Posted, expected: int) -> Posted:
    if posted.statuses != {303: expected}:
        raise SystemExit(f"answers: {dict(posted.statuses)}, of {expected} that should lead on")
    return posted


def measure(database: Database, server: Server, measured: Measured) -> None:
    """The bare loop and ours in turn, then the two races."""
    for number in range(ROUNDS + 1):
        bare, ours, served = _occurrences(database, f"r{number}", 3, 10**5)
        by_hand = registration_sql.bare(database.url, bare.id or 0, PEOPLE)
        by_verb = _by_verb(database, ours.id or 0, number)
        forms = _forms([served], PEOPLE, number * 10**5, 1)
        posted = _answered(post_all(server.port, forms, IN_FLIGHT, FORM), PEOPLE)
        if number:  # the first round is for warming up
            measured.rates.append((by_verb, by_hand))
            measured.over_http.append((PEOPLE / posted.seconds, posted.p99))
    for code, count, capacity, many in (("one", 1, 50, 1_000), ("many", OUTLETS, 8, 10_000)):
        where = _occurrences(database, code, count, capacity)
        forms = _forms(where, many, 10**7 + count * 10**4, 3)
        _answered(post_all(server.port, forms, IN_FLIGHT, FORM), many)
        with database.reading() as session:
            over, wasted = _faults(session, where)
        measured.oversold += over
        measured.wasted += wasted


def _by_verb(database: Database, occurrence_id: int, round_: int) -> float:
    """Registrations a second of threads that enter one person after the other, as those of a server do."""
    keys, now = Keys(SECRET.encode()), datetime.now(UTC)
    registrar = Registrar(database, Vault(keys), Doorkeeper(keys, 0), Attributions(keys))
    people = [
        Wanted(f"客户{number}", f"{14 * 10**9 + round_ * 10**5 + number}", f"{round_}-{number}", agreed=True)
        for number in range(PEOPLE)
    ]
    begun = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda one: registrar.enter(occurrence_id, one, now=now), people))
    return PEOPLE / (time.perf_counter() - begun)


def _faults(session: Session, where: list[Occurrence]) -> tuple[int, int]:
    """Seats beyond the capacity, and parties that wait although they fit."""
    numbers = [one.id or 0 for one in where]
    held: dict[int, int] = dict.fromkeys(numbers, 0)
    waiting: dict[int, list[int]] = {number: [] for number in numbers}
    query = select(Registration.occurrence_id, Registration.state, Registration.size)
    inside = col(Registration.occurrence_id).between(min(numbers), max(numbers))
    for number, state, size in session.exec(query.where(inside)):
        if state in HOLDING:
            held[number] += size
        elif state == WAITING:
            waiting[number].append(size)
    capacity = where[0].capacity
    over = sum(max(0, taken - capacity) for taken in held.values())
    return over, sum(size <= capacity - held[number] for number in numbers for size in waiting[number])


def planned(database: Database) -> tuple[int, float]:
    """A month of Tuesdays for all outlets: how many occurrences, in how many seconds."""
    codes, now = [f"11{number:06}" for number in range(OUTLETS)], datetime.now(UTC)
    first = (now.date().replace(day=1) + timedelta(days=32)).replace(day=1)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    with database.transaction() as session:
        series = _series(session, "month", now)
    begun = time.perf_counter()
    with database.transaction() as session:
        series = session.get_one(EventSeries, series.id)
        done = planning.plan(session, series, codes, first, last, zone=SHANGHAI, country="CN", now=now)
    return done.made, time.perf_counter() - begun


def scanned(database: Database, server: Server) -> Posted:
    """Two hundred people of one occurrence, let in one after the other at a door."""
    (where,) = _occurrences(database, "door", 1, 500)
    _answered(post_all(server.port, _forms([where], 200, 3 * 10**8, 1), 20, FORM), 200)
    now = datetime.now(UTC)
    with database.transaction() as session:
        by = people.by_login(session, "bench")
        assert by is not None
        _door, key = doors.make(session, where, label="", by=by.id or 0, now=now)
        found = session.exec(
            select(RegisteredPerson.id).join(Registration).where(Registration.occurrence_id == where.id)
        ).all()
    acts = [
        [{"nonce": f"bench-{number}", "act": "arrive", "person": number, "at": now.isoformat()}]
        for number in found
    ]
    lines = [(f"{doors.PATH}scans", json.dumps(act)) for act in acts]
    return post_all(server.port, lines, 1, {"Content-Type": "application/json", "X-Door-Key": key})


def main() -> None:
    """Measure, print the tables and the result."""
    done, plan, scans = [], (0, 0.0), Posted()
    with folder() as scratch:
        for kind in ("sqlite", "postgresql"):
            measured = Measured(kind)
            with served(scratch, kind) as (database, server):
                measure(database, server, measured)
                if kind == "sqlite":
                    scans = scanned(database, server)
                    plan = planned(database)
            done.append(measured)
            print(f"{kind}\n   ours/s    by hand/s   ratio   over HTTP, {IN_FLIGHT} in flight/s   p99 ms")
            for (ours, bare), (http, p99) in zip(measured.rates, measured.over_http, strict=True):
                print(f"{ours:9.0f}  {bare:9.0f}   {ours / bare:5.2f}  {http:9.0f}  {p99:6.0f}")
            print(f"races: {measured.oversold} oversold, {measured.wasted} wasted", flush=True)
    print(
        f"planned {plan[0]:,} occurrences in {plan[1]:.2f} s; {len(scans.took)} scans, p95 {scans.p95:.1f} ms"
    )
    result = {
        "sqlite_ratio": round(done[0].ratio, 3),
        "postgres_ratio": round(done[1].ratio, 3),
        "oversold": sum(one.oversold for one in done),
        "wasted": sum(one.wasted for one in done),
        "p99_ms": round(max(statistics.median(p99 for _, p99 in one.over_http) for one in done), 1),
        "http_per_s": round(min(statistics.median(rate for rate, _ in one.over_http) for one in done)),
        "plan_s": round(plan[1], 2),
        "scan_p95_ms": round(scans.p95, 1),
    }
    print("RESULT " + json.dumps(result))


if __name__ == "__main__":
    main()
