"""Each kind of fault by a small room that has it and nothing else, beside a good room that has none."""

from pathlib import Path
from typing import Any

import pytest

from content.escape_room import leaving, reading
from content.escape_room.faults import RoomFault
from content.escape_room.proof import Report, prove
from core.i18n import using_locale
from tests.content.escape_room import making
from tests.content.escape_room.making import Data

SAMPLE = Path(__file__).parent / "rooms" / "a-call"


def good() -> Data:
    """Two scenes, a code whose clue lies in the first, a dialogue, and an ending."""
    spots = {
        "note": {"label": "纸", "then": {"note": "pin"}},
        "box": {"label": "盒", "then": {"lock": "box"}},
        "ask": {"label": "问", "then": {"talk": "clerk"}},
    }
    lines = {
        "hello": {"says": "您好", "replies": {"on": {"text": "说", "next": "more"}}},
        "more": {"says": "好"},
    }
    return making.room(
        scenes={
            "hall": making.scene(
                hotspots=spots, doors={"on": {"label": "门", "to": "yard", "when": {"has": "key"}}}
            ),
            "yard": making.scene(
                hotspots={"end": {"label": "走", "then": {"end": "good"}}},
                doors={"back": {"label": "回", "to": "hall"}},
            ),
        },
        items={"key": {"name": "钥匙", "text": "钥匙"}},
        clues={"pin": {"text": "1958"}},
        locks={"box": making.code(needs={"knows": "pin"}, then={"give": "key"})},
        characters={"lin": {"name": "小林"}},
        dialogues={"clerk": {"by": "lin", "lines": lines}},
    )


def proved(data: Data, **more: Any) -> Report:
    return prove(making.read(data), **more)


def kinds(report: Report) -> list[str]:
    return [fault.kind for fault in report.faults]


def only(report: Report) -> RoomFault:
    """The one fault of a room."""
    assert len(report.faults) == 1, [str(fault) for fault in report.faults]
    return report.faults[0]


def test_a_good_room_has_no_fault_and_its_ways_are_told() -> None:
    report = proved(good())
    assert report.good and report.complete and report.states > 0
    assert report.shortest["good"].steps == (
        "在“场景”看“纸”", "在“场景”看“盒”", "答对“锁”", "从“场景”走“门”", "在“场景”看“走”",
    )  # fmt: skip
    assert report.shortest["good"].exact
    assert report.longest and len(report.longest.steps) >= 5


def test_the_sample_is_good_and_reaches_its_three_endings() -> None:
    report = prove(reading.read_folder(SAMPLE).room)
    assert report.good, [str(fault) for fault in report.faults]
    assert set(report.shortest) == {"safe", "late", "lost"}


def test_what_is_left_behind_a_door_that_does_not_open_again_is_a_dead_end() -> None:
    data = good()
    data["scenes"]["hall"]["doors"]["on"].pop("when")
    data["scenes"]["yard"]["doors"] = {}
    data["scenes"]["yard"]["hotspots"]["end"]["when"] = {"has": "key"}
    fault = only(proved(data))
    assert (fault.kind, fault.scene, fault.missing) == ("dead_end", "yard", ("key",))
    assert fault.path == ("从“场景”走“门”",)
    assert "key" in str(fault) and "走法" in str(fault)


def test_the_dead_end_is_not_seen_by_who_takes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: without the players who leave things behind, the fault above is missed."""
    monkeypatch.setattr(leaving, "givers", lambda _game: [])
    monkeypatch.setattr(leaving, "_side_by_side", lambda explorer, start, least, most: ([], None))
    data = good()
    data["scenes"]["hall"]["doors"]["on"].pop("when")
    data["scenes"]["yard"]["doors"] = {}
    data["scenes"]["yard"]["hotspots"]["end"]["when"] = {"has": "key"}
    assert proved(data).good


def test_two_things_of_which_either_may_be_left_behind_but_not_both() -> None:
    data = good()
    items = ("one", "two")
    data["items"] |= {name: {"name": name, "text": name} for name in items}
    data["scenes"]["hall"]["hotspots"] |= {name: {"label": name, "then": {"give": name}} for name in items}
    data["scenes"]["yard"]["doors"] = {}
    data["scenes"]["yard"]["hotspots"]["end"]["when"] = {"any": [{"has": "one"}, {"has": "two"}]}
    fault = only(proved(data))
    assert fault.kind == "dead_end" and len(fault.path) == 4
    data["scenes"]["hall"]["doors"]["on"]["when"] = {"has": "key", "any": [{"has": "one"}, {"has": "two"}]}
    assert proved(data).good


def test_a_fact_that_shuts_the_way_out() -> None:
    data = good()
    data["scenes"]["hall"]["hotspots"]["trap"] = {"label": "陷阱", "then": {"mark": "caught"}}
    data["scenes"]["yard"]["hotspots"]["end"]["when"] = {"not": {"marked": "caught"}}
    fault = only(proved(data))
    assert (fault.kind, fault.path) == ("dead_end", ("在“场景”看“陷阱”",))


def test_a_lock_that_closes_for_good_must_leave_a_way() -> None:
    data = good()
    data["locks"]["box"]["limit"] = {"tries": 2, "text": "完了"}
    data["locks"]["box"]["wrong"] = [{"like": "1949", "because": "不是"}]
    fault = only(proved(data))
    assert fault.kind == "dead_end" and len(fault.path) == 3
    data["locks"]["box"]["limit"]["then"] = {"give": "key"}
    assert proved(data).good


def test_who_knows_the_answer_from_elsewhere_may_skip_the_clue_and_get_stuck() -> None:
    data = good()
    spot = data["scenes"]["hall"]["hotspots"].pop("note")
    data["scenes"]["hall"]["hotspots"]["note"] = {**spot, "then": {"note": "pin", "mark": "read"}}
    data["scenes"]["yard"]["doors"] = {}
    data["scenes"]["yard"]["hotspots"]["end"]["when"] = {"marked": "read"}
    fault = only(proved(data))
    assert fault.kind == "dead_end" and fault.path[-1] == "从“场景”走“门”" and len(fault.path) == 3


def test_a_clue_behind_the_lock_that_needs_it() -> None:
    data = good()
    note = data["scenes"]["hall"]["hotspots"].pop("note")
    data["scenes"]["yard"]["hotspots"]["note"] = note
    report = proved(data)
    needs = next(fault for fault in report.faults if fault.kind == "needs")
    assert (needs.scene, needs.lock, needs.missing) == ("hall", "box", ("pin",))
    dead = next(fault for fault in report.faults if fault.kind == "dead_end")
    assert (dead.scene, dead.lock, dead.missing, dead.path) == ("hall", "box", ("pin",), ())
    assert {"ending", "unreached_scene", "unreached_item"} <= set(kinds(report))


def test_a_conversation_without_a_way_out_never_opens() -> None:
    data = good()
    replies = {"a": {"text": "好", "fall": "不行"}}
    lock = {
        "kind": "conversation",
        "title": "骗子",
        "ask": "?",
        "teaches": "stop",
        "by": "lin",
        "lines": {"x": {"says": "转", "replies": replies}},
    }
    data["locks"]["talk"] = lock
    data["scenes"]["hall"]["hotspots"]["phone"] = {"label": "电话", "then": {"lock": "talk"}}
    fault = only(proved(data))
    assert (fault.kind, fault.lock, fault.scene) == ("never_opens", "talk", "hall")


def _never(data: Data) -> Data:
    return {"all": [{"has": "key"}, {"not": {"has": "key"}}], **data}


def _with(path: str, value: Any) -> Data:
    """The good room with something put in at a place."""
    data = good()
    inner = data
    *above, last = path.split(".")
    for name in above:
        inner = inner[name]
    inner[last] = value
    return data


@pytest.mark.parametrize(
    ("kind", "path", "value", "place"),
    [
        ("unreached_scene", "scenes.attic", making.scene(), "scenes.attic"),
        ("unreached_hotspot", "scenes.hall.hotspots.ghost", {"label": "鬼", "when": _never({})}, "scenes.hall.hotspots.ghost"),
        ("unreached_door", "scenes.hall.doors.wall", {"label": "墙", "to": "yard", "when": _never({}), "shut": "不"}, "scenes.hall.doors.wall"),
        ("unreached_item", "items.coin", {"name": "币", "text": "币"}, "items.coin"),
        ("unreached_clue", "clues.word", {"text": "字"}, "clues.word"),
        ("unreached_dialogue", "dialogues.nobody", {"by": "lin", "lines": {"a": {"says": "喂"}}}, "dialogues.nobody"),
        ("unreached_line", "dialogues.clerk.lines.lost", {"says": "喂"}, "dialogues.clerk.lines.lost"),
        ("unreached_reply", "dialogues.clerk.lines.more.replies", {"no": {"text": "不", "when": _never({})}}, "dialogues.clerk.lines.more.replies.no"),
        ("unreached_lock", "locks.lost", making.choice(), "locks.lost"),
        ("ending", "endings.bad", {"title": "坏", "text": "坏", "tone": "bad"}, "endings.bad"),
        ("untaught", "facts.other", making.FACT, "facts.other"),
        ("teaches_nothing", "locks.box.teaches", [], "locks.box"),
        ("unexplained", "locks.box.otherwise", None, "locks.box"),
        ("questions", "facts.stop", {**making.FACT, "questions": making.FACT["questions"][:1]}, "facts.stop.questions"),
    ],
)  # fmt: skip
def test_nothing_is_in_vain(kind: str, path: str, value: Any, place: str) -> None:
    report = proved(_with(path, value))
    found = [fault for fault in report.faults if fault.kind == kind]
    assert [".".join(map(str, fault.place)) for fault in found] == [place], [
        str(one) for one in report.faults
    ]
    allowed = {kind, "untaught"} if kind == "teaches_nothing" else {kind}
    assert set(kinds(report)) == allowed
    with using_locale("en"):
        english = found[0].rule
    assert found[0].rule and english and found[0].as_json()["kind"] == kind


def test_a_choice_without_a_word_is_named() -> None:
    data = good()
    data["locks"]["pick"] = making.choice()
    data["locks"]["pick"]["options"] = {**data["locks"]["pick"]["options"], "mute": {"text": "哑"}}
    data["scenes"]["hall"]["hotspots"]["pick"] = {"label": "选", "then": {"lock": "pick"}}
    fault = only(proved(data))
    assert (fault.kind, fault.lock, fault.missing) == ("unexplained", "pick", ("mute",))


def test_a_thing_that_is_gone_when_another_was_taken() -> None:
    data = good()
    data["items"] |= {name: {"name": name, "text": name} for name in ("one", "two")}
    spots = data["scenes"]["hall"]["hotspots"]
    spots["one"] = {"label": "one", "when": {"not": {"has": "two"}}, "then": {"give": "one"}}
    spots["two"] = {"label": "two", "then": {"give": "two"}}
    data["scenes"]["yard"]["hotspots"]["end"]["when"] = {"has": "one"}
    fault = only(proved(data))
    assert (fault.kind, fault.path, fault.missing) == ("dead_end", ("在“场景”看“two”",), ("one",))
    spots["one"]["when"] = {"not": {"has": "one"}}
    assert proved(data).good


def test_a_lock_that_gives_more_to_who_comes_late() -> None:
    data = good()
    data["locks"]["box"]["then"] = [{"give": "key"}, {"when": {"marked": "read"}, "note": "word"}]
    data["clues"]["word"] = {"text": "字"}
    data["scenes"]["hall"]["hotspots"]["read"] = {"label": "读", "then": {"mark": "read"}}
    assert proved(data).good
    data["scenes"]["yard"]["hotspots"]["end"]["when"] = {"knows": "word"}
    fault = only(proved(data))
    assert fault.kind == "dead_end" and fault.path[-1] == "答对“锁”" and len(fault.path) == 3


def test_the_same_mistake_alone_does_not_use_tries_up() -> None:
    data = good()
    data["locks"]["pick"] = making.choice(limit={"tries": 2, "text": "完了", "then": {"end": "bad"}})
    data["scenes"]["hall"]["hotspots"]["pick"] = {"label": "选", "then": {"lock": "pick"}}
    data["endings"]["bad"] = {"title": "坏", "text": "坏", "tone": "bad"}
    assert only(proved(data)).kind == "ending"
    options = data["locks"]["pick"]["options"]
    data["locks"]["pick"]["options"] = {**options, "nor": {"text": "也错", "because": "不"}}
    assert len(proved(data).shortest["bad"].actions) == 3


def test_something_seen_between_two_things_that_can_be_taken_at_once_is_not_in_vain() -> None:
    data = good()
    data["items"] |= {name: {"name": name, "text": name} for name in ("one", "two")}
    spots = data["scenes"]["hall"]["hotspots"]
    spots |= {name: {"label": name, "then": {"give": name}} for name in ("one", "two")}
    spots["between"] = {"label": "中间", "when": {"has": "one", "not": {"has": "two"}}, "text": "还缺一样"}
    lines = data["dialogues"]["clerk"]["lines"]
    lines["more"]["replies"] = {"short": {"text": "还缺", "when": {"has": "one", "not": {"has": "two"}}}}
    assert proved(data).good


def test_something_seen_only_by_who_has_not_taken_a_thing_yet_is_not_in_vain() -> None:
    data = good()
    data["scenes"]["hall"]["hotspots"]["early"] = {
        "label": "早",
        "when": {"knows": "pin", "not": {"has": "key"}},
        "text": "还没有钥匙",
    }
    assert proved(data).good


def test_of_two_ways_the_shorter_is_told() -> None:
    data = good()
    doors = {"near": {"label": "近", "to": "yard"}, "far": {"label": "远", "to": "stairs"}}
    data["scenes"]["hall"]["doors"] = doors
    data["scenes"]["stairs"] = making.scene(doors={"up": {"label": "上", "to": "loft"}})
    data["scenes"]["loft"] = making.scene(hotspots={"end": {"label": "跳", "then": {"end": "good"}}})
    assert proved(data).shortest["good"].steps == ("从“场景”走“近”", "在“场景”看“走”")
    data["scenes"]["yard"]["hotspots"]["end"]["when"] = {"visited": "loft"}
    assert proved(data).shortest["good"].steps[-1] == "在“场景”看“跳”"


def test_a_bound_that_is_met_is_said_and_nothing_is_called_proved() -> None:
    report = proved(good(), bound=2)
    assert not report.complete and not report.good
    assert kinds(report) == ["bound"] and "2" in report.faults[0].rule
