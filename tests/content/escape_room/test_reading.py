"""What is wrong with a file is said with its line, its place, its scene or lock, all at once; tricks are refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from content.escape_room import reading, yamls
from content.escape_room.faults import RULES, RoomFault
from content.escape_room.format import metadata
from content.escape_room.references import WHAT
from content.escape_room.schema import schema
from content.faults import Faulty
from content.frontmatter import FrontMatter
from core.errors import Invalid
from core.i18n import using_locale
from tests.content.escape_room import making

SAMPLE = Path(__file__).parent / "rooms" / "a-call"
TEXT = """\
key: made
title: 房间
summary: 一个房间
minutes: 5
start: hall
scenes:
  hall:
    title: 大厅
    text: 这里
    hotspots:
      end:
        label: 走
        box: [10, 10, 20, 20]
        then: {end: good}
locks:
  box:
    kind: choice
    title: 盒子
    ask: 选
    options:
      yes: {text: 对, right: true}
      no: {text: 错}
endings:
  good: {title: 好, text: 好, tone: good}
"""


def faults(text: str) -> list[RoomFault]:
    room, found = reading.read_text(text)
    assert (room is None) == bool(found)
    return found


def test_the_text_is_good_and_names_like_yes_and_no_stay_names() -> None:
    room, found = reading.read_text(TEXT)
    assert not found and room is not None
    assert list(room.locks["box"].options) == ["yes", "no"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("old", "new", "kind", "line", "place"),
    [
        ("minutes: 5", "minutes: viel", "number", 4, "minutes"),
        ("minutes: 5", "minutes: 0", "small", 4, "minutes"),
        ("minutes: 5", "minutes: 99", "big", 4, "minutes"),
        ("minutes: 5", "minutes: 5\ncolour: red", "unknown_field", 5, "colour"),
        ("title: 房间", "title: 12", "text", 2, "title"),
        ("title: 房间", "title: ''", "empty", 2, "title.zh"),
        ("title: 房间", "titel: 房间", "missing_field", 1, "title"),
        ("title: 大厅", "title: [a]", "text", 8, "scenes.hall.title"),
        ("key: made", "key: Made", "name", 1, "key"),
        ("start: hall", "start: hal", "no_such", 5, "start"),
        ("end: good", "end: god", "no_such", 14, "scenes.hall.hotspots.end.then.0.end"),
        ("end: good", "go: good", "no_such", 14, "scenes.hall.hotspots.end.then.0.go"),
        ("end: good", "end: good, when: {has: key}", "no_such", 14, "scenes.hall.hotspots.end.then.0.when.has"),
        ("end: good", "end: good, when: {marked: x}", "no_such", 14, "scenes.hall.hotspots.end.then.0.when.marked"),
        ("[10, 10, 20, 20]", "[10, 10, 20]", "box_four", 13, "scenes.hall.hotspots.end.box"),
        ("[10, 10, 20, 20]", "[90, 10, 20, 20]", "box_inside", 13, "scenes.hall.hotspots.end.box"),
        ("[10, 10, 20, 20]", "[-1, 10, 20, 20]", "small", 13, "scenes.hall.hotspots.end.box.x"),
        ("right: true", "right: false", "one_right", 16, "locks.box"),
        ("kind: choice", "kind: riddle", "one_of", 16, "locks.box"),
        ("no: {text: 错}", "no: {text: 错, right: true}", "one_right", 16, "locks.box"),
        ("tone: good", "tone: great", "one_of", 24, "endings.good.tone"),
        ("    text: 这里", "    text: 这里\n    picture: hall.png", "picture_name", 10, "scenes.hall.picture"),
        ("    text: 这里", "    text: 这里\n    picture: hall.svg", "alt", 10, "scenes.hall.picture"),
        ("    text: 这里", "    text: 这里\n    enter: {go: hall}", "enter_go", 10, "scenes.hall.enter"),
        ("    text: 这里", "    text: 这里\n    text: 那里", "twice", 10, "scenes.hall.text"),
        ("    text: 这里", "    text: &a 这里", "alias", 9, ""),
        ("    text: 这里", "    text: !!str 这里", "tag", 9, ""),
        ("    text: 这里", "    text: !!python/object:os.system 这里", "tag", 9, ""),
        ("    text: 这里", "    text: *a", "alias", 9, ""),
        ("    text: 这里", "  text: '这里", "yaml", 9, ""),
        ("    text: 这里", "    text: " + "[" * 60 + "]" * 60, "deep", 9, ""),
    ],
)  # fmt: skip
def test_a_mistake_is_named(old: str, new: str, kind: str, line: int, place: str) -> None:
    assert old in TEXT
    fault = faults(TEXT.replace(old, new, 1))[0]
    assert fault.kind == kind, str(fault)
    assert ".".join(map(str, fault.place)) == place
    if kind != "yaml":
        assert fault.line == line
    if place.startswith(("scenes.", "locks.")):
        assert place.split(".")[1] in (fault.scene, fault.lock)
    assert fault.file == "room.yaml" and "room.yaml" in str(fault)


def test_all_mistakes_are_named_at_once() -> None:
    text = (
        TEXT.replace("minutes: 5", "minutes: viel")
        .replace("tone: good", "tone: great")
        .replace("ask: 选", "aks: 选")
    )
    assert [fault.kind for fault in faults(text)] == ["number", "missing_field", "unknown_field", "one_of"]
    text = TEXT.replace("start: hall", "start: hal").replace("end: good", "end: god")
    found = faults(text)
    assert [fault.kind for fault in found] == ["no_such", "no_such"]
    assert "hall" in found[0].rule and "good" in found[1].rule


@pytest.mark.parametrize("text", ["", "- a\n", "房间", "null"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert [fault.kind for fault in faults(text)] == ["mapping"]


def test_what_would_grow_without_end_is_refused_before_it_is_built() -> None:
    bomb = "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(50))
    assert [fault.kind for fault in faults(bomb)] == ["alias"]
    assert [fault.kind for fault in faults("a: " + "x" * 400_000)] == ["size"]
    assert [fault.kind for fault in faults("[" * 20_000)] == ["deep"]


def _lock(**parts: Any) -> making.Data:
    return making.room(
        scenes={"hall": making.scene()}, locks={"box": parts}, characters={"he": {"name": "他"}}
    )


BASE = {"title": "锁", "ask": "问"}
REPLY = {"text": "好", "fall": "不"}


@pytest.mark.parametrize(
    ("lock", "kind"),
    [
        ({**BASE, "kind": "code", "answers": "1958"}, "missing_field"),
        ({**BASE, "kind": "code", "answers": ["1958", " - "], "needs": {}}, "empty"),
        ({**BASE, "kind": "code", "answers": "1958", "needs": {}, "wrong": [{"like": "一九五八", "because": "不"}]}, "same_code"),
        ({**BASE, "kind": "code", "answers": "1958", "needs": {"knows": "pin"}}, "no_such"),
        ({**BASE, "kind": "choices", "options": {"a": {"text": "甲"}, "b": {"text": "乙"}}}, "some_right"),
        ({**BASE, "kind": "choice", "options": {"a": {"text": "甲", "right": True, "then": {"mark": "x"}}, "b": {"text": "乙"}}}, "right_then"),
        ({**BASE, "kind": "spot", "passages": [{"text": "甲"}, {"text": "乙"}]}, "some_fraud"),
        ({**BASE, "kind": "order", "pieces": [{"text": "甲"}]}, "few"),
        ({**BASE, "kind": "conversation", "by": "she", "lines": {"a": {"says": "喂", "replies": {"x": REPLY}}}}, "no_such"),
        ({**BASE, "kind": "conversation", "by": "he", "lines": {"a": {"says": "喂", "replies": {"x": {"text": "好"}}}}}, "one_way"),
        ({**BASE, "kind": "conversation", "by": "he", "lines": {"a": {"says": "喂", "replies": {"x": {"text": "好", "next": "b"}}}}}, "no_line"),
        ({**BASE, "kind": "conversation", "by": "he", "start": "b", "lines": {"a": {"says": "喂", "replies": {"x": REPLY}}}}, "no_line"),
        ({**BASE, "kind": "choice", "teaches": "none", "options": {"a": {"text": "甲", "right": True}, "b": {"text": "乙"}}}, "no_such"),
    ],
)  # fmt: skip
def test_a_lock_that_does_not_fit(lock: making.Data, kind: str) -> None:
    room, found = reading.read_data(_lock(**lock))
    assert room is None and [fault.kind for fault in found] == [kind], [str(one) for one in found]
    assert found[0].lock == "box"


def test_a_folder_is_read_with_its_pictures() -> None:
    folder = reading.read_folder(SAMPLE)
    assert sorted(folder.pictures) == ["living.svg", "outlet.svg", "stairs.svg"] and folder.unused == ()
    assert reading.read_folder(SAMPLE / "room.yaml").room == folder.room


def test_pictures_that_lack_or_cannot_be_used_and_a_wrong_key_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    text = TEXT.replace("    text: 这里", "    text: 这里\n    picture: hall.svg\n    alt: 大厅")
    (folder / "room.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Faulty) as caught:
        reading.read_folder(folder)
    assert [fault.file for fault in caught.value.faults] == ["room.yaml"] and "hall.svg" in str(caught.value)
    (folder / "hall.svg").write_text("<p>no</p>", encoding="utf-8")
    with pytest.raises(Faulty) as caught:
        reading.read_folder(folder)
    assert [fault.file for fault in caught.value.faults] == ["hall.svg"]
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"><script>x</script><path d="M0 0"/></svg>'
    )
    for name in ("hall.svg", "spare.svg"):
        (folder / name).write_text(picture, encoding="utf-8")
    read = reading.read_folder(folder)
    assert b"script" not in read.pictures["hall.svg"] and read.unused == ("spare.svg",)
    (folder / "room.yaml").write_text(text.replace("key: made", "key: other"), encoding="utf-8")
    with pytest.raises(Faulty, match="made"):
        reading.read_folder(folder)
    (folder / "room.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(Faulty, match="UTF-8"):
        reading.read_folder(folder)
    with pytest.raises(Invalid):
        reading.read_folder(tmp_path / "nowhere")


def test_every_rule_is_said_in_both_languages() -> None:
    words = dict.fromkeys(("most", "least", "name", "what", "near", "expected", "why", "count"), "x")
    for kind in RULES:
        fault = RoomFault(kind, words=words, missing=("a", "b"), path=("x",))
        with using_locale("en"):
            assert (str(fault) and str(fault).isascii()) or "“" in str(fault) or "→" in str(fault)
        assert fault.rule
    assert len(WHAT) == 10


def test_metadata_fits_the_front_matter_of_a_piece() -> None:
    given = metadata(reading.read_folder(SAMPLE).room)
    assert set(given) <= set(FrontMatter.model_fields)
    assert FrontMatter.model_validate({**given, "kind": "article"}).title == "一通电话"
    assert given["kind"] == "escape_room" and given["rights"] == ["财产安全权", "信息安全权"]
    json.dumps(given)


def test_the_schema_takes_the_sample_and_not_a_mistake() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(schema())
    data, _lines, _wrong = yamls.load((SAMPLE / "room.yaml").read_text(encoding="utf-8"))
    assert list(validator.iter_errors(data)) == []
    wrongs: tuple[dict[str, Any], ...] = (
        {"minutes": "viel"},
        {"colour": "red"},
        {"scenes": {"A b": {}}},
        {"title": 3},
    )
    for wrong in wrongs:
        assert list(validator.iter_errors({**data, **wrong}))
    data["locks"]["first"]["kind"] = "riddle"
    assert list(validator.iter_errors(data))
