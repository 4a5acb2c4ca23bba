"""Beacons counted durably, against nginx answering 204 with a buffered access log; then kill -9 under load.

Both have one worker; wrk drives them in turn with the same beacons over the same number of connections.
Afterwards a client posts beacons of distinct visitors while the server is killed and started again, and the
store is asked for every one that was answered.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import Server, folder, nginx, serve, wrk
from core.settings import Settings
from core.signing import Keys, load_secret
from tracking.attribution import Attribution, Attributions, PageKeys
from tracking.collector import PATH
from tracking.drain import Drain
from tracking.recorder import Recorder
from tracking.store import ReachStore
from webapp.runtime import build

AGENT = "Mozilla/5.0 (Linux; Android 13; PGT-AN10) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"
CONNECTIONS, CLIENTS = 32, 8
ANSWERED_SECONDS = 1.5  # of load before each kill
_FIRST = 1 << 62  # visitors of the kills; those of the measurement are small numbers
_LUA = """
local addresses, requests, turn = {%s}, {}, 0
function init()
  for number = 1, 2000 do
    local headers = {["User-Agent"] = "%s", ["Cookie"] = string.format("sp_v=%%016x", number)}
    requests[number] = wrk.format("POST", addresses[number %% #addresses + 1], headers)
  end
end
function request()
  turn = turn %% #requests + 1
  return requests[turn]
end
"""


def _addresses(home: Path) -> list[str]:
    """Beacons of 20 pages, 20 outlets and 3 kinds, as our pages send them."""
    home.mkdir(parents=True, exist_ok=True)
    attributions = Attributions(Keys(load_secret(Settings(home=home))))
    seals = [attributions.seal(PageKeys(f"piece-{number}", "gold-month")) for number in range(20)]
    links = [attributions.sign(Attribution("gold-month", f"1101{n:04}", "wechat")) for n in range(20)]
    kinds = ("engaged", "completed", "shared")
    return [f"{PATH}?k={k}&p={p}&a={a}" for k in kinds for p in seals for a in links]


@dataclass
class Client:
    """Posts beacons of visitors nobody else has, and remembers which were answered 2xx."""

    port: int
    address: str
    first: int
    answered: list[int] = field(default_factory=list)

    def run(self) -> None:
        """Post until the server is gone."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        visitor = self.first
        try:
            while True:
                visitor += 1
                headers = {"User-Agent": AGENT, "Cookie": f"sp_v={visitor:016x}"}
                connection.request("POST", self.address, headers=headers)
                answer = connection.getresponse()
                answer.read()
                if 200 <= answer.status < 300:
                    self.answered.append(visitor)
        except (OSError, http.client.HTTPException):
            connection.close()


def measure(home: Path, rounds: int, seconds: int, target: str) -> tuple[list[tuple[float, float]], int]:
    """Answers per second of ours and of nginx, round by round, and how many beacons ours answered."""
    script = _LUA % (",".join(f'"{address}"' for address in _addresses(home)), AGENT)
    rates, answers = [], 0
    ours = serve(target, {"SIGNPOST_HOME": str(home)})
    try:
        with nginx(home / "nginx", "location / { return 204; }") as other:
            for number in range(rounds + 1):
                mine = wrk(ours.url + "/r", seconds if number else 2, script, CONNECTIONS)
                theirs = wrk(other.url + "/r", seconds if number else 2, script, CONNECTIONS)
                if mine.bad or theirs.bad:
                    raise SystemExit(f"answers that were not 204: ours {mine.bad}, nginx {theirs.bad}")
                answers += mine.answers
                if number:  # the first round is for warming up
                    rates.append((mine.per_second, theirs.per_second))
    finally:
        ours.stop()
    return rates, answers


def kill_under_load(home: Path, kills: int, target: str) -> set[int]:
    """Kill the server under load, several times over; the visitors whose beacons were answered 2xx."""
    address = _addresses(home)[0]
    answered: set[int] = set()
    for number in range(kills):
        ours = serve(target, {"SIGNPOST_HOME": str(home)})
        clients = [Client(ours.port, address, _FIRST + (number * CLIENTS + n << 32)) for n in range(CLIENTS)]
        _load_and_kill(ours, clients)
        for client in clients:
            answered.update(client.answered)
    return answered


def _load_and_kill(ours: Server, clients: list[Client]) -> None:
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    time.sleep(ANSWERED_SECONDS)
    ours.kill_now()
    for thread in threads:
        thread.join()


def stored(home: Path) -> tuple[dict[int, int], int]:
    """Drain what is left; how often the store holds each visitor of the kills, and all other events."""
    runtime = build(Settings(home=home))
    runtime.service(Recorder)
    runtime.service(Drain).run_once()
    store = runtime.service(ReachStore)
    rows = store.query(f"SELECT visitor, count() FROM reach_event WHERE visitor >= {_FIRST} GROUP BY visitor")
    others = store.query(f"SELECT count() FROM reach_event WHERE visitor < {_FIRST}")
    runtime.close()
    return {int(visitor): int(number) for visitor, number in rows}, int(others[0][0])


def main() -> None:
    """Measure, kill, print the tables and the result."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--kills", type=int, default=3)
    arguments.add_argument("--target", default="webapp.wsgi:build_application")
    chosen = arguments.parse_args()
    with folder() as home:
        signpost = str(Path(sys.executable).with_name("signpost"))
        environment = {**os.environ, "SIGNPOST_HOME": str(home)}
        subprocess.run([signpost, "setup"], env=environment, check=True, stdout=subprocess.DEVNULL)
        rates, answers = measure(home, chosen.rounds, chosen.seconds, chosen.target)
        answered = kill_under_load(home, chosen.kills, chosen.target)
        rows, measured = stored(home)
    print(f"{CONNECTIONS} connections, one worker each\n   ours/s    nginx/s   ratio")
    for mine, theirs in rates:
        print(f"{mine:9.0f}  {theirs:9.0f}   {mine / theirs:5.2f}")
    ratio = statistics.median(mine / theirs for mine, theirs in rates)
    lost = len(answered - rows.keys()) + max(0, answers - measured)
    doubled = sum(number - 1 for number in rows.values())
    print(f"measured: {answers} answered, {measured} stored (an answer cut off by wrk's end is stored too)")
    print(
        f"{chosen.kills} kills: {len(answered)} answered, {len(rows)} stored, {lost} lost, {doubled} doubled"
    )
    print("RESULT " + json.dumps({"ratio": round(ratio, 3), "lost": lost, "doubled": doubled}))


if __name__ == "__main__":
    main()
