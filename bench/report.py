"""Year by outlet with year-over-year, at scale 100 and with ten times as much: `python -m bench.report`.

Ends with `RESULT {"growth": time at 10 ÷ time at 100}`, to be at most 3; medians are printed too.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from sqlmodel import Session, SQLModel

from core.database import Database
from core.settings import Settings
from institution.models import Outlet, OutletSpan
from tracking import demo, reports
from tracking.demo_plan import TOTALS, DemoOutlet
from tracking.store import ReachStore
from webapp import tables

RUNS = 9
OUTLETS, PROVINCES = 2_500, 31
assert tables  # importing it makes the metadata complete


def plant(session: Session, now: datetime) -> list[DemoOutlet]:
    """A head office, 31 provinces, 2,500 outlets, each with the span that names it."""
    nodes: list[tuple[str, str, str, str | None]] = [("100000", "总公司", "head_office", None)]
    nodes += [
        (f"{11 + number}0000", f"第{number}分公司", "province", "100000") for number in range(PROVINCES)
    ]
    outlets = []
    for number in range(OUTLETS):
        province = 11 + number % PROVINCES
        nodes.append((f"{province}{number:06d}", f"第{number}柜面", "outlet", f"{province}0000"))
        outlets.append(DemoOutlet(nodes[-1][0], 1 + province % 5))
    for code, name, kind, parent in nodes:
        session.add(Outlet(code=code, name=name, kind=kind, parent_code=parent, updated_at=now))
        session.flush()
        session.add(
            OutletSpan(code=code, name=name, kind=kind, parent_code=parent, valid_from=date(1900, 1, 1))
        )
    return outlets


def measure(scale: int) -> float:
    """The median seconds of the report at a scale; also checks that its totals are exact."""
    with tempfile.TemporaryDirectory(prefix="signpost-bench-") as folder:
        settings = Settings(_env_file=None, home=Path(folder), secret_key="bench")
        database = Database(settings.relational_url)
        SQLModel.metadata.create_all(database.engine)
        with database.transaction() as session:
            outlets = plant(session, datetime(2024, 1, 1, tzinfo=UTC))
        store = ReachStore.open(settings)
        begun = time.perf_counter()
        totals = demo.load(store, outlets, scale=scale)
        loaded = time.perf_counter() - begun
        asked = reports.ask("2023-01-01", "2023-12-31", by="outlet", compare="year")
        seconds = []
        for _ in range(RUNS + 1):
            begun = time.perf_counter()
            with database.reading() as session:
                report = reports.report(store, session, asked)
            seconds.append(time.perf_counter() - begun)
        store.close()
        database.close()
        assert (report.total.gross, report.total.gross_before) == (totals[2023], totals[2022])
        assert len(report.rows) == OUTLETS + 1
        median = statistics.median(seconds[1:])
        whole = sum(TOTALS.values()) // scale
        print(
            f"scale {scale:>4}: {whole:>12,} person-times, loaded in {loaded:6.1f} s, report {median * 1000:7.1f} ms"
        )
        return median


def main() -> None:
    """Each scale in a process of its own, so that neither warms the other."""
    if len(sys.argv) == 2:
        print(f"SECONDS {measure(int(sys.argv[1]))}")
        return
    medians = {}
    for scale in (100, 10):
        command = [sys.executable, "-m", "bench.report", str(scale)]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        print(lines[-2])
        medians[scale] = float(lines[-1].removeprefix("SECONDS "))
    print("RESULT " + json.dumps({"growth": round(medians[10] / medians[100], 2)}))


if __name__ == "__main__":
    main()
