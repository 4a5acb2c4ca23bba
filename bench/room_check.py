"""How long a big room takes to be proved and played: `python -m bench.room_check`.

A room of 12 scenes and 30 items made by the tests: processor time of the proof (the room is good, so that all of it
is looked at), and of a step with the view after it, along the longest way. Ends with `RESULT {"prove_s", "states",
"step_us", "view_us", "state_bytes"}`.
"""

import json
import time

from content.escape_room.compiling import compile_room
from content.escape_room.proof import prove
from content.escape_room.rules import start, step
from content.escape_room.state import encode
from content.escape_room.view import view
from tests.content.escape_room import making

RUNS = 20


def main() -> None:
    room = making.read(making.big())
    begun = time.process_time()
    report = prove(room)
    took = time.process_time() - begun
    if not report.good or report.longest is None:
        raise SystemExit("\n".join(str(fault) for fault in report.faults))
    game = compile_room(room)
    steps, views, longest = [], [], 0
    for _ in range(RUNS):
        begun = time.process_time()
        states = [start(game)]
        for action in report.longest.actions:
            states.append(step(game, states[-1], action)[0])
        between = time.process_time()
        for state in states:
            view(game, state)
        steps.append((between - begun) / len(states))
        views.append((time.process_time() - between) / len(states))
        longest = max(len(encode(game, state)) for state in states)
    result = {
        "prove_s": round(took, 2),
        "states": report.states,
        "step_us": round(sorted(steps)[RUNS // 2] * 1e6, 1),
        "view_us": round(sorted(views)[RUNS // 2] * 1e6, 1),
        "state_bytes": longest,
    }
    print(
        f"12 scenes, 30 items, {len(room.locks)} locks; the longest way has {len(report.longest.actions)} steps"
    )
    print("RESULT " + json.dumps(result))


if __name__ == "__main__":
    main()
