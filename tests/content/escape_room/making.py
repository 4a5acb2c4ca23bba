"""Rooms for tests, made as the data that a file would hold."""

from typing import Any

from content.escape_room import reading
from content.escape_room.compiling import compile_room
from content.escape_room.format import Room
from content.escape_room.game import Game

Data = dict[str, Any]
SOURCE = {"title": "国办发〔2015〕81号"}
FACT: Data = {
    "text": "先停一停",
    "right": "财产安全权",
    "right_text": "钱要看住",
    "source": SOURCE,
    "questions": [
        {
            "ask": "先做什么？",
            "options": {"a": {"text": "停", "right": True}, "b": {"text": "转"}},
            "because": "停",
        },
        {
            "ask": "再做什么？",
            "options": {"a": {"text": "问", "right": True}, "b": {"text": "转"}},
            "because": "问",
        },
    ],
}


def room(**parts: Any) -> Data:
    """A room of one scene with what is given; facts and a good ending are there."""
    return {
        "key": "made",
        "title": "房间",
        "summary": "一个房间",
        "minutes": 5,
        "start": "hall",
        "endings": {"good": {"title": "好", "text": "好", "tone": "good"}},
        "facts": {"stop": FACT},
        **parts,
    }


def scene(**parts: Any) -> Data:
    """A scene."""
    return {"title": "场景", "text": "这里", **parts}


def choice(**parts: Any) -> Data:
    """A lock with a right and a wrong option."""
    options = {"yes": {"text": "对", "right": True}, "no": {"text": "错", "because": "不对"}}
    return {"kind": "choice", "title": "锁", "ask": "选", "teaches": "stop", "options": options, **parts}


def code(**parts: Any) -> Data:
    """A lock with a code."""
    return {
        "kind": "code", "title": "锁", "ask": "码", "teaches": "stop",
        "answers": "1958", "needs": {}, "otherwise": "再看看", **parts,
    }  # fmt: skip


def read(data: Data) -> Room:
    """The room of data that must be well-formed."""
    made, faults = reading.read_data(data)
    assert made is not None, [str(fault) for fault in faults]
    return made


def game(data: Data) -> Game:
    """The game of data."""
    return compile_room(read(data))


def big(scenes: int = 12, items: int = 30) -> Data:
    """A big room that is good: scenes in a row with ways back, things that vanish when taken, clues for codes,
    dialogues, every fourth door a way of no return, a lock with few tries, and endings by what was done."""
    per = items // scenes + 1
    made: Data = {name: {} for name in ("scenes", "items", "clues", "dialogues", "locks")}
    for number in range(scenes):
        own = range(number * per, min((number + 1) * per, items))
        spots: Data = {
            f"take-{at}": {
                "label": f"东西{at}",
                "when": {"not": {"has": f"item-{at}"}},
                "then": {"give": f"item-{at}"},
            }
            for at in own
        }
        made["items"] |= {f"item-{at}": {"name": f"东西{at}", "text": "一样东西"} for at in own}
        made["clues"][f"clue-{number}"] = {"text": f"第{number}条"}
        spots["read"] = {"label": "纸条", "text": "上面有字", "then": {"note": f"clue-{number}"}}
        spots["ask"] = {"label": "问一问", "then": {"talk": f"talk-{number}"}}
        spots["box"] = {
            "label": "盒子",
            "when": {"not": {"opened": f"box-{number}"}},
            "then": {"lock": f"box-{number}"},
        }
        needs = {"knows": f"clue-{number}", "has": [f"item-{at}" for at in own][:1]}
        made["locks"][f"box-{number}"] = code(needs=needs, then={"mark": f"boxed-{number}"})
        made["locks"][f"gate-{number}"] = choice(hints=[{"text": "想一想"}])
        made["dialogues"][f"talk-{number}"] = _talk(number)
        onward = {
            "label": "往前",
            "to": f"scene-{number + 1}",
            "lock": f"gate-{number}",
            "when": {"marked": f"boxed-{number}"},
        }
        doors: Data = {"on": onward} if number + 1 < scenes else {}
        if number and number % 4:
            doors["back"] = {"label": "往回", "to": f"scene-{number - 1}"}
        made["scenes"][f"scene-{number}"] = scene(hotspots=spots, doors=doors)
    last = made["scenes"][f"scene-{scenes - 1}"]
    last["hotspots"]["end"] = {
        "label": "最后",
        "when": {"opened": f"box-{scenes - 1}"},
        "then": {"lock": f"gate-{scenes - 1}"},
    }
    made["locks"][f"gate-{scenes - 1}"]["limit"] = {"tries": 2, "text": "没有机会了", "then": {"end": "bad"}}
    made["locks"][f"gate-{scenes - 1}"]["options"]["maybe"] = {"text": "也许", "because": "不对"}
    made["locks"][f"gate-{scenes - 1}"]["then"] = [
        {"when": {"all": [{"marked": "asked-1"}, {"marked": "asked-2"}]}, "end": "good"},
        {"end": "soft"},
    ]
    tones = {"good": "good", "soft": "soft", "bad": "bad"}
    endings = {name: {"title": name, "text": name, "tone": tone} for name, tone in tones.items()}
    people = {"clerk": {"name": "小林"}}
    return room(**made, start="scene-0", endings=endings, characters=people)


def _talk(number: int) -> Data:
    return {
        "by": "clerk",
        "lines": {
            "a": {"says": "您好", "replies": {"on": {"text": "还有呢", "next": "b"}, "off": {"text": "好"}}},
            "b": {
                "says": "记住",
                "replies": {"yes": {"text": "记住了", "then": {"mark": f"asked-{number}"}}},
            },
        },
    }
