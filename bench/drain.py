"""The drain, from sealed segments to rows, against the engine reading the very same files unasked.

Both fill the same tables of a store of their own, views included, one after the other in every round. What
the engine does alone is what its own INSERT … FORMAT TabSeparated makes of the files, or its INSERT … SELECT
from them if that is faster: no line is looked at, nothing is remembered, no file is deleted.
"""

import argparse
import gc
import json
import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bench.load import folder
from core.settings import Settings
from core.signing import Keys
from tracking import intake
from tracking.attribution import Attribution, Attributions, PageKeys
from tracking.drain import Drain
from tracking.events import COLUMNS
from tracking.recorder import Recorder
from tracking.spool import Spool
from tracking.store import ReachStore

AGENT = "Mozilla/5.0 (Linux; Android 13; PGT-AN10) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"
OUTLETS, PIECES, VISITORS = 2500, 40, 100_000

Fill = Callable[[ReachStore, Settings], object]


def written(home: Path, events: int) -> list[Path]:
    """Segments as visits of the whole country leave them: links of all outlets, known and new visitors."""
    settings = Settings(home=home)
    spool = Spool(settings.spool_dir, 3600.0, settings.spool_seal_bytes)
    attributions = Attributions(Keys(b"of the benchmark"))
    recorder = Recorder(spool, attributions, settings)
    chance = random.Random(1)
    links = [
        attributions.sign(Attribution("gold-month", f"{11 + number % 31}{number:06}", "wechat"))
        for number in range(OUTLETS)
    ]
    pages = [PageKeys(f"piece-{number}", "gold-month") for number in range(PIECES)]
    people = [chance.getrandbits(64) for _ in range(VISITORS)]
    for number in range(events):
        cookie = f"sp_v={chance.choice(people):016x}; sp_a={chance.choice(links)}"
        request = {"REQUEST_METHOD": "GET", "HTTP_USER_AGENT": AGENT, "HTTP_COOKIE": cookie}
        recorder.visit(request, pages[number % PIECES])
    spool.close()
    return spool.sealed()


def ours(store: ReachStore, settings: Settings) -> None:
    """What `serve` does."""
    Drain(Spool(settings.spool_dir), store).run_once()


def values(store: ReachStore, settings: Settings) -> None:
    """The engine's INSERT of each file."""
    for path in Spool(settings.spool_dir).sealed():
        store.command(
            f"INSERT INTO reach_event ({', '.join(COLUMNS)}) FROM INFILE '{path}' FORMAT TabSeparated"
        )


def select(store: ReachStore, settings: Settings) -> None:
    """The engine's INSERT … SELECT from each file, as the drain's own but without a token."""
    for path in Spool(settings.spool_dir).sealed():
        store.command(intake.statement(path) or "")


def rate(fill: Fill, segments: list[Path], events: int) -> float:
    """Events a second from these segments into a new store."""
    with folder() as home:
        settings = Settings(home=home)
        settings.spool_dir.mkdir(parents=True)
        for path in segments:
            os.link(path, settings.spool_dir / path.name)
        store = ReachStore.open(settings)
        gc.collect()
        began = time.perf_counter()
        fill(store, settings)
        seconds = time.perf_counter() - began
        rows, counted = store.query(
            "SELECT (SELECT count() FROM reach_event), (SELECT sum(rows) FROM reach_counted)"
        )[0]
        store.close()
    if rows != events or counted != events:
        raise SystemExit(f"{events:,} events, {rows:,} rows, {counted:,} counted by the view")
    return events / seconds


def main() -> None:
    """Measure, print the table and the result."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--events", type=int, default=500_000)
    arguments.add_argument("--rounds", type=int, default=5)
    chosen = arguments.parse_args()
    fills: tuple[Fill, ...] = (ours, values, select)
    with folder() as home:
        segments = written(home, chosen.events)
        size = sum(path.stat().st_size for path in segments)
        print(f"{chosen.events:,} events in {len(segments)} segments, {size / 1e6:.0f} MB")
        rate(ours, segments[:1], segments[0].read_bytes().count(b"\n"))  # for warming up
        rounds = [[rate(fill, segments, chosen.events) for fill in fills] for _ in range(chosen.rounds)]
    print("    ours/s   INSERT/s   INSERT SELECT/s   ratio to the faster")
    for mine, *engine in rounds:
        print(f"{mine:10,.0f} {engine[0]:10,.0f} {engine[1]:17,.0f} {mine / max(engine):21.2f}")
    ratio = statistics.median(mine / max(engine) for mine, *engine in rounds)
    speed = statistics.median(mine for mine, *_engine in rounds)
    print("RESULT " + json.dumps({"ratio": round(ratio, 3), "events_per_s": round(speed)}))


if __name__ == "__main__":
    main()
