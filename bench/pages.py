"""A published page, served, its view counted and durable, against nginx serving the same bytes uncounted.

Both have one worker; wrk drives them in turn over the same number of connections, as a visitor who comes
back (with the visitor's cookie). Then pages are asked for at half that rate while the same process drains a
million events and makes one national report after the other. Afterwards the store is asked whether it holds
every view answered.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import urllib.request
from pathlib import Path

from bench import busy
from bench.load import Server, folder, nginx, serve, wrk
from core.settings import Settings
from tracking.store import ReachStore
from webapp.runtime import build

SIGNPOST = str(Path(sys.executable).with_name("signpost"))
AGENT = "Mozilla/5.0 (Linux; Android 13; PGT-AN10) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"
SCRIPT = f"""wrk.headers["User-Agent"] = "{AGENT}"
wrk.headers["Cookie"] = "sp_v=00c0ffee00c0ffee"
"""
CONNECTIONS = 32


def _page(server: Server, path: str) -> bytes:
    request = urllib.request.Request(server.url + path, headers={"User-Agent": AGENT})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return bytes(answer.read())


def _counted(home: Path) -> int:
    """Views of the benchmark's visitor in the store, after everything in the spool was shipped."""
    environment = {**os.environ, "SIGNPOST_HOME": str(home)}
    subprocess.run([SIGNPOST, "reach", "drain"], env=environment, check=True, stdout=subprocess.DEVNULL)
    runtime = build(Settings(home=home))
    rows = runtime.service(ReachStore).query(
        "SELECT sum(quantity) FROM reach_event WHERE visitor = {v:UInt64}", {"v": 0x00C0FFEE00C0FFEE}
    )
    runtime.close()
    return int(rows[0][0] or 0)


def main() -> None:
    """Measure, print the table and the result."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--path", default="/p/full-surrender")
    arguments.add_argument("--scale", type=int, default=100, help="of the demo reach that is reported on")
    chosen = arguments.parse_args()
    with folder() as scratch:
        home = scratch / "home"
        environment = {"SIGNPOST_HOME": str(home)}
        subprocess.run(
            [SIGNPOST, "setup"], env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL
        )
        ours = serve("webapp.wsgi:build_application", environment)
        try:
            body = _page(ours, chosen.path)
            (scratch / "page.html").write_bytes(body)
            with nginx(scratch / "nginx", f"root {scratch}; access_log off;") as static:
                rates = _rounds(ours, static, chosen.path, chosen.rounds, chosen.seconds)
        finally:
            ours.stop()
        half = statistics.median(mine for mine, _, _ in rates) / 2
        beside = _beside(scratch, home, chosen.path, half, chosen.scale)
        counted = _counted(home)
    _report(rates, len(body), counted, beside)


def _beside(scratch: Path, home: Path, path: str, per_second: float, scale: int) -> busy.Busy:
    """Pages at half load beside drain and report, on two years of demo reach."""
    environment = {**os.environ, "SIGNPOST_HOME": str(home)}
    load = [SIGNPOST, "demo", "load", "--scale", str(scale)]
    subprocess.run(load, env=environment, check=True, stdout=subprocess.DEVNULL)
    segments = busy.prepare(scratch)
    ours = serve("webapp.wsgi:build_application", {"SIGNPOST_HOME": str(home)})
    try:
        wrk(ours.url + path, 2, SCRIPT, CONNECTIONS)
        return busy.measure(ours, home, path, SCRIPT, per_second=per_second, segments=segments)
    finally:
        ours.stop()


def _rounds(
    ours: Server, static: Server, path: str, rounds: int, seconds: int
) -> list[tuple[float, float, int]]:
    wrk(ours.url + path, 2, SCRIPT, CONNECTIONS)
    wrk(static.url + "/page.html", 2, SCRIPT, CONNECTIONS)
    rates = []
    for _ in range(rounds):
        mine = wrk(ours.url + path, seconds, SCRIPT, CONNECTIONS)
        theirs = wrk(static.url + "/page.html", seconds, SCRIPT, CONNECTIONS)
        if mine.bad or theirs.bad:
            raise SystemExit(f"answers that were not 200: ours {mine.bad}, nginx {theirs.bad}")
        rates.append((mine.per_second, theirs.per_second, int(mine.per_second * seconds)))
    return rates


def _report(rates: list[tuple[float, float, int]], size: int, counted: int, beside: busy.Busy) -> None:
    ratio = statistics.median(mine / theirs for mine, theirs, _ in rates)
    print(f"page of {size / 1024:.1f} kB, {CONNECTIONS} connections, one worker each")
    print("   ours/s    nginx/s   ratio")
    for mine, theirs, _ in rates:
        print(f"{mine:9,.0f}  {theirs:9,.0f}   {mine / theirs:5.2f}")
    served = sum(count for _, _, count in rates)
    print(f"views in the store {counted:,} for about {served:,} measured answers and a warm-up")
    if counted < served:
        raise SystemExit(f"views were lost: {served - counted:,}")
    print(
        f"beside {beside.drained:,} events drained and {beside.reports} national reports: "
        f"{beside.per_second:,.0f} pages/s, p99 {beside.p99_ms:.1f} ms"
    )
    result = {"ratio": round(ratio, 3), "counted": counted, "p99_ms": round(beside.p99_ms, 2)}
    print("RESULT " + json.dumps(result))


if __name__ == "__main__":
    main()
