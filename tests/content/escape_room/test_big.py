"""A big room is proved in time, and its faults are found among all that is good."""

import cProfile

from content.escape_room.proof import prove
from tests.content.escape_room import making

# The two seconds in which such a room is to be proved, as work that is the same on every machine: 3,506,000 calls of
# functions for 1,360 states took 1.2 s when this was written. `bench.room_check` says the seconds.
MOST_CALLS, MOST_STATES = 3_700_000, 2_000


def test_twelve_scenes_and_thirty_items_are_proved_with_little_work() -> None:
    room, work = making.read(making.big()), cProfile.Profile()
    assert (len(room.scenes), len(room.items)) == (12, 30)
    report = work.runcall(prove, room)
    assert report.good and report.complete and report.states < MOST_STATES
    assert set(report.shortest) == {"good", "soft", "bad"} and report.longest
    assert sum(entry.callcount for entry in work.getstats()) < MOST_CALLS


def test_one_item_that_can_be_left_behind_is_found_in_the_big_room() -> None:
    data = making.big()
    gate = data["scenes"]["scene-7"]["doors"]["on"]
    gate["when"] = {"all": [gate["when"], {"has": "item-4"}]}
    report = prove(making.read(data))
    dead = [fault for fault in report.faults if fault.kind == "dead_end"]
    assert dead and all("item-4" in fault.missing for fault in dead)
    assert "往前" in dead[0].path[-1]


def test_the_proof_says_the_same_twice() -> None:
    data = making.big(scenes=4, items=6)
    assert prove(making.read(data)).as_json() == prove(making.read(data)).as_json()
