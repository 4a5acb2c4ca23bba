"""The questions of the national report, at a scale and at scale 100: `python -m bench.report --scale 1`.

Each question is asked under the definition, against last year, of a store that has forgotten its answers and has
just taken in events: once for gross and deduplicated person-times, once with people, and once of the raw rows
alone. These are asked for gross alone when the scale is under 10 and the question is of the whole country (de-duplicating hundreds of
millions of rows at once would need more memory than the machine has): less work than the roll-ups are asked for.
Ends with `RESULT {"p95_ms", "p95_people_ms": the worst question, "speedup": the least, "growth": time at the scale
÷ time at scale 100 of the worst question, "people_error": the largest error of people, as a fraction}`.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from sqlmodel import Session, SQLModel, select

from bench.load import folder
from core.database import Database
from core.settings import Settings
from institution.models import Outlet, OutletSpan
from tracking import demo, measure, reports, snapshot
from tracking.definition import FIRST
from tracking.demo_plan import TOTALS, DemoOutlet, Year
from tracking.dimensions import Tree
from tracking.reports import Ask
from tracking.store import ReachStore
from webapp import tables

OUTLETS, PROVINCES, PIECES = 2_500, 31, 24
assert tables  # importing it makes the metadata complete


@dataclass
class Timed:
    """Milliseconds of a question: the 95th percentile, with people, and of the raw rows."""

    p95: float
    people: float
    raw: float


def plant(session: Session, now: datetime) -> None:
    """A head office, 31 provinces, 2,500 outlets, each with the span that names it."""
    nodes: list[tuple[str, str, str, str | None]] = [("100000", "总公司", "head_office", None)]
    nodes += [
        (f"{11 + number}0000", f"第{number}分公司", "province", "100000") for number in range(PROVINCES)
    ]
    for number in range(OUTLETS):
        province = 11 + number % PROVINCES
        nodes.append((f"{province}{number:06d}", f"第{number}柜面", "outlet", f"{province}0000"))
    for code, name, kind, parent in nodes:
        session.add(Outlet(code=code, name=name, kind=kind, parent_code=parent, updated_at=now))
        session.flush()
        session.add(
            OutletSpan(code=code, name=name, kind=kind, parent_code=parent, valid_from=date(1900, 1, 1))
        )


def load(home: Path, scale: int) -> None:
    """The institution and its two years, closed; kept where they are already."""
    settings = Settings(_env_file=None, home=home, secret_key="bench")
    database = Database(settings.relational_url)
    SQLModel.metadata.create_all(database.engine)
    with database.transaction() as session:
        if not session.exec(select(Outlet.code).limit(1)).first():
            plant(session, datetime(2024, 1, 1, tzinfo=UTC))
        codes = session.exec(select(Outlet.code).where(Outlet.kind == "outlet").order_by(Outlet.code)).all()
    store = ReachStore.open(settings)
    begun = time.perf_counter()
    if not (home / "loaded").exists():
        outlets = [DemoOutlet(code, 1 + int(code[:2]) % 5) for code in codes]
        demo.load(store, outlets, [f"piece-{n}" for n in range(PIECES)], scale=scale)
        (home / "loaded").touch()
    store.close()
    database.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    whole = sum(TOTALS.values()) // scale
    print(
        f"scale {scale}: {whole:,} person-times, ready in {time.perf_counter() - begun:.0f} s, {peak:.1f} GiB"
    )


def questions() -> dict[str, Ask]:
    """What is asked, by its name."""
    asked = {"compare": "year", "first": "2023-01-01", "last": "2023-12-31"}
    return {
        "national year by outlet": reports.ask(by="outlet", **asked),
        "by channel": reports.ask(by="channel", **asked),
        "by month": reports.ask(by="month", **asked),
        "one province by outlet": reports.ask(by="outlet", within="330000", **asked),
        "one outlet by day": reports.ask(by="day", within="33000022", **asked),
        "top pieces": reports.ask(by="piece", **asked),
    }


def timed(store: ReachStore, session: Session, asked: Ask, runs: int, *, whole: bool) -> Timed:
    """Ask one question, every time of a store that has forgotten what it answered."""
    took: dict[bool, list[float]] = {False: [], True: []}
    for people in (False, True):
        for number in range(runs + 1):
            store.forget_answers()
            begun = time.perf_counter()
            reports.report(store, session, replace(asked, people=people))
            if number:
                took[people].append((time.perf_counter() - begun) * 1000)
    raw = snapshot.take(store, FIRST, raw_only=True)
    tree = Tree.read(session)
    question = replace(asked.question, people=False)
    if not whole:  # kinds named: the same gross, and nothing de-duplicated
        question = replace(question, where=(("kind", FIRST.kinds),))
    begun = time.perf_counter()
    for period in (asked.compared.period, asked.compared.base):
        assert period
        measure.measure(store, tree, question, period, FIRST, snapshot=raw)
    return Timed(_p95(took[False]), _p95(took[True]), (time.perf_counter() - begun) * 1000)


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


def people_error(store: ReachStore, session: Session) -> float:
    """The largest relative error of people: everybody, by channel, by piece, by province, by month."""
    worst = 0.0
    for by, key in {
        "channel": "channel",
        "piece": "piece",
        "province": "left(outlet, 2)",
        "month": "toMonth(day)",
    }.items():
        report = reports.report(
            store, session, reports.ask("2023-01-01", "2023-12-31", by=by, compare="none")
        )
        exact = dict(
            store.query(
                f"SELECT toString({key}) AS k, uniqExact(visitor) FROM reach_event WHERE toYear(day) = 2023 "
                "AND visitor != 0 AND kind IN ('delivered', 'visited', 'attended') GROUP BY k "
                "SETTINGS max_bytes_before_external_group_by = 3000000000"
            )
        )
        for line in report.rows:
            name = {
                "province": line.key[:2],
                "month": str(int(line.key[-2:] or 0)) if by == "month" else "",
            }.get(by, line.key)
            if line.people and exact.get(name):
                worst = max(worst, abs(line.people / exact[name] - 1))
    return worst


def ask(home: Path, scale: int, runs: int, *, errors: bool) -> dict[str, Timed]:
    """Every question; also checks that the totals are exact."""
    settings = Settings(_env_file=None, home=home, secret_key="bench")
    database, store = Database(settings.relational_url), ReachStore.open(settings)
    found = {}
    with database.reading() as session:
        for name, asked in questions().items():
            whole = scale >= 10 or bool(asked.within)
            found[name] = timed(store, session, asked, runs, whole=whole)
            one = found[name]
            print(
                f"{name:<26}{one.p95:9.1f} ms{one.people:9.1f} ms with people{one.raw:11.1f} ms from raw"
                f"{one.raw / one.p95:9.1f} x"
            )
        total = reports.report(store, session, questions()["national year by outlet"]).total
        assert (total.gross, total.gross_before) == (Year.at(2023, scale).total, Year.at(2022, scale).total)
        if errors:
            print(f"ERROR {people_error(store, session)}")
    store.close()
    database.close()
    return found


def _apart(step: str, home: Path, scale: int, runs: int) -> list[str]:
    """One step in a process of its own, so that none warms another; its last lines."""
    command = [sys.executable, "-m", "bench.report", "--step", step, "--home", str(home)]
    command += ["--scale", str(scale), "--runs", str(runs)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    print("\n".join(line for line in lines if not line.startswith("TIMED")), flush=True)
    return lines


def measured(home: Path, scale: int, runs: int) -> tuple[dict[str, Timed], float]:
    """Load and ask at one scale."""
    home.mkdir(parents=True, exist_ok=True)
    _apart("load", home, scale, runs)
    lines = _apart("ask", home, scale, runs)
    error = next(float(line.split()[1]) for line in lines if line.startswith("ERROR"))
    timed_lines = json.loads(next(line for line in lines if line.startswith("TIMED"))[6:])
    return {name: Timed(**one) for name, one in timed_lines.items()}, error


def main() -> None:
    """Each scale and step in a process of its own."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--scale", type=int, default=100)
    arguments.add_argument("--runs", type=int, default=20)
    arguments.add_argument("--home", type=Path, help="keep what is loaded here, and use it again")
    arguments.add_argument("--step", choices=("load", "ask"))
    chosen = arguments.parse_args()
    if chosen.step == "load":
        return load(chosen.home, chosen.scale)
    if chosen.step == "ask":
        found = ask(chosen.home, chosen.scale, chosen.runs, errors=True)
        print("TIMED " + json.dumps({name: asdict(one) for name, one in found.items()}))
        return None
    with folder() as scratch:
        home = chosen.home or scratch
        at_scale, error = measured(home / f"scale-{chosen.scale}", chosen.scale, chosen.runs)
        small = at_scale if chosen.scale == 100 else measured(home / "scale-100", 100, chosen.runs)[0]
    result = {
        "p95_ms": round(max(one.p95 for one in at_scale.values()), 1),
        "p95_people_ms": round(max(one.people for one in at_scale.values()), 1),
        "speedup": round(min(one.raw / one.p95 for one in at_scale.values()), 1),
        "growth": round(max(one.p95 / small[name].p95 for name, one in at_scale.items()), 2),
        "people_error": round(error, 4),
    }
    print("RESULT " + json.dumps(result))
    return None


if __name__ == "__main__":
    main()
