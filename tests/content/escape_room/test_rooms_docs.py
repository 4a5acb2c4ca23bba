"""docs/rooms.md says what the code does; the sample has every kind of lock and English throughout."""

import re
from pathlib import Path
from typing import get_args

from content.escape_room import reading
from content.escape_room.conditions import FACTS, Clause, Condition
from content.escape_room.format import Dialogue, Door, Fact, Hotspot, Room, Scene
from content.escape_room.graph import graph
from content.escape_room.locks import Lock
from content.escape_room.outline import parts
from content.escape_room.proof import prove
from content.escape_room.texts import Text

TEXT = (Path(__file__).parents[3] / "docs/rooms.md").read_text(encoding="utf-8")
SAMPLE = Path(__file__).parent / "rooms" / "a-call"
LOCKS = {get_args(one.model_fields["kind"].annotation)[0]: one for one in get_args(get_args(Lock)[0])}


def section(heading: str) -> str:
    return TEXT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def names(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


def test_the_example_is_good_in_every_way() -> None:
    room, faults = reading.read_text(TEXT.split("````\n", 2)[1])
    assert room is not None, [str(fault) for fault in faults]
    report = prove(room)
    assert report.good, [str(fault) for fault in report.faults]


def test_every_field_is_told() -> None:
    assert set(Room.model_fields) <= names(section("The file"))
    assert set(Fact.model_fields) <= names(section("The file"))
    for part in (Scene, Hotspot, Door):
        assert set(part.model_fields) <= names(section("Scenes")), part
    assert set(Dialogue.model_fields) <= names(section("Dialogues"))
    told = names(section("Conditions and what happens")) | set(re.findall(r"`(\w+): ", TEXT))
    assert set(FACTS) | {field.alias or name for name, field in Condition.model_fields.items()} <= told
    assert set(Clause.model_fields) <= told | {"when"}


def test_every_kind_of_lock_is_told_with_its_fields() -> None:
    rows = [row for row in section("Locks").splitlines() if row.startswith("| `")]
    kinds = {row.split("|")[1].strip(" `"): names(row.split("|", 2)[2]) for row in rows}
    assert set(kinds) == set(LOCKS)
    common = names(section("Locks").split("| kind |")[0]) | {"limit", "hints", "needs", "kind", "options"}
    for kind, model in LOCKS.items():
        assert set(model.model_fields) <= common | kinds[kind], kind


def test_the_sample_has_every_kind_of_lock_and_english_for_every_text() -> None:
    room = reading.read_folder(SAMPLE).room
    assert {lock.kind for lock in room.locks.values()} == set(LOCKS)
    lacking = [
        at
        for at, part in parts(room)
        if isinstance(part, Text) and not part.en and re.search("[一-鿿]", part.zh)
    ]
    assert lacking == []


def test_the_graph_of_the_sample() -> None:
    made = graph(reading.read_folder(SAMPLE).room)
    ids = {node["id"] for node in made["nodes"]}
    assert len(ids) == len(made["nodes"]) == 3 + 2 + 7 + 3
    assert {edge["source"] for edge in made["edges"]} | {edge["target"] for edge in made["edges"]} <= ids
    edges = {(edge["source"], edge["target"], edge["kind"]) for edge in made["edges"]}
    assert {
        ("scene:living", "scene:stairs", "door"),
        ("scene:stairs", "lock:cards", "guard"),
        ("scene:living", "lock:drawer", "lock"),
        ("scene:outlet", "dialogue:clerk", "talk"),
        ("dialogue:clerk", "lock:steps", "lock"),
        ("lock:steps", "ending:safe", "end"),
        ("lock:caller", "ending:lost", "end"),
    } <= edges
    assert [node["name"] for node in made["nodes"] if node["start"]] == ["living"]
