"""The picture of a room: every part in it, none upon another, what is not reached beneath and grey."""

from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from content.escape_room import reading
from content.escape_room.format import Room
from content.escape_room.proof import prove
from content.making import drawing
from content.making.layout import HEIGHT, WIDTH, layout
from content.making.splicing import spliced
from tests.content.making.test_splicing import TEXT, data

_NAMES = [f"n{number}" for number in range(9)]


@given(st.lists(st.tuples(st.sampled_from(_NAMES), st.sampled_from(_NAMES)), max_size=24))
@settings(max_examples=60, deadline=None)
def test_boxes_never_lie_upon_each_other_and_lines_lead_onward(edges: list[tuple[str, str]]) -> None:
    made = layout(_NAMES, edges, "n0")
    assert set(made.spots) == set(_NAMES)
    for one, other in combinations(made.spots.values(), 2):
        assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT
    for spot in made.spots.values():
        assert spot.x >= 0 and spot.x + WIDTH <= made.width and spot.y + HEIGHT <= made.height
    assert all(path.startswith("M") for path in made.paths)
    reached = {"n0"}
    for _turn in _NAMES:
        reached |= {target for source, target in edges if source in reached}
    assert {name for name, spot in made.spots.items() if spot.reached} == reached
    assert layout(_NAMES, edges, "n0") == made


def room(change: dict[str, Any] | None = None) -> Room:
    found, faults = reading.read_text(spliced(TEXT, change) if change else TEXT)
    assert found is not None, faults
    return found


def test_a_proved_room_has_nothing_marked() -> None:
    made = drawing.draw(room(), prove(room()).faults, "zh")
    assert not any(node.faults or node.lost for node in made.nodes)
    assert [node.title for node in made.nodes if node.start] == ["客厅"]


def test_what_is_not_reached_is_grey_and_its_fault_stands_at_it() -> None:
    new = data()
    new["scenes"]["attic"] = {"title": "阁楼<b>", "text": "空"}
    found = room(new)
    made = drawing.draw(found, prove(found).faults, "zh")
    (attic,) = [node for node in made.nodes if node.name == "attic"]
    assert attic.lost and attic.faults == 1 and "走不到" in attic.label
    listed = drawing.rows(found, prove(found).faults, "zh")["scenes"]
    assert [(row.name, row.lost) for row in listed][-1] == ("attic", True)
    stairs = next(row for row in listed if row.name == "stairs")
    assert {"客厅", "柜面"} <= set(stairs.leads)


def test_long_titles_are_broken_into_two_lines() -> None:
    new = data()
    new["scenes"]["living"]["title"] = {
        "zh": "很长很长很长很长很长很长很长的标题还有一截",
        "en": "Supercalifragilisticexpialidocious room of all",
    }
    for lang in ("zh", "en"):
        node = drawing.draw(room(new), (), lang).nodes[0]
        assert len(node.lines) == 2 and node.lines[1].endswith("…")
