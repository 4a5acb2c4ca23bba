"""Forms made from the models: nothing is lost, every field is there, faults stand at their fields."""

from typing import Any

import pytest
from pydantic import BaseModel

from content.escape_room.format import Room, Scene
from content.making import document, rows, tree
from content.making.document import Part
from content.making.merging import merged
from content.making.parts import LOCKS, ONE, TABLES
from content.making.spec import specs
from tests.content.making.test_splicing import TEXT, data

PARTS = [("about", "room"), *((table, name) for table in TABLES for name in data().get(table, {}))]


def part(table: str, name: str) -> tuple[Part, tree.Values]:
    mine = document.part(data(), table, name)
    return mine, document.values(data(), mine)


def sent(mine: Part, values: tree.Values) -> tuple[str, list[tree.Field]]:
    fields = tree.build(mine.model, values, mine.place)
    return document.put(TEXT, mine, fields), fields


@pytest.mark.parametrize("table, name", PARTS)
def test_a_form_that_is_sent_as_it_came_changes_not_one_letter(table: str, name: str) -> None:
    mine, values = part(table, name)
    assert sent(mine, values)[0] == TEXT


@pytest.mark.parametrize("model", [Room, *ONE.values(), *LOCKS.values()], ids=lambda one: one.__name__)
def test_every_field_of_the_format_is_in_its_form(model: type[BaseModel]) -> None:
    """A field that the format gets later is in the form at once; the lists of a room have forms of their own."""
    known = {field.alias or name for name, field in model.model_fields.items()}
    apart = {*TABLES, "key", "kind"} if model is Room else set()
    assert {one.key for one in specs(model)} == known - apart
    for one in specs(model):
        assert one.label != one.key or one.kind == "fixed", (
            f"{model.__name__}.{one.key} has no name in Chinese"
        )


def test_what_the_form_does_not_know_stays() -> None:
    old = {"title": "甲", "secret": {"a": 1}, "box": [1, 2, 3, 4]}
    before = {"title": {"zh": "甲"}, "box": [1, 2, 3, 4]}
    assert merged(old, before, {**before, "box": [5, 2, 3, 4]}) == {**old, "box": [5, 2, 3, 4]}
    assert list(merged(old, before, {**before, "alt": {"zh": "乙"}})) == ["title", "secret", "box", "alt"]


def test_texts_lists_conditions_and_boxes_are_taken_over() -> None:
    mine, values = part("scenes", "living")
    values["text.zh"], values["hotspots.0.box.x"] = ["电话\r\n又响了"], ["12.5"]
    values["hotspots.1.then"], values["hotspots.2.when"] = ["[{note: wedding}, {mark: seen}]"], [""]
    after = data(sent(mine, values)[0])["scenes"]["living"]
    assert after["text"] == {"zh": "电话\n又响了", "en": "The telephone keeps ringing."}
    assert after["hotspots"]["granny"]["box"] == [12.5, 30, 20, 40]
    assert after["hotspots"]["photo"]["then"] == [{"note": "wedding"}, {"mark": "seen"}]
    assert "when" not in after["hotspots"]["drawer"]


@pytest.mark.parametrize(
    "path, value, at, words",
    [
        ("hotspots.2.when", "{not: {opened: x", "hotspots.2.when", "YAML"),
        ("hotspots.2.when", "{opened: *a}", "hotspots.2.when", "锚点"),
        ("hotspots.3.then", "{lock: fist}", "hotspots.3.then", "fist"),
        ("hotspots.3.then", "{lokc: first}", "hotspots.3.then", "没有这个字段"),
        ("hotspots.1.box.w", "99", "hotspots.1.box", "超出"),
        ("hotspots.1.box.w", "wide", "hotspots.1.box.w", "数字"),
        ("doors.0.to", "nowhere", "doors.0.to", "nowhere"),
        ("doors.0.label.zh", "", "doors.0.label", "中文"),
        ("hotspots.0.@", "Oma", "hotspots.0", "小写"),
        ("hotspots.0.@", "photo", "hotspots.1", "两次"),
        ("title.zh", "字" * 4001, "title", "4000"),
        ("alt.zh", "", "picture", "alt"),
    ],
)
def test_a_fault_stands_at_its_field(path: str, value: str, at: str, words: str) -> None:
    mine, values = part("scenes", "living")
    values[path] = [value]
    if path == "alt.zh":
        values["alt.en"] = [""]
    text, fields = sent(mine, values)
    if not tree.ill(fields):
        assert document.mark_faults(fields, mine, document.faults(text)) == []
    found: dict[str, list[str]] = {}
    for one in (inner for each in fields for inner in each.all()):
        found |= {one.path: one.faults} if one.faults else {}
        found |= {row.path: row.faults for row in one.rows if row.faults}
    assert list(found) == [at]
    assert words in found[at][0]


def test_a_fault_of_another_part_is_said_as_such() -> None:
    mine, values = part("items", "booklet")
    text, fields = sent(mine, values)
    other = text.replace("to: living", "to: nowhere")
    left = document.mark_faults(fields, mine, document.faults(other))
    assert [fault.place for fault in left] == [("scenes", "stairs", "doors", "back", "to")]


def names(values: tree.Values, path: str = "hotspots") -> list[str]:
    return [values[f"{path}.{number}.@"][0] for number in values[f"{path}.row"]]


def test_rows_are_added_moved_and_taken_away() -> None:
    _mine, values = part("scenes", "living")
    assert names(rows.acted(values, "down:hotspots.0"))[:2] == ["photo", "granny"]
    assert names(rows.acted(values, "up:hotspots.0")) == names(values)
    assert "photo" not in names(rows.acted(values, "remove:hotspots.1"))
    assert names(rows.acted(values, "add:hotspots"))[-1] == "hotspot-6"
    assert rows.acted(values, "remove:hotspots.99") == values
    assert rows.acted(values, "up:nothing") == values
    twice = rows.acted(rows.acted(values, "remove:hotspots.4"), "add:hotspots")
    assert len(set(names(twice))) == 5


def test_the_order_of_rows_is_the_order_of_the_file() -> None:
    mine, values = part("scenes", "living")
    after = data(sent(mine, rows.acted(values, "down:hotspots.0"))[0])["scenes"]["living"]
    assert list(after["hotspots"]) == ["photo", "granny", "drawer", "phone", "mobile"]
    assert list(after) == list(data()["scenes"]["living"])


def test_a_form_made_up_by_somebody_is_no_danger() -> None:
    values: dict[str, Any] = {
        "hotspots.row": ["0", "0", "x", "-1", "99999", *map(str, range(500))],
        "title.zh": ["a"],
    }
    fields = tree.build(Scene, values, ("scenes", "hall"))
    assert len(next(one for one in fields if one.path == "hotspots").rows) <= tree.MOST_ROWS
