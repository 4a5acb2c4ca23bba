"""Steps of a room over HTTP to one worker: `python -m bench.room`.

Plays at random, written beforehand: looks, moves, talks, right answers, and about one step in ten a wrong one. Each is
sent as the page's script sends it: the state is verified, the answer judged (and written down when it is wrong), the next
view rendered, begun and finished plays counted; the limit per address counts, too. First as many as go, then half of
that for the slowest one in a hundred. Last the first scene: the page, its style sheets, scripts and pictures, with
their headers, as they go over the wire to a browser that has nothing yet.

Ends with `RESULT {"steps_per_s", "p99_ms": at half load, "first_scene_kb"}`.
"""

import gzip
import http.client
import json
import random
import re
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

from bench.load import Server, folder, serve
from bench.posting import Posted, post_all
from content import history
from content.escape_room import rules
from content.escape_room.moves import Possible, moves
from content.escape_room.rules import Action
from content.escape_room.state import State, encode
from content.models import Kind
from content.rooms import envelope
from content.rooms.envelope import Envelopes
from content.rooms.games import Ready, ready_of
from core import clock
from core.database import Database
from core.settings import Settings
from core.signing import Keys
from institution import people
from tests.content import pieces
from webapp import migrate

SECRET, STEPS, IN_FLIGHT, ROUNDS, LONGEST = "bench-of-no-value", 8_000, 48, 3, 60
WRONG_AT_LOCKS = 0.4  # about a tenth of all steps
ROOT = Path(__file__).resolve().parent.parent
ROOMS = (ROOT / "webapp" / "starter" / "pieces", ROOT / "tests" / "content" / "escape_room" / "rooms")
HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded", "X-Scene": "1", "Accept-Encoding": "gzip",
    "Cookie": "sp_v=00000000000{n}ab", "X-Forwarded-For": "10.1.{n}.7", "User-Agent": "Mozilla/5.0 MicroMessenger",
}  # fmt: skip
Fields = list[tuple[str, str]]


def publish(database: Database, settings: Settings) -> Ready:
    """Put the first folder of rooms that is there on the site; the room with the most scenes."""
    source = next(path for path in ROOMS if list(path.glob("*/room.yaml")))
    now = clock.now()
    with database.transaction() as session:
        author, reviewer = (
            people.system_account(session, f"bench.{login}", name, now)
            for login, name in (("author", "量"), ("reviewer", "审"))
        )
        pieces.publish_folder(session, settings.files_dir, source, (author, reviewer), now)
        newest = history.newest_of_all(session)
        found = [ready_of(one) for one in newest if one.meta["kind"] == Kind.escape_room]
    return max(found, key=lambda one: len(one.game.places))


def fields(ready: Ready, action: Action) -> Fields:
    """An action as the page's form sends it."""
    value = action.value
    if action.verb == "say":
        return [("do", f"say:{value[0]}:{value[1]}")]
    if action.verb == "hint":
        return [("do", f"hint:{action.name}:{value[0]}")]
    if action.verb != "answer":
        return [("do", f"{action.verb}:{action.name}" if action.name else action.verb)]
    name = "code" if isinstance(value, str) else "row" if ready.names[action.name].judge.row else "pick"  # type: ignore[union-attr]
    return [
        ("do", f"answer:{action.name}"),
        *((name, str(one)) for one in ([value] if isinstance(value, str) else value)),
    ]


def steps(ready: Ready, luck: random.Random) -> Iterator[Fields]:
    """Plays without end: a player looks around at random, opens what stands in the way, one step in ten is wrong."""
    envelopes = Envelopes(Keys(SECRET.encode()))
    while True:
        play = envelope.begin(ready.revision, ready.beginning, clock.now().timestamp(), clock=True)
        state: State = ready.begin
        for _step in range(LONGEST):
            action = _chosen(list(moves(ready.game, state)), luck)
            sealed = envelopes.seal(play._replace(state=encode(ready.game, state)))
            yield [("state", sealed), *fields(ready, action)]
            state = rules.step(ready.game, state, action)[0]
            if state.ending:
                break


def _chosen(possible: Sequence[Possible], luck: random.Random) -> Action:
    """One of what is possible: before a lock mostly the right answer, else anything that leads on."""
    by_manner: dict[str, list[Action]] = {}
    for one in possible:
        by_manner.setdefault("right" if one.manner == "guess" else one.manner, []).append(one.action)
    if "right" in by_manner:
        manner = "wrong" if "wrong" in by_manner and luck.random() < WRONG_AT_LOCKS else "right"
        return luck.choice(by_manner[manner])
    onward = [
        action
        for manner, actions in by_manner.items()
        if manner not in ("leave", "wrong")
        for action in actions
    ]
    return luck.choice(onward or [possible[0].action])


def first_scene(server: Server, key: str) -> int:
    """Bytes over the wire, answers' headers with them, of the first scene and all that it needs."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    headers = {"Accept-Encoding": "gzip", "Content-Type": HEADERS["Content-Type"]}
    total, html = _fetched(connection, "POST", f"/play/{key}", "do=start", headers)
    needed = re.findall(
        r'<(?:link[^>]+rel="(?:stylesheet|icon)"[^>]+href|script[^>]+src|img[^>]+src)="([^"]+)"', html
    )
    for address in dict.fromkeys(needed):
        total += _fetched(connection, "GET", address, "", headers)[0]
    return total


def _fetched(
    connection: http.client.HTTPConnection, method: str, path: str, body: str, headers: dict[str, str]
) -> tuple[int, str]:
    connection.request(method, path, body, {**headers, "Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    data = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status}")
    size = len(data) + sum(len(name) + len(value) + 4 for name, value in answer.getheaders())
    return size, gzip.decompress(data).decode() if method == "POST" else ""


def _good(posted: Posted, expected: int) -> Posted:
    if posted.statuses != {200: expected}:
        raise SystemExit(f"answers: {dict(posted.statuses)} of {expected}")
    return posted


def main() -> None:
    """Measure, print a table and the result."""
    with folder() as scratch:
        settings = Settings(_env_file=None, home=scratch, secret_key=SECRET)
        database = Database(settings.relational_url)
        migrate.upgrade(database)
        ready = publish(database, settings)
        environment = {
            "SIGNPOST_HOME": str(scratch),
            "SIGNPOST_SECRET_KEY": SECRET,
            "SIGNPOST_TRUSTED_PROXIES": "1",
        }
        server = serve("webapp.wsgi:build_application", environment)
        try:
            result = measure(server, ready)
        finally:
            server.stop()
            database.close()
    print("RESULT " + json.dumps(result))


def measure(server: Server, ready: Ready) -> dict[str, float]:
    """Rounds of as many as go and of half of that, in turn."""
    endless = steps(ready, random.Random(1))
    path, full, half = f"/play/{ready.key}", [], []
    print(
        f"{ready.key}: {len(ready.game.places)} scenes, {len(ready.game.bolts)} locks\n steps/s   p99 ms at half of it"
    )
    for number in range(ROUNDS + 1):
        lines = [(path, urlencode(next(endless))) for _step in range(STEPS)]
        rate = STEPS / _good(post_all(server.port, lines, IN_FLIGHT, HEADERS), STEPS).seconds
        lines = [(path, urlencode(next(endless))) for _step in range(STEPS // 2)]
        calm = _good(post_all(server.port, lines, IN_FLIGHT, HEADERS, per_second=rate / 2), STEPS // 2)
        if number:  # the first round is for warming up
            full.append(rate)
            half.append(calm.p99)
            print(f"{rate:8.0f}   {calm.p99:6.1f}", flush=True)
    return {
        "steps_per_s": round(statistics.median(full)),
        "p99_ms": round(statistics.median(half), 1),
        "first_scene_kb": round(first_scene(server, ready.key) / 1024, 1),
    }


if __name__ == "__main__":
    main()
