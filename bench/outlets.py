"""Importing 2,900 outlets through the command line, process start included: `python -m bench.outlets`."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlmodel import SQLModel

from core.database import Database
from core.settings import Settings
from institution import outlet_output
from institution.models import Outlet
from webapp import demo_tree, tables  # noqa: F401  (all tables register themselves)

ROWS = 2_900
PROGRAM = "from webapp.cli import main; main()"


def main() -> None:
    """Write the file, import it into an empty tree, once more unchanged, once more with every name changed."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        database = Database(Settings(_env_file=None, home=home).relational_url)
        SQLModel.metadata.create_all(database.engine)
        database.close()
        nodes = sorted(demo_tree.tree(), key=lambda each: each.values["kind"] == "outlet")[:ROWS]
        results: dict[str, float] = {"rows": len(nodes)}
        for name in ("csv", "xlsx"):
            file = home / f"outlets.{name}"
            file.write_bytes(outlet_output.export(_rows(nodes, ""), xlsx=name == "xlsx"))
            results[f"{name}_s"], results[f"{name}_cpu_s"] = _import(home, file)
        renamed = home / "renamed.csv"
        renamed.write_bytes(outlet_output.export(_rows(nodes, "新"), xlsx=False))
        results["rename_s"], results["rename_cpu_s"] = _import(home, renamed)
        print("RESULT", json.dumps({"seconds": results["csv_s"], **results}))


def _rows(nodes: list[demo_tree.Planned], suffix: str) -> list[Outlet]:
    return [Outlet(**(each.values | {"name": each.values["name"] + suffix})) for each in nodes]


def _import(home: Path, file: Path) -> tuple[float, float]:
    """Seconds by the clock, and of processor time, which other work on the machine does not lengthen."""
    environment = {**os.environ, "SIGNPOST_HOME": str(home)}
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "outlets", "import", str(file)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - begun
    print(f"{file.name}: {seconds:.2f} s  {done.stdout.strip()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(seconds, 2), round(cpu, 2)


if __name__ == "__main__":
    main()
