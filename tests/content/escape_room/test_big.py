"""A big room is proved in time, and its faults are found among all that is good."""

from content.escape_room.proof import prove
from tests.content.escape_room import making

MOST = 2_000  # it was 1,360 when this was written


def test_twelve_scenes_and_thirty_items_are_proved_from_few_states() -> None:
    """How long that takes is measured by `bench.room_check`; that it stays short follows from how few are looked at."""
    room = making.read(making.big())
    assert (len(room.scenes), len(room.items)) == (12, 30)
    report = prove(room)
    assert report.good and report.complete and report.states < MOST
    assert set(report.shortest) == {"good", "soft", "bad"} and report.longest


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
